import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import type { ClaimV2 } from '../../../../protocol/objects/claim.js';
import { offerKindV2 } from '../../../../protocol/objects/offer.js';
import type { AnyRecord } from '../../../../protocol/objects/record.js';
import { signObject, versionOf, type Verified } from '../../../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../../../protocol/seal/seal.js';
import { encodeStatus } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { CameraV2 } from '../../../support/worlds/camera-v2.js';
import { CloudWorld, offerOf, scene } from '../../../support/worlds/cloud-world.js';

interface Claimed {
  readonly cloud: CloudWorld;
  readonly camera: CameraV2;
  readonly claim: Verified<ClaimV2>;
  readonly accept: Verified<AnyRecord>;
}

async function claimedV2(cloud = new CloudWorld()): Promise<Claimed> {
  const camera = new CameraV2(cloud.camera());
  const claim = camera.claim();
  const accept = camera.accept(claim);
  const { deviceId } = camera.world;
  await cloud.store.claims.putPending(deviceId, {
    claim: claim.bytes,
    mac: null,
    kemKeys: camera.kemKeys,
    nonce: claim.value.nonce,
    atMs: 0,
  });
  await cloud.up(camera.world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
  return { cloud, camera, claim, accept };
}

/** Sends records and describes what the cloud's receipts say: `stored 1-2`, `rejected 3 malformed`. */
async function answerTo(
  { cloud, camera }: Pick<Claimed, 'cloud' | 'camera'>,
  records: readonly Verified<AnyRecord>[],
  media: readonly (SealedObject | null)[] = [],
): Promise<string> {
  cloud.sent.length = 0;
  await cloud.records(camera.world, [...records], [...media]);
  const said = cloud
    .receipts()
    .flatMap((receipt) => [
      ...receipt.ranges.map(([from, to]) => `v${String(versionOf(receipt))} stored ${String(from)}-${String(to)}`),
      ...(receipt.rejects ?? []).map(
        ([seq, , code]) => `v${String(versionOf(receipt))} rejected ${String(seq)} ${code}`,
      ),
    ]);
  return said.length === 0 ? 'no receipt' : said.join(', ');
}

describe('a claim of version 2', () => {
  it('is stored with its KEM keys when its camera accepts, and receipted in its version', async () => {
    const { cloud, camera, claim, accept } = await claimedV2();
    expect(await cloud.store.claims.row(camera.world.deviceId, 1)).toMatchObject({ version: 2, claimHash: claim.hash });
    const hashes = camera.kemKeys.map((key) => kemHash(nodeSuite, key));
    expect(await cloud.store.claims.kemKeys(hashes)).toEqual(camera.kemKeys);
    expect(cloud.receipts()).toMatchObject([{ version: 2, ranges: [[0, 0, accept.hash]] }]);
  });

  it('goes to its camera with the KEM keys beside it, again at each offer', async () => {
    const cloud = new CloudWorld();
    const camera = new CameraV2(cloud.camera());
    const claim = camera.claim();
    const atMs = cloud.clock.wallMs();
    const pending = { claim: claim.bytes, mac: null, kemKeys: camera.kemKeys, nonce: claim.value.nonce, atMs };
    await cloud.store.claims.putPending(camera.world.deviceId, pending);
    const offer = offerOf(camera.world, { nonce: claim.value.nonce }).bytes;
    await cloud.up(camera.world, { type: 'offer', offer });
    expect(cloud.sent.map(({ message }) => message)).toEqual([
      { type: 'claim', claim: claim.bytes, mac: null, kemKeys: camera.kemKeys },
    ]);
  });

  it('may answer an offer that was made in both versions, which is kept as both', async () => {
    const cloud = new CloudWorld();
    const { world } = new CameraV2(cloud.camera());
    const one = offerOf(world);
    const two = signObject(offerKindV2, nodeSuite, world.device, { ...one.value, version: 2 });
    const both = { offer: one.bytes, offerV2: two.bytes };
    await cloud.up(world, { type: 'offer', ...both });
    expect(await cloud.store.claims.offer(world.deviceId)).toMatchObject(both);
    // One that says different things to old and new pages is kept as neither.
    for (const change of [{ nonce: realRandom.bytes(16) }, { lastEpoch: 1, lastClaimHash: realRandom.bytes(32) }]) {
      const other = signObject(offerKindV2, nodeSuite, world.device, { ...one.value, ...change, version: 2 });
      await cloud.up(world, { type: 'offer', offer: one.bytes, offerV2: other.bytes });
    }
    await cloud.up(world, { type: 'offer', offer: one.bytes, offerV2: one.bytes });
    await cloud.up(world, { type: 'offer', offer: two.bytes, offerV2: two.bytes });
    expect(cloud.counters.snapshot()).toMatchObject({ 'refused.malformed': 2, 'refused.unsupported': 2, offers: 1 });
    expect(await cloud.store.claims.offer(world.deviceId)).toMatchObject(both);
    // The control: the next one, in version 2 alone.
    await cloud.up(world, { type: 'offer', offer: two.bytes });
    expect(await cloud.store.claims.offer(world.deviceId)).toEqual({
      offer: two.bytes,
      atMs: cloud.clock.wallMs(),
    });
  });

  it('is not accepted by a record of version 1, nor one of version 1 by a record of version 2', async () => {
    const cloud = new CloudWorld();
    const camera = new CameraV2(cloud.camera());
    const { world } = camera;
    const claim = camera.claim();
    const first = world.claim();
    const same = { account: world.account, epoch: 1 };
    const old = world.sign({
      ...same,
      kind: 'accept',
      device: world.deviceId,
      claimHash: claim.hash,
      seq: 0,
      prev: claim.hash,
      time: world.time(0),
    });
    await cloud.up(world, { type: 'accept', claim: claim.bytes, record: old.bytes });
    const newer = camera.world.recordV2({ ...claim, hash: first.hash }, 0, first.hash, { kind: 'accept' });
    await cloud.up(world, { type: 'accept', claim: first.bytes, record: newer.bytes });
    expect(await cloud.store.claims.row(world.deviceId, 1)).toBeUndefined();
    expect(cloud.sent).toEqual([]);
    // The control: each with its own.
    await cloud.up(world, { type: 'accept', claim: claim.bytes, record: camera.accept(claim).bytes });
    expect(cloud.receipts()).toHaveLength(1);
  });
});

describe('an epoch of version 2', () => {
  it('takes key records, pictures and clips of version 2, without the bodies of segments', async () => {
    const of = await claimedV2();
    const { camera, claim, accept } = of;
    const { record, object } = camera.key(claim, 1, accept.hash);
    const periodId = record.value.key?.periodId ?? new Uint8Array(0);
    expect(await answerTo(of, [record], [object.sealed])).toBe('v2 stored 1-1');
    const picture = camera.picture(claim, 2, record.hash, periodId);
    expect(await answerTo(of, [picture.record], [picture.object.sealed])).toBe('v2 stored 2-2');
    const clip = camera.film(claim, 3, picture.record.hash, periodId).record;
    expect(await answerTo(of, [clip])).toBe('v2 stored 3-3');
    expect(of.cloud.stored.map(({ value }) => value.kind)).toEqual(['accept', 'key', 'motion', 'clip']);
  });

  it('has no receipt for a key record before its object', async () => {
    const of = await claimedV2();
    const { record, object } = of.camera.key(of.claim, 1, of.accept.hash);
    expect(await answerTo(of, [record], [null])).toBe('no receipt');
    expect(await answerTo(of, [record], [object.sealed])).toBe('v2 stored 1-1');
  });

  it('rejects a record of version 1 for good, and an epoch of version 1 one of version 2', async () => {
    const of = await claimedV2();
    const { camera, claim, accept } = of;
    const { world } = camera;
    const rest = { account: world.account, epoch: 1, device: world.deviceId, seq: 1, time: world.time(1) };
    const body = { kind: 'scene', scene: { class: 'stall' } } as const;
    const old = world.sign({ ...rest, ...body, claimHash: claim.hash, prev: accept.hash });
    expect(await answerTo(of, [old])).toBe('v2 rejected 1 malformed');
    expect(await of.cloud.store.records.get(world.deviceId, 1, 1)).toBeUndefined();
    // The control.
    expect(await answerTo(of, [camera.scene(claim, 1, accept.hash)])).toBe('v2 stored 1-1');

    const cloud = new CloudWorld();
    const first = await cloud.claimed();
    const later = new CameraV2(first.world);
    const newer = later.world.recordV2({ ...later.claim(), hash: first.claim.hash }, 1, first.accept.hash, body);
    const at = { cloud, camera: later };
    expect(await answerTo(at, [newer])).toBe('v1 rejected 1 malformed');
    expect(await answerTo(at, [scene(first.world, first.claim, 1, first.accept.hash)])).toBe('v1 stored 1-1');
  });

  it('gives no answer to a record of the other version in an epoch that is revoked', async () => {
    const of = await claimedV2();
    const { cloud, camera, claim, accept } = of;
    await cloud.store.accounts.delete([{ device: camera.world.deviceId, epoch: 1, readerTokens: [] }]);
    const { world } = camera;
    const rest = { account: world.account, epoch: 1, device: world.deviceId, seq: 1, time: world.time(1) };
    const body = { kind: 'scene', scene: { class: 'stall' } } as const;
    const old = world.sign({ ...rest, ...body, claimHash: claim.hash, prev: accept.hash });
    expect(await answerTo(of, [old])).toBe('no receipt');
  });

  it('rejects a second key record of a period, and names the head beside it', async () => {
    const of = await claimedV2();
    const { record, object } = of.camera.key(of.claim, 1, of.accept.hash);
    expect(await answerTo(of, [record], [object.sealed])).toBe('v2 stored 1-1');
    const second = of.camera.key(of.claim, 2, record.hash, record.value.key?.periodId);
    expect(await answerTo(of, [second.record], [second.object.sealed])).toBe(
      'v2 stored 1-1, v2 rejected 2 equivocation',
    );
    // The control: another period.
    const other = of.camera.key(of.claim, 2, record.hash);
    expect(await answerTo(of, [other.record], [other.object.sealed])).toBe('v2 stored 2-2');
  });
});

describe('the greeting', () => {
  const V2 = [1, 2];
  const status = (cloud: CloudWorld, { world }: CameraV2, online: boolean): Promise<void> =>
    cloud.ingest.handleMessage(topicOf(world.deviceId, 'status'), encodeStatus({ online, agent: '1.1.0' }));
  const offer = (cloud: CloudWorld, { world }: CameraV2): Promise<void> =>
    cloud.up(world, { type: 'offer', offer: offerOf(world).bytes });
  const hellos = (cloud: CloudWorld): number => cloud.sent.filter(({ message }) => message.type === 'hello').length;

  it('is sent once for each connection, by its status or its first message', async () => {
    const cloud = new CloudWorld(undefined, null, V2);
    const camera = new CameraV2(cloud.camera());
    await status(cloud, camera, true);
    await offer(cloud, camera);
    await offer(cloud, camera);
    expect(cloud.sent.filter(({ message }) => message.type === 'hello')).toEqual([
      { topic: topicOf(camera.world.deviceId, 'down'), message: { type: 'hello', versions: V2 } },
    ]);
    // It connects again, and the last will of the old connection was seen, or not.
    cloud.clock.advance(1000);
    await status(cloud, camera, false);
    expect(hellos(cloud)).toBe(1);
    await status(cloud, camera, true);
    cloud.clock.advance(1000);
    await status(cloud, camera, true);
    expect(hellos(cloud)).toBe(3);
    // A cloud that started after the camera connected.
    const later = new CloudWorld(undefined, null, V2);
    await offer(later, camera);
    await offer(later, camera);
    expect(hellos(later)).toBe(1);
  });

  it('is sent to one camera at most once a second, and then with its next message', async () => {
    const cloud = new CloudWorld(undefined, null, V2);
    const camera = new CameraV2(cloud.camera());
    for (let i = 0; i < 50; i++) await status(cloud, camera, true);
    expect(hellos(cloud)).toBe(1);
    cloud.clock.advance(1000);
    await offer(cloud, camera);
    expect(hellos(cloud)).toBe(2);
    // Others do not wait for it.
    await status(cloud, new CameraV2(cloud.camera()), true);
    expect(hellos(cloud)).toBe(3);
  });

  it('is sent again to a camera that still offers version 1, which may have missed it', async () => {
    const cloud = new CloudWorld(undefined, null, V2);
    const camera = new CameraV2(cloud.camera());
    await status(cloud, camera, true);
    cloud.clock.advance(1000);
    // The control: one that knows.
    await cloud.up(camera.world, { type: 'offer', offer: offerOf(camera.world, { version: 2 }).bytes });
    expect(hellos(cloud)).toBe(1);
    await offer(cloud, camera);
    await offer(cloud, camera);
    expect(hellos(cloud)).toBe(2);
    cloud.clock.advance(1000);
    await offer(cloud, camera);
    expect(hellos(cloud)).toBe(3);
  });

  it('is not sent where the cloud takes version 1 alone', async () => {
    const cloud = new CloudWorld();
    const camera = new CameraV2(cloud.camera());
    await status(cloud, camera, true);
    await offer(cloud, camera);
    expect(hellos(cloud)).toBe(0);
  });
});
