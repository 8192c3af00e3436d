import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { sessionKind } from '../../../../protocol/objects/session.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { DAY_MS } from '../../../../cloud/store/rows.js';
import type { RecordStore } from '../../../../cloud/store/store.js';
import { ApiWorld, CLOUD, PAGE } from '../../../support/worlds/api-world.js';
import { HEALTH } from '../../../support/worlds/cloud-world.js';
import { crossed } from '../../../support/worlds/crossed-store.js';
import { mediaUrl, stored } from '../../../support/worlds/stored-event.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

type FoundMedia = NonNullable<Awaited<ReturnType<RecordStore['media']>>>;

describe('sessions', () => {
  it('open for the key that signed the challenge', async () => {
    const api = await ApiWorld.open();
    const { status, token } = await api.session(new CameraWorld().owner);
    expect(status).toBe(200);
    expect((await api.get('/v1/cameras', token)).body).toEqual({ cameras: [] });
  });

  it('are refused without a token, with a wrong token, and after they expired', async () => {
    const api = await ApiWorld.open();
    const { token } = await api.session(new CameraWorld().owner);
    for (const wrong of ['', 'x', toBase64(realRandom.bytes(32))]) {
      expect((await api.get('/v1/cameras', wrong)).status).toBe(401);
    }
    api.clock.advance(3_600_001);
    expect((await api.get('/v1/cameras', token)).status).toBe(401);
  });

  it('are not opened with a challenge that is replayed, expired, for another cloud or for another page', async () => {
    const api = await ApiWorld.open();
    const { owner } = new CameraWorld();
    expect((await api.session(owner, { cloudOrigin: 'https://evil.example' })).status).toBe(401);
    expect((await api.session(owner, { pageOrigin: 'https://evil.example' })).status).toBe(401);
    expect((await api.session(owner, { nonce: realRandom.bytes(32) })).status).toBe(401);
    expect((await api.session(owner, { expiresAtMs: 9e12 })).status).toBe(401);
    expect((await api.session(owner, {}, { origin: 'https://evil.example' })).status).toBe(401);
    expect((await api.session(owner, {}, { origin: PAGE })).status).toBe(200);

    const challenge = (await api.app.inject({ method: 'POST', url: '/v1/session/challenge' })).json<{
      nonce: string;
      expiresAtMs: number;
    }>();
    const nonce = new Uint8Array(Buffer.from(challenge.nonce, 'hex'));
    const signed = signObject(sessionKind, nodeSuite, owner, {
      cloudOrigin: CLOUD,
      pageOrigin: PAGE,
      nonce,
      expiresAtMs: challenge.expiresAtMs,
    });
    expect((await api.answer(signed.bytes)).status).toBe(200);
    expect((await api.answer(signed.bytes)).status).toBe(401);

    const late = (await api.app.inject({ method: 'POST', url: '/v1/session/challenge' })).json<{
      nonce: string;
      expiresAtMs: number;
    }>();
    api.clock.advance(60_001);
    const old = signObject(sessionKind, nodeSuite, owner, {
      cloudOrigin: CLOUD,
      pageOrigin: PAGE,
      expiresAtMs: late.expiresAtMs,
      nonce: new Uint8Array(Buffer.from(late.nonce, 'hex')),
    });
    expect((await api.answer(old.bytes)).status).toBe(401);
  });

  it('end when the page ends them', async () => {
    const api = await ApiWorld.open();
    const { token } = await api.session(new CameraWorld().owner);
    await api.app.inject({ method: 'DELETE', url: '/v1/session', headers: { authorization: `Bearer ${token}` } });
    expect((await api.get('/v1/cameras', token)).status).toBe(401);
  });
});

describe('reading', () => {
  it("shows an owner's camera, records and sealed media to that owner", async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const cameras = (await api.get('/v1/cameras', own.token)).body as {
      cameras: { device: string; highestSeq: number }[];
    };
    expect(cameras.cameras).toMatchObject([
      { device: toHex(own.world.deviceId), epoch: 1, highestSeq: 1, state: 'open', incomplete: false },
    ]);
    const { body } = await api.get(ApiWorld.recordsUrl(own.world.deviceId), own.token);
    expect(body).toMatchObject({
      records: [
        { seq: 1, verdict: 'intact', media: [{ available: true }] },
        { seq: 0, verdict: 'intact', media: [] },
      ],
      lowestSeq: 0,
      highestSeq: 1,
    });
    const media = await api.get(mediaUrl(own), own.token);
    expect(media.status).toBe(200);
    expect(media.raw.length).toBeGreaterThan(4200);
  });

  it('shows nothing to a stranger, with the same answer as for a camera that does not exist', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const stranger = await stored(api);
    for (const url of [ApiWorld.recordsUrl(own.world.deviceId), mediaUrl(own)]) {
      const refused = await api.get(url, stranger.token);
      expect(refused).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } });
      expect(refused.body).toEqual(
        (await api.get(url.replace(toHex(own.world.deviceId), 'ab'.repeat(32)), stranger.token)).body,
      );
    }
    // A media id alone opens nothing: it is requested under the path of another camera.
    const foreignUrl = mediaUrl({ ...own, world: stranger.world });
    expect((await api.get(foreignUrl, stranger.token)).status).toBe(404);
  });

  it('says from when on the access log is here, in the log and in the export', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const said = async (): Promise<readonly unknown[]> => {
      const { archivedBeforeMs } = (await api.get('/v1/access', own.token)).body as { archivedBeforeMs: unknown };
      const [head = ''] = (await api.get('/v1/account/export', own.token)).raw.toString('utf8').split('\n');
      return [archivedBeforeMs, (JSON.parse(head) as { accessArchivedBeforeMs: unknown }).accessArchivedBeforeMs];
    };
    expect(await said()).toEqual([null, null]);
    await api.store.access.noteArchived(99);
    expect(await said()).toEqual([100 * DAY_MS, 100 * DAY_MS]);
  });

  it('writes the access log before it answers, and answers with an error if it cannot', async () => {
    let broken = false;
    const api = await ApiWorld.open((store) => ({
      ...store,
      access: {
        ...store.access,
        append: (entries) => (broken ? Promise.reject(new Error('full')) : store.access.append(entries)),
      },
    }));
    const own = await stored(api);
    await api.get(ApiWorld.recordsUrl(own.world.deviceId), own.token);
    await api.get(mediaUrl(own), own.token);
    const { body } = await api.get('/v1/access', own.token);
    expect((body as { entries: object[] }).entries).toMatchObject([
      { what: 'media', reader: toHex(own.world.owner.publicKey), mediaId: toHex(own.media.id) },
      { what: 'records', fromSeq: 0, toSeq: 1 },
    ]);
    broken = true;
    expect((await api.get(ApiWorld.recordsUrl(own.world.deviceId), own.token)).status).toBe(500);
    expect((await api.get(mediaUrl(own), own.token)).status).toBe(500);
  });

  it('verifies at read: a mixed-up row, record or sealed object raises an alarm and is not shown', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const crossedRow = await ApiWorld.open(crossed);
    const victim = await stored(crossedRow);
    const thief = (await crossedRow.session(new CameraWorld().owner)).token;
    expect((await crossedRow.get(ApiWorld.recordsUrl(victim.world.deviceId), thief)).status).toBe(404);
    const { body } = await crossedRow.get(ApiWorld.recordsUrl(victim.world.deviceId), victim.token);
    expect(body).toMatchObject({ records: [] });
    expect((await crossedRow.get(mediaUrl(victim), thief)).status).toBe(404);
    expect(crossedRow.counters.get('alarms')).toBeGreaterThanOrEqual(2);
    expect(await crossedRow.store.quarantine.count()).toBeGreaterThanOrEqual(2);

    for (const wrong of [
      ({ sealed, seq }: FoundMedia) => ({ seq, sealed: { ...sealed, body: realRandom.bytes(4112) } }),
      // That of another record, which does not name it.
      ({ sealed }: FoundMedia) => ({ seq: 0, sealed }),
    ]) {
      const crossedMedia = await ApiWorld.open((store) => ({
        ...store,
        records: {
          ...store.records,
          media: async (device, epoch, id) => {
            const found = await store.records.media(device, epoch, id);
            return found === undefined ? undefined : wrong(found);
          },
        },
      }));
      const swapped = await stored(crossedMedia);
      expect((await crossedMedia.get(mediaUrl(swapped), swapped.token)).status).toBe(404);
      expect(crossedMedia.counters.get('alarms')).toBe(1);
    }
    // The control: with an intact store, the same picture is shown.
    expect((await api.get(mediaUrl(own), own.token)).status).toBe(200);
  });

  it('lets the signed claim decide who may read, not the table of members', async () => {
    const wrong = await ApiWorld.open((store) => ({
      ...store,
      claims: { ...store.claims, isMember: () => Promise.resolve(true) },
    }));
    const victim = await stored(wrong);
    const thief = (await wrong.session(new CameraWorld().owner)).token;
    expect((await wrong.get(ApiWorld.recordsUrl(victim.world.deviceId), thief)).status).toBe(404);
    expect((await wrong.get(mediaUrl(victim), thief)).status).toBe(404);
    expect(wrong.counters.get('alarms.read')).toBe(2);
    // The control: with the same table the owner may read.
    expect((await wrong.get(mediaUrl(victim), victim.token)).status).toBe(200);

    let victimKey: Uint8Array | null = null;
    const lists = await ApiWorld.open((store) => ({
      ...store,
      claims: { ...store.claims, readableBy: (key) => store.claims.readableBy(victimKey ?? key) },
    }));
    const own = await stored(lists);
    const other = await stored(lists);
    expect((await lists.get('/v1/cameras', own.token)).body).toMatchObject({ cameras: [{ epoch: 1 }] });
    victimKey = other.world.owner.publicKey;
    expect((await lists.get('/v1/cameras', own.token)).body).toEqual({ cameras: [] });
    expect(await lists.store.alarms.since(0, 9)).toMatchObject([{ verdict: 'foreign', device: other.world.deviceId }]);
  });

  it('lists the claim alone of a camera whose household the person has not accepted', async () => {
    const api = await ApiWorld.open();
    const person = new CameraWorld();
    const camera = new CameraWorld({ cloud: api.receiptSigner });
    const family = await stored(api, camera, { recipients: [camera.recipient, person.recipient] });
    const { claim, world } = family;
    const list = async (accepted: readonly Uint8Array[]): Promise<unknown> =>
      (await api.get('/v1/cameras', (await api.session(person.owner, {}, {}, accepted)).token)).body;
    const signed = { device: toHex(world.deviceId), epoch: 1, claim: toBase64(claim.bytes), state: 'open' };
    const nothing = { online: null, lastReceivedAtMs: null, incomplete: false, highestSeq: null, health: null };
    expect(await list([])).toMatchObject({ cameras: [{ ...signed, ...nothing }] });
    // The control: accepted, it is listed whole.
    expect(await list([claim.value.account])).toMatchObject({ cameras: [{ ...signed, highestSeq: 1 }] });
  });

  it('leaves a health record that does not verify out of the list of cameras', async () => {
    const other = new CameraWorld();
    const theirs = other.record(other.claim(), 2, new Uint8Array(32), { kind: 'health', health: HEALTH });
    const wrong = await ApiWorld.open((store) => ({
      ...store,
      records: {
        ...store.records,
        latestHealth: async (device, epoch) => {
          const found = await store.records.latestHealth(device, epoch);
          return found === undefined ? undefined : { ...found, bytes: theirs.bytes };
        },
      },
    }));
    const cases = [
      { api: await ApiWorld.open(), isShown: true },
      { api: wrong, isShown: false },
    ];
    for (const { api, isShown } of cases) {
      const { world, claim, last, token } = await stored(api);
      const own = world.record(claim, 2, last.hash, { kind: 'health', health: HEALTH });
      await api.store.records.put(own, [], api.clock.wallMs());
      const { body } = await api.get('/v1/cameras', token);
      expect(body).toMatchObject({ cameras: [{ health: isShown ? toBase64(own.bytes) : null }] });
      expect(api.counters.get('alarms')).toBe(isShown ? 0 : 1);
    }
  });

  it('refuses malformed requests', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const base = ApiWorld.recordsUrl(own.world.deviceId);
    for (const url of [
      `${base}?limit=0`,
      `${base}?limit=9999`,
      `${base}?before=-1`,
      base.replace(/[0-9a-f]{64}/, 'XY'),
      base.replace('/1/', '/0/'),
    ]) {
      expect(await api.get(url, own.token)).toMatchObject({
        status: 400,
        body: { error: { code: 'request-invalid' } },
      });
    }
    expect((await api.get('/v1/nothing', own.token)).status).toBe(404);
    const huge = await api.app.inject({
      method: 'POST',
      url: '/v1/session',
      payload: { session: 'A'.repeat(100_000) },
    });
    expect(huge.statusCode).toBe(413);
    const noJson = await api.app.inject({
      method: 'POST',
      url: '/v1/session',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    });
    expect(noJson.statusCode).toBe(400);
  });

  it('lets only listed origins read, and forbids caching', async () => {
    const api = await ApiWorld.open();
    const from = (origin: string): Promise<string | undefined> =>
      api.app
        .inject({ method: 'GET', url: '/v1/info', headers: { origin } })
        .then(({ headers }) => headers['access-control-allow-origin']);
    expect(await from(PAGE)).toBe(PAGE);
    expect(await from('https://evil.example')).toBeUndefined();
    const { headers } = await api.app.inject({ method: 'GET', url: '/v1/info' });
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('lets a browser keep the answer to a preflight, for a listed origin', async () => {
    const api = await ApiWorld.open();
    const preflight = (origin: string) =>
      api.app.inject({
        method: 'OPTIONS',
        url: '/v1/cameras',
        headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
      });
    const { statusCode, headers } = await preflight(PAGE);
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({ 'access-control-allow-origin': PAGE, 'access-control-max-age': '7200' });
    expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('describes every path in OpenAPI', async () => {
    const api = await ApiWorld.open();
    const { paths } = (await api.app.inject({ method: 'GET', url: '/v1/openapi.json' })).json<{ paths: object }>();
    expect(Object.keys(paths).sort()).toEqual([
      '/v1/access',
      '/v1/account',
      '/v1/account/export',
      '/v1/account/restore',
      '/v1/alarms',
      '/v1/cameras',
      '/v1/cameras/{device}/{epoch}/kem-keys',
      '/v1/cameras/{device}/{epoch}/media/{id}',
      '/v1/cameras/{device}/{epoch}/receipts',
      '/v1/cameras/{device}/{epoch}/records',
      '/v1/claims',
      '/v1/claims/accepted',
      '/v1/deletions',
      '/v1/deletions/undo',
      '/v1/devices/{device}/commands',
      '/v1/devices/{device}/epochs/{epoch}/periods/{period}',
      '/v1/devices/{device}/looks',
      '/v1/devices/{device}/looks/renewals',
      '/v1/devices/{device}/offer',
      '/v1/devices/{device}/offer-request',
      '/v1/heads',
      '/v1/info',
      '/v1/kem-keys/{hash}',
      '/v1/media/{device}/{epoch}/{hash}',
      '/v1/push',
      '/v1/push/{id}',
      '/v1/revocations',
      '/v1/session',
      '/v1/session/challenge',
      '/v1/settings',
      '/v1/stream',
    ]);
  });
});
