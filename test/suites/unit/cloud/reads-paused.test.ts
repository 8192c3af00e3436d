import { describe, expect, it } from 'vitest';
import { SealcamError } from '../../../../common/errors.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { mediaUrl, stored, type Stored } from '../../../support/worlds/stored-event.js';
import { until } from '../../../support/runner/wait.js';

const SENTENCE = 'We are looking into a fault. Your cameras keep recording.';

function readsOf(own: Stored): string[] {
  return ['/v1/cameras', ApiWorld.recordsUrl(own.world.deviceId), mediaUrl(own), '/v1/account/export', '/v1/access'];
}

const statuses = (api: ApiWorld, own: Stored): Promise<number[]> =>
  Promise.all(readsOf(own).map(async (url) => (await api.get(url, own.token)).status));

const OPEN = [200, 200, 200, 200, 200];
const PAUSED = [503, 503, 503, 503, 503];

describe('the kill switch', () => {
  it.each(['all', 'account'] as const)(
    'for %s shows nothing but its sentence, until reading is resumed',
    async (scope) => {
      const api = await ApiWorld.open();
      const own = await stored(api);
      const other = await stored(api);
      expect(await statuses(api, own)).toEqual(OPEN);
      const account = scope === 'all' ? null : own.world.account;
      await api.store.reads.pause({ account, sentence: SENTENCE, sinceMs: 1 });
      const shown = (await api.store.access.ofReadable(own.world.owner.publicKey, 100)).length;
      expect(await statuses(api, own)).toEqual(PAUSED);
      expect(await statuses(api, other)).toEqual(scope === 'all' ? PAUSED : OPEN);
      for (const url of [...readsOf(own), '/v1/stream']) {
        expect((await api.get(url, own.token)).body).toMatchObject({
          error: { code: 'reads-paused', message: SENTENCE },
        });
      }
      expect(await api.store.access.ofReadable(own.world.owner.publicKey, 100)).toHaveLength(shown);
      await api.store.reads.resume(account, 2);
      expect(await statuses(api, own)).toEqual(OPEN);
    },
  );

  it('that cannot be read shows nothing', async () => {
    let broken = false;
    const api = await ApiWorld.open((store) => ({
      ...store,
      reads: {
        ...store.reads,
        pauseOf: (accounts) =>
          broken ? Promise.reject(new SealcamError('store-unavailable', 'no answer')) : store.reads.pauseOf(accounts),
      },
    }));
    const own = await stored(api);
    expect(await statuses(api, own)).toEqual(OPEN);
    broken = true;
    expect(await statuses(api, own)).toEqual(PAUSED);
  });

  it('ends an open stream at its next record, and an idle one at its next ping', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const busy = await api.stream(own.token);
    const idle = await api.stream(own.token);
    await until('both are open', () => busy.events.length === 1 && idle.events.length === 1);
    await api.store.reads.pause({ account: null, sentence: SENTENCE, sinceMs: 1 });
    const { world, claim } = own;
    const record = world.record(claim, 5, new Uint8Array(32), { kind: 'scene', scene: { class: 'stall' } });
    await api.store.records.put(record, [], api.clock.wallMs());
    api.feed.publish({ type: 'record', device: world.deviceId, epoch: 1, seq: 5 });
    api.clock.advance(15_000);
    await until('both have ended', () => busy.isEnded && idle.isEnded);
    expect([busy.summaries, idle.summaries]).toEqual([
      ['ready', 'paused'],
      ['ready', 'paused'],
    ]);
    expect(JSON.parse(idle.events[1]?.data ?? '')).toMatchObject({ code: 'reads-paused', message: SENTENCE });
    expect(await api.store.access.ofReadable(world.owner.publicKey, 10)).toEqual([]);
  });

  it("leaves a member's own cameras open while a paused account's are hidden, with a notice", async () => {
    const api = await ApiWorld.open();
    const household = new CameraWorld({ cloud: api.receiptSigner });
    const own = await stored(api);
    const member = { x25519: nodeSuite.x25519PublicKey(realRandom.bytes(32)), ed25519: own.world.owner.publicKey };
    const householdRecipients = household.claim().value.recipients;
    const claim = household.claim(1, null, { recipients: [...householdRecipients, member] });
    const accept = household.record(claim, 0, claim.hash, { kind: 'accept' });
    await api.store.claims.accept(claim, accept, api.clock.wallMs());
    const devices = async (): Promise<string[]> =>
      ((await api.get('/v1/cameras', own.token)).body as { cameras: { device: string }[] }).cameras.map(
        ({ device }) => device,
      );
    expect(await devices()).toHaveLength(2);
    const stream = await api.stream(own.token);
    await api.store.reads.pause({ account: household.account, sentence: SENTENCE, sinceMs: 1 });
    expect(await devices()).toEqual([toHex(own.world.deviceId)]);
    expect((await api.get(ApiWorld.recordsUrl(household.deviceId), own.token)).status).toBe(503);
    api.feed.publish({ type: 'record', device: household.deviceId, epoch: 1, seq: 0 });
    api.clock.advance(15_000);
    await until('the notice arrives', () => stream.events.length === 2);
    await api.store.reads.resume(household.account, 2);
    api.clock.advance(15_000);
    await until('the notice is withdrawn', () => stream.events.length === 3);
    expect(stream.events.map(({ event, data }) => [event, JSON.parse(data) as unknown])).toEqual([
      ['ready', {}],
      ['notice', { notice: SENTENCE }],
      ['notice', { notice: null }],
    ]);
    expect(await devices()).toHaveLength(2);
  });
});
