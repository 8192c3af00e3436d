import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { SealcamError } from '../../../../common/errors.js';
import { accountId } from '../../../../protocol/objects/ids.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { crossed } from '../../../support/worlds/crossed-store.js';
import { mediaUrl, stored } from '../../../support/worlds/stored-event.js';

const reportBody = { verdict: 'foreign', code: 'foreign', device: 'ab'.repeat(32), epoch: 3 };

async function report(api: ApiWorld, token: string, payload: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await api.app.inject({ method: 'POST', url: '/v1/alarms', headers, payload })).statusCode;
}

describe('an alarm', () => {
  it('at a read names the reader, and keeps the claim that does not name that reader in the quarantine', async () => {
    const api = await ApiWorld.open(crossed);
    const victim = await stored(api);
    const stranger = new CameraWorld().owner;
    const { token } = await api.session(stranger);
    expect((await api.get(mediaUrl(victim), token)).status).toBe(404);
    const [alarm] = await api.store.alarms.since(0, 10);
    expect(alarm).toMatchObject({
      place: 'read',
      verdict: 'foreign',
      device: victim.world.deviceId,
      epoch: 1,
      reader: accountId(nodeSuite, stranger.publicKey),
      atMs: api.clock.wallMs(),
    });
    const [entry] = await api.store.quarantine.newest(1);
    expect(entry).toMatchObject({ id: alarm?.quarantineId, bytes: victim.claim.bytes });
    // The control: with an intact mapping, the owner reads the same kind of record without an alarm.
    const right = await ApiWorld.open();
    const own = await stored(right);
    expect((await right.get(mediaUrl(own), own.token)).status).toBe(200);
    expect(await right.store.alarms.since(0, 10)).toEqual([]);
  });

  it('is stored for a bounded number of refusals a minute, and counted for all', async () => {
    const api = await ApiWorld.open(crossed);
    const victim = await stored(api);
    const { token } = await api.session(new CameraWorld().owner);
    for (let i = 0; i < 40; i++) await api.get(ApiWorld.recordsUrl(victim.world.deviceId), token);
    expect(api.counters.get('alarms.read')).toBe(40);
    expect(await api.store.alarms.since(0, 999)).toHaveLength(30);
    api.clock.advance(60_000);
    await api.get(mediaUrl(victim), token);
    expect(await api.store.alarms.since(0, 999)).toHaveLength(31);
  });

  it('that cannot be stored still leaves the read refused', async () => {
    const api = await ApiWorld.open((store) => ({
      ...crossed(store),
      alarms: { ...store.alarms, put: () => Promise.reject(new SealcamError('store-unavailable', 'full')) },
    }));
    const victim = await stored(api);
    const { token } = await api.session(new CameraWorld().owner);
    expect((await api.get(ApiWorld.recordsUrl(victim.world.deviceId), token)).status).toBe(404);
    expect(api.counters.get('alarms.read')).toBe(1);
  });

  it('from a page holds verdict, camera and reader, and nothing else', async () => {
    const api = await ApiWorld.open();
    const { token, world } = await stored(api);
    const { owner } = world;
    expect(await report(api, token, reportBody)).toBe(202);
    expect(await report(api, token, { ...reportBody, verdict: 'older-history', device: null, epoch: null })).toBe(202);
    expect(await api.store.alarms.since(0, 10)).toMatchObject([
      { place: 'app', verdict: 'older-history', device: null, quarantineId: null },
      { place: 'app', verdict: 'foreign', reason: 'foreign', epoch: 3, reader: accountId(nodeSuite, owner.publicKey) },
    ]);
    expect(await api.store.quarantine.count()).toBe(0);
    for (const wrong of [
      { ...reportBody, verdict: 'nice' },
      { ...reportBody, code: 'a sentence, with a name in it' },
      { ...reportBody, device: 'ab' },
      { ...reportBody, message: 'more' },
      {},
    ]) {
      expect(await report(api, token, wrong)).toBe(400);
    }
    expect(await report(api, 'none', reportBody)).toBe(401);
  });

  it('from pages of strangers is stored a hundred times a day in all, and counted for all', async () => {
    const api = await ApiWorld.open();
    for (let i = 0; i < 4; i++) {
      const { token } = await api.session(new CameraWorld().owner);
      api.clock.advance(60_000);
      const headers = { authorization: `Bearer ${token}` };
      const remoteAddress = `192.0.2.${String(i)}`;
      const request = { method: 'POST', url: '/v1/alarms', headers, payload: reportBody, remoteAddress } as const;
      for (let j = 0; j < 30; j++) expect((await api.app.inject(request)).statusCode).toBe(202);
    }
    expect([api.counters.get('alarms.app'), api.counters.get('shares.alarms-of-strangers')]).toEqual([120, 20]);
    expect(await api.store.alarms.since(0, 999)).toHaveLength(100);
    // The control: a reader of a camera has a share of her own.
    expect(await report(api, (await stored(api)).token, reportBody)).toBe(202);
    expect(await api.store.alarms.since(0, 999)).toHaveLength(101);
  });

  it('from a flooding page is bounded', async () => {
    const api = await ApiWorld.open();
    const { token } = await stored(api);
    const answers = new Set<number>();
    for (let i = 0; i < 100; i++) {
      answers.add(await report(api, token, { ...reportBody, device: toHex(realRandom.bytes(32)) }));
    }
    expect([...answers]).toEqual([202, 429]);
    expect(await api.store.alarms.since(0, 999)).toHaveLength(30);
  });
});
