import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../../../common/bytes.js';
import { Counters } from '../../../../common/counters.js';
import { SealcamError } from '../../../../common/errors.js';
import { silentLog } from '../../../../common/log.js';
import { loadCloudConfig } from '../../../../cloud/main/config.js';
import { Ingest } from '../../../../cloud/ingest/ingest.js';
import { MakerList } from '../../../../cloud/trust/maker-list.js';
import type { CloudStore } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Revocation } from '../../../../protocol/objects/revocation.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import { decodeDown, encodeUp } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { ApiWorld } from '../../../support/worlds/api-world.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { offerOf } from '../../../support/worlds/cloud-world.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { mediaUrl, stored, type Stored } from '../../../support/worlds/stored-event.js';
import { until } from '../../../support/runner/wait.js';
import { DAY_MS, listOf, maker, MakerListWorld } from '../../../support/worlds/maker-list-world.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

describe("the maker's list at ingest", () => {
  it('revokes a device: its messages are refused with an alarm, and nothing is receipted or answered', async () => {
    const cloud = new MakerListWorld(0);
    await cloud.accepts();
    // The control: before the list its record is receipted.
    expect(await cloud.record()).toEqual(['receipt']);
    await cloud.store.revocations.put(listOf(maker, { entries: [{ device: cloud.world.deviceId }] }), 1);
    expect(await cloud.record()).toEqual([]);
    const offer = offerOf(cloud.world, { lastEpoch: 1, lastClaimHash: cloud.claim.hash });
    await cloud.up({ type: 'offer', offer: offer.bytes });
    await cloud.accepts();
    expect(cloud.sent).toEqual([]);
    expect(await cloud.store.claims.offer(cloud.world.deviceId)).toBeUndefined();
    expect(await cloud.store.alarms.since(0, 9)).toMatchObject(
      Array.from({ length: 3 }, () => ({ place: 'ingest', verdict: 'revoked' })),
    );
  });

  it('keeps a device revoked that a newer list omits', async () => {
    const cloud = new MakerListWorld(0);
    await cloud.accepts();
    await cloud.store.revocations.put(listOf(maker, { entries: [{ device: cloud.world.deviceId }] }), 1);
    await cloud.store.revocations.put(listOf(maker, { listVersion: 2 }), 2);
    expect(await cloud.record()).toEqual([]);
  });

  it('stops everything while it is missing, too old or from the future, where an age limit is set', async () => {
    const cloud = new MakerListWorld(DAY_MS);
    const put = async (listVersion: number, issuedAtMs: number): Promise<void> => {
      await cloud.store.revocations.put(listOf(maker, { listVersion, issuedAtMs }), 1);
    };
    await cloud.accepts();
    expect(cloud.sent).toEqual([]);
    await put(1, cloud.clock.wallMs() - DAY_MS - 1);
    expect(await cloud.record()).toEqual([]);
    await put(2, cloud.clock.wallMs() + DAY_MS);
    expect(await cloud.record()).toEqual([]);
    expect(cloud.counters.get('ingest.revocation-stale')).toBe(3);
    await put(3, cloud.clock.wallMs());
    await cloud.accepts();
    expect(await cloud.record()).toEqual(['receipt']);
    cloud.clock.advance(DAY_MS + 1);
    expect(await cloud.record()).toEqual([]);
  });

  it('is verified again when its bytes change', async () => {
    const clock = new VirtualClock();
    const good = listOf(maker, { issuedAtMs: clock.wallMs() });
    let bytes = good.bytes;
    const store = {
      revocations: {
        newest: () => Promise.resolve({ list: bytes, storedAtMs: 0 }),
        isRevoked: () => Promise.resolve(false),
      },
    } as unknown as CloudStore;
    const list = new MakerList(
      { key: maker.publicKey, maxAgeMs: DAY_MS },
      { store, clock, suite: nodeSuite, log: silentLog },
    );
    expect(await asyncCodeOf(() => list.check())).toBe('accepted');
    bytes = good.bytes.slice();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(await asyncCodeOf(() => list.check())).toBe('revocation-stale');
    bytes = listOf(new CameraWorld().owner, { issuedAtMs: clock.wallMs() }).bytes;
    expect(await asyncCodeOf(() => list.check())).toBe('revocation-stale');
    bytes = good.bytes;
    expect(await asyncCodeOf(() => list.check())).toBe('accepted');
  });

  it('needs the key that signs it where an age limit is set', () => {
    const environment = { SEALCLOUD_REVOCATION_MAKER_MAX_AGE: '1 d' };
    expect(codeOf(() => loadCloudConfig({ file: null, environment }))).toBe('config-invalid-value');
    const key = { SEALCLOUD_REVOCATION_MAKER_KEY: 'ab'.repeat(32) };
    expect(codeOf(() => loadCloudConfig({ file: null, environment: { ...environment, ...key } }))).toBe('accepted');
  });
});

const statusOf = async (api: ApiWorld, own: Stored): Promise<number[]> =>
  Promise.all(
    [ApiWorld.recordsUrl(own.world.deviceId), mediaUrl(own)].map(async (url) => (await api.get(url, own.token)).status),
  );

describe("the maker's list at a read", () => {
  it('hides a revoked device and no other, also from an open stream', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const other = await stored(api);
    const stream = await api.stream(own.token);
    expect(await statusOf(api, own)).toEqual([200, 200]);
    await api.store.revocations.put(listOf(maker, { entries: [{ device: own.world.deviceId }] }), 1);
    expect(await statusOf(api, own)).toEqual([404, 404]);
    expect(await statusOf(api, other)).toEqual([200, 200]);
    expect((await api.get('/v1/cameras', own.token)).body).toEqual({ cameras: [] });
    expect((await api.get('/v1/account/export', own.token)).raw.toString()).not.toContain('"type":"record"');
    api.feed.publish({ type: 'record', device: own.world.deviceId, epoch: 1, seq: 1 });
    api.clock.advance(15_000);
    await until('the stream handled the item', () => stream.events.length === 1 && !stream.isEnded);
    expect(api.counters.get('alarms')).toBe(0);
  });

  it('shows nothing while it is not current', async () => {
    const stale = (): Promise<never> => Promise.reject(new SealcamError('revocation-stale', 'too old'));
    const makerList = { check: stale, isRevoked: stale } as unknown as MakerList;
    const api = await ApiWorld.open((store) => store, { makerList });
    const own = await stored(api);
    expect(await statusOf(api, own)).toEqual([503, 503]);
    for (const url of ['/v1/cameras', '/v1/stream', '/v1/account/export', '/v1/access']) {
      expect((await api.get(url, own.token)).body).toMatchObject({ error: { code: 'revocation-stale' } });
    }
  });
});

describe("an owner's list", () => {
  const send = async (
    api: ApiWorld,
    token: string,
    list: Verified<Revocation>,
  ): Promise<{ status: number; body: unknown }> => {
    const headers = { authorization: `Bearer ${token}` };
    const payload = { list: toBase64(list.bytes) };
    const answer = await api.app.inject({ method: 'POST', url: '/v1/revocations', headers, payload });
    return { status: answer.statusCode, body: answer.json() };
  };

  it('ends own epochs for good, for reads, records and repeated accepts', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const other = await stored(api);
    const entries = [{ device: own.world.deviceId, epoch: 1 }];
    const list = listOf(own.world.owner, { scope: 'owner', listVersion: 3, entries });
    expect(await statusOf(api, own)).toEqual([200, 200]);
    expect(await send(api, own.token, list)).toEqual({ status: 200, body: { version: 3, entries: 1 } });
    expect((await send(api, own.token, list)).status).toBe(200);
    expect(await statusOf(api, own)).toEqual([404, 404]);
    expect(await statusOf(api, other)).toEqual([200, 200]);

    const counters = new Counters();
    const sent: string[] = [];
    const ingest = new Ingest({
      store: api.store,
      suite: nodeSuite,
      clock: api.clock,
      log: silentLog,
      counters,
      pacing: () => null,
      receiptSigner: api.receiptSigner,
      onStored: () => undefined,
      onStatus: () => undefined,
      publish: (_, payload) => sent.push(decodeDown(payload).type),
    });
    const sendAccept = (camera: Stored): Promise<void> => {
      const { world, claim } = camera;
      const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
      const topic = topicOf(world.deviceId, 'up');
      return ingest.handleMessage(topic, encodeUp({ type: 'accept', claim: claim.bytes, record: accept.bytes }));
    };
    const next = own.world.record(own.claim, 2, own.last.hash, { kind: 'scene', scene: { class: 'stall' } });
    const message = encodeUp({ type: 'records', records: [{ record: next.bytes, media: [] }] });
    await ingest.handleMessage(topicOf(own.world.deviceId, 'up'), message);
    await sendAccept(own);
    expect([sent, counters.get('refused.revoked')]).toEqual([[], 2]);
    // The control: an epoch that is not revoked has its accept receipted again.
    await sendAccept(other);
    expect(sent).toEqual(['receipt']);
  });

  it('is refused from another signer, for epochs of another owner, with an old version, or without entries', async () => {
    const api = await ApiWorld.open();
    const own = await stored(api);
    const other = await stored(api);
    const { owner } = own.world;
    const entries = [{ device: own.world.deviceId, epoch: 1 }];
    const theirs = [{ device: other.world.deviceId, epoch: 1 }];
    const code = async (list: Verified<Revocation>): Promise<unknown> =>
      ((await send(api, own.token, list)).body as { error?: { code: string } }).error?.code ?? 'accepted';
    expect(await code(listOf(other.world.owner, { scope: 'owner', entries: theirs }))).toBe('foreign');
    expect(await code(listOf(owner, { scope: 'owner', entries: theirs }))).toBe('foreign');
    expect(await code(listOf(owner, { entries: [{ device: other.world.deviceId }] }))).toBe('foreign');
    expect(await code(listOf(owner, { scope: 'owner', entries: [] }))).toBe('request-invalid');
    expect(await statusOf(api, own)).toEqual([200, 200]);
    expect(await statusOf(api, other)).toEqual([200, 200]);
    expect(await code(listOf(owner, { scope: 'owner', listVersion: 9, entries }))).toBe('accepted');
    expect(await code(listOf(owner, { scope: 'owner', listVersion: 8, entries }))).toBe('revocation-rollback');
    const full = Array.from({ length: 1024 }, () => entries[0] ?? { device: own.world.deviceId, epoch: 1 });
    expect(await code(listOf(owner, { scope: 'owner', listVersion: 10, entries: full }))).toBe('accepted');
  });
});
