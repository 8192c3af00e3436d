import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { claimMac } from '../../../../protocol/objects/claim.js';
import type { SealedObject } from '../../../../protocol/seal/seal.js';
import { decodeDown } from '../../../../protocol/transport/messages.js';
import { verifyExport } from '../../../../agent/cli/verify-export.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { offerOf } from '../../../support/worlds/cloud-world.js';
import { mediaUrl, stored } from '../../../support/worlds/stored-event.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

describe('claims', () => {
  async function offered(api: ApiWorld): Promise<{ world: CameraWorld; token: string; nonce: Uint8Array }> {
    const world = new CameraWorld({ cloud: api.receiptSigner });
    const nonce = realRandom.bytes(16);
    const offer = offerOf(world, { nonce });
    await api.store.claims.putOffer(world.deviceId, { offer: offer.bytes, atMs: api.clock.wallMs() });
    return { world, nonce, token: (await api.session(world.owner)).token };
  }

  const send = (api: ApiWorld, token: string, payload: object): Promise<{ statusCode: number }> =>
    api.app.inject({ method: 'POST', url: '/v1/claims', headers: { authorization: `Bearer ${token}` }, payload });

  it('are relayed to the camera, with the MAC that only the camera can check', async () => {
    const api = await ApiWorld.open();
    const { world, token, nonce } = await offered(api);
    expect((await api.get(`/v1/devices/${toHex(world.deviceId)}/offer`, token)).status).toBe(200);
    const claim = world.claim(1, null, { nonce, receiptKeys: [api.receiptSigner.publicKey] });
    const mac = claimMac(nodeSuite, realRandom.bytes(16), claim);
    const sent = await send(api, token, { claim: toBase64(claim.bytes), mac: toHex(mac) });
    expect(sent.statusCode).toBe(202);
    expect(decodeDown(api.sentDown[0]?.payload ?? new Uint8Array(0))).toEqual({
      type: 'claim',
      claim: claim.bytes,
      mac,
    });
    expect((await api.store.claims.pending(world.deviceId))?.mac).toEqual(mac);
  });

  it('are refused for an owner other than the session, without our receipt key, and for a passed epoch', async () => {
    const api = await ApiWorld.open();
    const { world, token, nonce } = await offered(api);
    const other = new CameraWorld({ cloud: api.receiptSigner }).claim(1, null, { device: world.deviceId, nonce });
    expect((await send(api, token, { claim: toBase64(other.bytes), mac: null })).statusCode).toBe(403);
    const foreignCloud = world.claim(1, null, { nonce, receiptKeys: [new CameraWorld().cloud.publicKey] });
    expect((await send(api, token, { claim: toBase64(foreignCloud.bytes), mac: null })).statusCode).toBe(409);
    const own = await stored(api);
    const passed = own.world.claim();
    expect((await send(api, own.token, { claim: toBase64(passed.bytes), mac: null })).statusCode).toBe(409);
    expect((await send(api, token, { claim: 'AAAA', mac: null })).statusCode).toBe(400);
    expect(api.sentDown).toEqual([]);
  });

  it('are kept only where they answer the open offer of their camera', async () => {
    const api = await ApiWorld.open();
    const { world, token, nonce } = await offered(api);
    const receiptKeys = [api.receiptSigner.publicKey];
    const answers = async (from: string, claim: { bytes: Uint8Array }): Promise<number> =>
      (await send(api, from, { claim: toBase64(claim.bytes), mac: null })).statusCode;
    // A camera that does not exist, and another nonce: this would overwrite the owner's claim that waits.
    expect(await answers(token, world.claim(1, null, { device: realRandom.bytes(32), nonce, receiptKeys }))).toBe(409);
    expect(await answers(token, world.claim(1, null, { nonce: realRandom.bytes(16), receiptKeys }))).toBe(409);
    expect(await api.store.claims.pending(world.deviceId)).toBeUndefined();
    expect(api.sentDown).toEqual([]);
    expect(api.counters.get('shares.pending-claims')).toBe(2);
    const claim = world.claim(1, null, { nonce, receiptKeys });
    expect(await answers(token, claim)).toBe(202);
    expect((await api.store.claims.pending(world.deviceId))?.claim).toEqual(claim.bytes);
    // An owner offer: a stranger who reads its nonce does not overwrite what the owner sent.
    const own = await stored(api);
    const asked = realRandom.bytes(16);
    const offer = offerOf(own.world, { nonce: asked, mode: 'owner', lastEpoch: 1, lastClaimHash: own.claim.hash });
    await api.store.claims.putOffer(own.world.deviceId, { offer: offer.bytes, atMs: api.clock.wallMs() });
    const change = { device: own.world.deviceId, nonce: asked, receiptKeys };
    expect(await answers(own.token, own.world.claim(2, own.claim.hash, change))).toBe(202);
    expect(await answers(token, world.claim(2, own.claim.hash, change))).toBe(409);
    api.clock.advance(10 * 60_000 + 1);
    expect(await answers(own.token, own.world.claim(2, own.claim.hash, change))).toBe(409);
  });

  it('that wait for a camera are not pushed out by those of another key for the same offer, which are sent on', async () => {
    const api = await ApiWorld.open();
    const { world, token, nonce } = await offered(api);
    const receiptKeys = [api.receiptSigner.publicKey];
    const claim = world.claim(1, null, { nonce, receiptKeys });
    const mac = toHex(claimMac(nodeSuite, realRandom.bytes(16), claim));
    await send(api, token, { claim: toBase64(claim.bytes), mac });
    const stranger = new CameraWorld({ cloud: api.receiptSigner });
    const other = stranger.claim(1, null, { device: world.deviceId, nonce, receiptKeys });
    const session = await api.session(stranger.owner);
    expect((await send(api, session.token, { claim: toBase64(other.bytes), mac: null })).statusCode).toBe(202);
    expect((await api.store.claims.pending(world.deviceId))?.claim).toEqual(claim.bytes);
    expect(api.counters.get('shares.pending-claims')).toBe(1);
    expect(api.sentDown.map(({ payload }) => decodeDown(payload))).toMatchObject([
      { claim: claim.bytes },
      { claim: other.bytes },
    ]);
    // The same owner's newer claim replaces its own, and so does any claim for the next offer.
    const newer = world.claim(1, null, { nonce, receiptKeys, issuedAtMs: claim.value.issuedAtMs + 1 });
    await send(api, token, { claim: toBase64(newer.bytes), mac });
    expect((await api.store.claims.pending(world.deviceId))?.claim).toEqual(newer.bytes);
    const next = realRandom.bytes(16);
    await api.store.claims.putOffer(world.deviceId, {
      offer: offerOf(world, { nonce: next }).bytes,
      atMs: api.clock.wallMs(),
    });
    const answer = stranger.claim(1, null, { device: world.deviceId, nonce: next, receiptKeys });
    await send(api, session.token, { claim: toBase64(answer.bytes), mac: null });
    expect((await api.store.claims.pending(world.deviceId))?.claim).toEqual(answer.bytes);
  });

  it('need an open offer', async () => {
    const api = await ApiWorld.open();
    const { world, token } = await offered(api);
    api.clock.advance(10 * 60_000 + 1);
    const { status, body } = await api.get(`/v1/devices/${toHex(world.deviceId)}/offer`, token);
    expect(status).toBe(404);
    expect(body).toMatchObject({ error: { hint: expect.stringContaining('button') as string } });
  });

  it('come back to a cloud that lost them, with the accept of the camera, and from their owner alone', async () => {
    const api = await ApiWorld.open();
    const world = new CameraWorld({ cloud: api.receiptSigner });
    const { token } = await api.session(world.owner);
    const previous = realRandom.bytes(32);
    const claim = world.claim(3, previous);
    const [accept] = world.chain(claim, 0);
    const handIn = async (change: { claim?: Uint8Array; accept?: Uint8Array; token?: string }): Promise<number> => {
      const answer = await api.app.inject({
        method: 'POST',
        url: '/v1/claims/accepted',
        headers: { authorization: `Bearer ${change.token ?? token}` },
        payload: {
          claim: toBase64(change.claim ?? claim.bytes),
          accept: toBase64(change.accept ?? accept?.bytes ?? claim.bytes),
        },
      });
      return answer.statusCode;
    };
    const stranger = new CameraWorld({ cloud: api.receiptSigner });
    expect(await handIn({ token: (await api.session(stranger.owner)).token })).toBe(403);
    // An accept of another claim, of another camera, of no camera; a claim for another cloud.
    const [other] = world.chain(world.claim(3, previous), 0);
    expect(await handIn({ accept: other?.bytes ?? claim.bytes })).toBe(403);
    const [theirs] = stranger.chain(stranger.claim(3, previous), 0);
    expect(await handIn({ accept: theirs?.bytes ?? claim.bytes })).toBe(403);
    expect(await handIn({ accept: claim.bytes })).toBe(400);
    const elsewhere = world.claim(3, previous, { receiptKeys: [new CameraWorld().cloud.publicKey] });
    const [answer] = world.chain(elsewhere, 0);
    expect(await handIn({ claim: elsewhere.bytes, accept: answer?.bytes ?? claim.bytes })).toBe(409);
    expect((await api.get('/v1/cameras', token)).body).toEqual({ cameras: [] });

    expect(await handIn({})).toBe(204);
    expect(await handIn({})).toBe(204);
    expect((await api.get('/v1/cameras', token)).body).toMatchObject({ cameras: [{ epoch: 3 }] });
    // An earlier epoch would undo what came after it.
    const earlier = world.claim(2, previous);
    const [first] = world.chain(earlier, 0);
    expect(await handIn({ claim: earlier.bytes, accept: first?.bytes ?? claim.bytes })).toBe(409);
  });

  it('let only the owner ask a camera for an offer', async () => {
    const api = await ApiWorld.open();
    const member = new CameraWorld({ cloud: api.receiptSigner });
    const world = new CameraWorld({ cloud: api.receiptSigner });
    const own = await stored(api, world, { recipients: [world.recipient, member.recipient] });
    const stranger = await stored(api);
    const requestOffer = (token: string): Promise<number> =>
      api.app
        .inject({
          method: 'POST',
          url: `/v1/devices/${toHex(own.world.deviceId)}/offer-request`,
          headers: { authorization: `Bearer ${token}` },
        })
        .then(({ statusCode }) => statusCode);
    expect(await requestOffer(stranger.token)).toBe(404);
    // A member reads this camera, but may not ask: else it could ask so often that the owner never gets rid of it.
    const { token } = await api.session(member.owner);
    expect((await api.get('/v1/cameras', token)).body).toMatchObject({ cameras: [{ epoch: 1 }] });
    expect(await requestOffer(token)).toBe(404);
    expect(api.sentDown).toEqual([]);
    expect(await requestOffer(own.token)).toBe(202);
    expect(api.counters.get('alarms')).toBe(0);
    expect(decodeDown(api.sentDown[0]?.payload ?? new Uint8Array(0))).toEqual({ type: 'offer-request' });
  });
});

describe('account', () => {
  it('is exported in one file that can be verified by itself', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    await stored(api);
    await api.get(mediaUrl(own), own.token);
    const { raw } = await api.get('/v1/account/export', own.token);
    const lines = raw.toString('utf8').trim().split('\n');
    const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types.slice(0, 4)).toEqual(['export', 'claim', 'record', 'record']);
    // The read of the picture. The export's own line is in the log after it, once for the whole range.
    expect(types.slice(4)).toEqual(['access', 'receipt']);
    const log = await api.store.access.ofReadable(own.world.owner.publicKey, 10);
    expect(log.filter(({ what }) => what === 'export')).toMatchObject([{ fromSeq: 0, toSeq: 1, mediaId: null }]);
    api.clock.advance(1000);
    const second = (await api.get('/v1/account/export', own.token)).raw.toString('utf8').trim().split('\n');
    expect(second.filter((line) => line.includes('"type":"access"'))).toHaveLength(2);
    expect(verifyExport(nodeSuite, lines)).toEqual({ verdicts: { intact: 2 }, problems: [], deletedEpochs: 0 });
    const corrupted = lines.map((line) => line.replace('"header":"', '"header":"AAAA'));
    expect(verifyExport(nodeSuite, corrupted).problems).toHaveLength(1);
    const without = lines.filter((line) => !line.includes('"claim"'));
    // Both records and their receipt.
    expect(verifyExport(nodeSuite, without).verdicts).toEqual({ foreign: 3 });
  });

  it('is exported without sealed objects that the record does not name', async () => {
    const swapped = await ApiWorld.open((store) => ({
      ...store,
      accounts: {
        ...store.accounts,
        export: async function* (account) {
          for await (const item of store.accounts.export(account)) {
            const swap = (sealed: SealedObject): SealedObject => ({ ...sealed, body: realRandom.bytes(4112) });
            if (item.type !== 'record') yield item;
            else yield { ...item, media: item.media.map(({ id, sealed }) => ({ id, sealed: swap(sealed) })) };
          }
        },
      },
    }));
    const cases = [
      { api: await ApiWorld.open(), pictures: 1 },
      { api: swapped, pictures: 0 },
    ];
    for (const { api, pictures } of cases) {
      const { token } = await stored(api);
      const { raw } = await api.get('/v1/account/export', token);
      expect(raw.toString('utf8').split('"header":').length - 1).toBe(pictures);
      expect(api.counters.get('alarms')).toBe(1 - pictures);
    }
  });
});
