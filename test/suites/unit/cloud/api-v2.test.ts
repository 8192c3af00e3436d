import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../../common/bytes.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { anyCommandKind, type AnyCommand } from '../../../../protocol/objects/command.js';
import { deletionKind } from '../../../../protocol/objects/deletion.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { decodeDown } from '../../../../protocol/transport/messages.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraV2, type WithObject } from '../../../support/worlds/camera-v2.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { offerOf } from '../../../support/worlds/cloud-world.js';
import { storedPeriod, type StoredPeriod } from '../../../support/worlds/stored-period.js';

type Answer = Awaited<ReturnType<ApiWorld['send']>>;

function codeIn({ body }: Pick<Answer, 'body'>): string {
  return (body as { error?: { code: string } } | null)?.error?.code ?? 'none';
}

interface Kept extends StoredPeriod {
  readonly picture: WithObject;
  readonly token: string;
}

/** Stores a claimed camera with a key record and a picture of its period, and opens a session of its owner. */
async function kept(wrap?: (store: CloudStore) => CloudStore): Promise<Kept> {
  const stored = await storedPeriod(wrap);
  const { api, camera, claim, key, periodId } = stored;
  const picture = camera.picture(claim, 2, key.record.hash, periodId);
  await api.store.records.put(picture.record, [picture.object], 0);
  const { token } = await api.session(camera.world.owner);
  return { ...stored, picture, token };
}

function periodUrl({ camera }: Pick<Kept, 'camera'>, periodId: Uint8Array, epoch = 1): string {
  return `/v1/devices/${toHex(camera.world.deviceId)}/epochs/${String(epoch)}/periods/${toHex(periodId)}`;
}

describe('a claim of version 2', () => {
  async function offered(versions: readonly (1 | 2)[] = [2]) {
    const api = await ApiWorld.open();
    const camera = new CameraV2(new CameraWorld({ cloud: api.receiptSigner }));
    const { world } = camera;
    const nonce = realRandom.bytes(16);
    const one = offerOf(world, { nonce });
    const two = offerOf(world, { nonce, version: 2 }).bytes;
    const offer = versions.includes(1) ? one.bytes : two;
    const both = versions.length > 1 ? { offerV2: two } : {};
    await api.store.claims.putOffer(world.deviceId, { offer, ...both, atMs: api.clock.wallMs() });
    const { token } = await api.session(world.owner);
    const send = (claim: { bytes: Uint8Array }, kemKeys?: readonly Uint8Array[]): Promise<Answer> =>
      api.send('POST', '/v1/claims', token, {
        claim: toBase64(claim.bytes),
        mac: null,
        ...(kemKeys === undefined ? {} : { kemKeys: kemKeys.map(toBase64) }),
      });
    const url = `/v1/devices/${toHex(world.deviceId)}/offer`;
    const answer = async (): Promise<unknown> => (await api.get(url, token)).body;
    return { api, camera, nonce, send, answer, offers: [one.bytes, two], claim: camera.claim(1, null, { nonce }) };
  }

  it('is relayed and kept with its KEM keys', async () => {
    const { api, camera, claim, send } = await offered();
    const { kemKeys } = camera;
    expect((await send(claim, kemKeys)).status).toBe(202);
    expect(api.sentDown.map(({ payload }) => decodeDown(payload))).toEqual([
      { type: 'claim', claim: claim.bytes, mac: null, kemKeys },
    ]);
    expect(await api.store.claims.pending(camera.world.deviceId)).toMatchObject({ claim: claim.bytes, kemKeys });
  });

  it('is refused without the KEM keys that it names, in its order, and one of version 1 with any', async () => {
    const { api, camera, claim, nonce, send } = await offered();
    const [owner, browser, member] = camera.kemKeys;
    if (owner === undefined || browser === undefined || member === undefined) throw new Error('no keys');
    for (const keys of [
      undefined,
      [owner, browser],
      [owner, member, browser],
      [owner, browser, realRandom.bytes(1216)],
      [owner, browser, member.slice(1)],
    ]) {
      const answer = await send(claim, keys);
      expect([answer.status, codeIn(answer)]).toEqual([400, 'kem-key']);
    }
    expect(codeIn(await send(camera.world.claim(1, null, { nonce }), [owner]))).toBe('kem-key');
    expect(api.sentDown).toEqual([]);
    // The control: the same claim of version 1 without, which this offer admits too.
    expect((await send(camera.world.claim(1, null, { nonce }))).status).toBe(202);
  });

  it('answers an offer that was made in version 2 too, as one of version 1 does', async () => {
    const { camera, claim, nonce, send, answer, offers } = await offered([1, 2]);
    const [offer, offerV2] = offers.map(toBase64);
    expect(await answer()).toMatchObject({ offer, offerV2 });
    expect((await send(camera.world.claim(1, null, { nonce }))).status).toBe(202);
    expect((await send(claim, camera.kemKeys)).status).toBe(202);
  });

  it('answers no offer that was made in version 1 alone', async () => {
    const { api, camera, claim, send } = await offered([1]);
    const answer = await send(claim, camera.kemKeys);
    expect([answer.status, codeIn(answer)]).toEqual([409, 'claim-refused']);
    expect(api.sentDown).toEqual([]);
  });

  it('is not followed by one of version 1 of the same owner', async () => {
    const { api, camera, nonce, send, claim } = await offered();
    const { world } = camera;
    await api.store.claims.accept(claim, camera.accept(claim), 0, camera.kemKeys);
    const answer = await send(world.claim(2, claim.hash, { nonce }));
    expect([answer.status, codeIn(answer)]).toEqual([409, 'claim-downgrade']);
    expect((await send(camera.claim(2, claim.hash, { nonce }), camera.kemKeys)).status).toBe(202);
    // Another owner, who has the camera now, may begin with version 1.
    const next = new CameraWorld({ cloud: api.receiptSigner });
    const { token } = await api.session(next.owner);
    const theirs = next.claim(2, claim.hash, { device: world.deviceId, nonce });
    const body = { claim: toBase64(theirs.bytes), mac: null };
    expect((await api.send('POST', '/v1/claims', token, body)).status).toBe(202);
  });

  it('comes back to a cloud that lost it with its accept and KEM keys', async () => {
    const api = await ApiWorld.open();
    const camera = new CameraV2(new CameraWorld({ cloud: api.receiptSigner }));
    const { token } = await api.session(camera.world.owner);
    const claim = camera.claim(3, realRandom.bytes(32));
    const handIn = (kemKeys: readonly Uint8Array[]): Promise<Answer> =>
      api.send('POST', '/v1/claims/accepted', token, {
        claim: toBase64(claim.bytes),
        accept: toBase64(camera.accept(claim).bytes),
        kemKeys: kemKeys.map(toBase64),
      });
    const others = camera.kemKeys.map(() => realRandom.bytes(1216));
    for (const keys of [[], others]) expect(codeIn(await handIn(keys))).toBe('kem-key');
    expect((await api.get('/v1/cameras', token)).body).toEqual({ cameras: [] });
    expect((await handIn(camera.kemKeys)).status).toBe(204);
    const { body } = await api.get('/v1/cameras', token);
    expect(body).toMatchObject({ cameras: [{ epoch: 3, kemKeys: camera.kemKeys.map(toBase64) }] });
  });
});

describe('KEM keys', () => {
  const url = ({ camera }: Pick<Kept, 'camera'>): string => `/v1/cameras/${toHex(camera.world.deviceId)}/1/kem-keys`;

  it('are served to everybody who may read the claim, in its order', async () => {
    const own = await kept();
    const { api, camera } = own;
    const all = camera.kemKeys.map(toBase64);
    expect((await api.get('/v1/cameras', own.token)).body).toMatchObject({ cameras: [{ kemKeys: all }] });
    const member = await api.session(camera.signers[2]);
    expect((await api.get(url(own), member.token)).body).toEqual({ kemKeys: all });
    const stranger = await api.session(nodeSuite.ed25519Signer(realRandom.bytes(32)));
    expect((await api.get(url(own), stranger.token)).status).toBe(404);
    // Of an epoch that is over a list has none, to stay short; they are asked for.
    await api.store.claims.close(camera.world.deviceId, 1, 2);
    expect((await api.get('/v1/cameras', own.token)).body).toMatchObject({ cameras: [{ kemKeys: null }] });
    expect((await api.get(url(own), own.token)).body).toEqual({ kemKeys: all });
  });

  it('that the store mixed up are not shown, and raise an alarm', async () => {
    const wrong = realRandom.bytes(1216);
    const own = await kept((store) => ({
      ...store,
      claims: {
        ...store.claims,
        kemKeys: async (hashes) => (await store.claims.kemKeys(hashes)).map((key, i) => (i === 2 ? wrong : key)),
      },
    }));
    const [owner, browser] = own.camera.kemKeys.map(toBase64);
    expect((await own.api.get(url(own), own.token)).body).toEqual({ kemKeys: [owner, browser, null] });
    expect(own.api.counters.get('alarms')).toBe(1);
  });

  it('do not exist for a claim of version 1', async () => {
    const api = await ApiWorld.open();
    const world = new CameraWorld({ cloud: api.receiptSigner });
    const claim = world.claim();
    await api.store.claims.accept(claim, world.record(claim, 0, claim.hash, { kind: 'accept' }), 0);
    const { token } = await api.session(world.owner);
    expect((await api.get('/v1/cameras', token)).body).toMatchObject({ cameras: [{ kemKeys: null }] });
    expect((await api.get(`/v1/cameras/${toHex(world.deviceId)}/1/kem-keys`, token)).body).toEqual({ kemKeys: null });
  });
});

describe('a KEM key by its hash', () => {
  const leave = async (api: ApiWorld, kemKey: Uint8Array, hash = kemHash(nodeSuite, kemKey)): Promise<Answer> => {
    const { token } = await api.session(new CameraWorld().owner);
    const payload = { kemKey: toBase64(kemKey) };
    const url = `/v1/kem-keys/${toHex(hash)}`;
    const answer = await api.app.inject({ method: 'PUT', url, headers: { authorization: `Bearer ${token}` }, payload });
    return { status: answer.statusCode, body: answer.payload === '' ? null : answer.json() };
  };
  const ask = async (api: ApiWorld, kemKey: Uint8Array, as = new CameraWorld().owner) =>
    api.get(`/v1/kem-keys/${toHex(kemHash(nodeSuite, kemKey))}`, (await api.session(as)).token);

  it('waits a day for the owner who has its member code', async () => {
    const api = await ApiWorld.open();
    const kemKey = realRandom.bytes(1216);
    const other = kemHash(nodeSuite, realRandom.bytes(1216));
    for (const answer of [await leave(api, kemKey, other), await leave(api, kemKey.slice(1))]) {
      expect([answer.status, codeIn(answer)]).toEqual([400, 'kem-key']);
    }
    expect((await ask(api, kemKey)).status).toBe(404);
    expect((await leave(api, kemKey)).status).toBe(204);
    expect((await ask(api, kemKey)).body).toEqual({ kemKey: toBase64(kemKey) });
    expect((await api.get(`/v1/kem-keys/${toHex(other)}`, 'none')).status).toBe(401);
    api.clock.advance(86_400_001);
    expect((await ask(api, kemKey)).status).toBe(404);
  });

  it('is served to those who may read a claim that names it, and to nobody else', async () => {
    const { api, camera } = await kept();
    const [, browser] = camera.kemKeys;
    if (browser === undefined) throw new Error('no key');
    for (const signer of camera.signers) {
      const { token } = await api.session(signer, {}, {}, [camera.world.account]);
      const { body } = await api.get(`/v1/kem-keys/${toHex(kemHash(nodeSuite, browser))}`, token);
      expect(body).toEqual({ kemKey: toBase64(browser) });
    }
    expect((await ask(api, browser)).status).toBe(404);
    expect((await ask(api, realRandom.bytes(1216), camera.world.owner)).status).toBe(404);
  });

  it('is refused where there is no room, and counted', async () => {
    const api = await ApiWorld.open((store) => ({
      ...store,
      claims: { ...store.claims, offerKemKey: () => Promise.resolve(false) },
    }));
    const answer = await leave(api, realRandom.bytes(1216));
    expect([answer.status, codeIn(answer), api.counters.get('shares.kem-keys')]).toEqual([429, 'rate-limited', 1]);
  });
});

describe('the key record of a period', () => {
  it('is served with its body, gated and logged as every read', async () => {
    const own = await kept();
    const { api, camera, key, periodId, token } = own;
    const { body, status } = await api.get(periodUrl(own, periodId), token);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      record: { seq: 1, epoch: 1, record: toBase64(key.record.bytes) },
      body: toBase64(key.object.sealed.body),
    });
    const [line] = await api.store.access.ofReadable(camera.world.owner.publicKey, 1);
    expect(line).toMatchObject({ what: 'media', fromSeq: 1, toSeq: 1, mediaId: key.object.id });
    const member = await api.session(camera.signers[2]);
    expect((await api.get(periodUrl(own, periodId), member.token)).status).toBe(200);
    const stranger = await api.session(nodeSuite.ed25519Signer(realRandom.bytes(32)));
    expect((await api.get(periodUrl(own, periodId), stranger.token)).status).toBe(404);
    for (const url of [periodUrl(own, realRandom.bytes(16)), periodUrl(own, periodId, 2)]) {
      expect((await api.get(url, token)).status).toBe(404);
    }
    await api.store.reads.pause({ account: null, sentence: 'Paused.', sinceMs: 0 });
    expect(codeIn(await api.get(periodUrl(own, periodId), token))).toBe('reads-paused');
  });

  it('is not served before its body came', async () => {
    const { api, camera, claim, picture, token } = await kept();
    const late = camera.key(claim, 3, picture.record.hash);
    const periodId = late.record.value.key?.periodId ?? new Uint8Array(0);
    await api.store.records.put(late.record, [], 0);
    expect((await api.get(periodUrl({ camera }, periodId), token)).status).toBe(404);
    await api.store.records.put(late.record, [late.object], 0);
    expect((await api.get(periodUrl({ camera }, periodId), token)).status).toBe(200);
  });

  it('is served in a range that its owner deleted while something of its period is shown', async () => {
    const own = await kept();
    const { api, camera, claim, key, periodId, token } = own;
    const { deviceId, owner } = camera.world;
    const range = { device: deviceId, epoch: 1, claimHash: claim.hash, fromSeq: 1, toSeq: 1, issuedAtMs: 0 };
    const statement = signObject(deletionKind, nodeSuite, owner, { ...range, lastHash: key.record.hash });
    const body = { statements: [toBase64(statement.bytes)] };
    expect((await api.send('POST', '/v1/deletions', token, body)).status).toBe(200);
    const page = await api.get(ApiWorld.recordsUrl(deviceId), token);
    expect((page.body as { records: { seq: number }[] }).records.map(({ seq }) => seq)).toEqual([2, 0]);
    expect((await api.get(periodUrl(own, periodId), token)).status).toBe(200);
  });
});

describe('orders', () => {
  it('are taken from every browser of an owner, in the version of the epoch, and from no member', async () => {
    const { api, camera, claim } = await kept();
    const { deviceId } = camera.world;
    const order = (signer: Signer, version?: 2): Uint8Array => {
      const command: AnyCommand = {
        ...(version === undefined ? {} : { version }),
        action: 'sensitivity',
        sensitivity: 5,
        device: deviceId,
        epoch: 1,
        claimHash: claim.hash,
        counter: 1,
        recent: [0, claim.hash],
      };
      return signObject(anyCommandKind, nodeSuite, signer, command).bytes;
    };
    const post = async (as: Signer, command: Uint8Array): Promise<number> => {
      const { token } = await api.session(as);
      const url = `/v1/devices/${toHex(deviceId)}/commands`;
      return (await api.send('POST', url, token, { command: toBase64(command) })).status;
    };
    const [owner, browser, member] = camera.signers;
    expect(await post(owner, order(owner, 2))).toBe(202);
    expect(await post(browser, order(browser, 2))).toBe(202);
    expect(await post(member, order(member, 2))).toBe(404);
    expect(await post(member, order(browser, 2))).toBe(404);
    expect(await post(owner, order(owner))).toBe(400);
    expect(api.sentDown).toHaveLength(2);
  });
});

describe('an export', () => {
  it('has the key records and KEM keys that its pictures need, also from a range that was deleted', async () => {
    const { api, camera, claim, key, picture, token } = await kept();
    const { deviceId, owner } = camera.world;
    const lines = async (): Promise<{ type: string; record?: string; kemKeys?: string[] }[]> => {
      const { raw } = await api.get('/v1/account/export', token);
      const texts = raw.toString('utf8').trim().split('\n');
      return texts.map((line) => JSON.parse(line) as { type: string });
    };
    const records = async (): Promise<(string | undefined)[]> =>
      (await lines()).filter(({ type }) => type === 'record').map(({ record }) => record);
    const both = [key, picture].map(({ record }) => toBase64(record.bytes));
    expect((await records()).slice(1)).toEqual(both);
    expect((await lines()).find(({ type }) => type === 'claim')?.kemKeys).toEqual(camera.kemKeys.map(toBase64));
    // From the accept to the key record: what is left begins above them.
    const range = { device: deviceId, epoch: 1, claimHash: claim.hash, fromSeq: 0, toSeq: 1, issuedAtMs: 0 };
    const statement = signObject(deletionKind, nodeSuite, owner, { ...range, lastHash: key.record.hash });
    await api.store.deletions.mark([statement], 9);
    expect(await records()).toEqual(both);
    const log = await api.store.access.ofReadable(owner.publicKey, 3);
    const seqs = log.filter(({ what }) => what === 'export').map(({ fromSeq, toSeq }) => [fromSeq, toSeq]);
    expect(seqs).toContainEqual([1, 1]);
    expect(seqs).toContainEqual([2, 2]);
  });
});
