import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { SealcamError } from '../../../../common/errors.js';
import { EarlyStatus } from '../../../../cloud/ingest/early-status.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { checkReceiptAgainstClaim, receiptKind } from '../../../../protocol/objects/receipt.js';
import { recordKind, type SealcamRecord } from '../../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../../protocol/objects/signed-object.js';
import { encodeStatus, encodeUp } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { encodeCbor, type Cbor } from '../../../../protocol/wire/cbor.js';
import { signSign1 } from '../../../../protocol/wire/cose.js';
import { mediaTwice } from '../../../support/worlds/media-twice.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { CloudWorld, offerOf, pictured, scene } from '../../../support/worlds/cloud-world.js';
import { withRows } from '../../../support/worlds/wrong-rows.js';

describe('ingest', () => {
  it('stores the claim row with the accept, and signs its receipt with a key of the claim', async () => {
    const cloud = new CloudWorld();
    const world = cloud.camera();
    const claim = world.claim();
    const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
    await cloud.up(world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
    const [sent] = cloud.sent;
    expect(sent?.topic).toBe(topicOf(world.deviceId, 'down'));
    const receipt = openSigned(
      receiptKind,
      nodeSuite,
      sent?.message.type === 'receipt' ? sent.message.receipt : new Uint8Array(0),
    );
    expect(() => checkReceiptAgainstClaim(receipt, claim)).not.toThrow();
    expect(receipt.value.ranges).toEqual([[0, 0, accept.hash]]);
    expect(cloud.stored.map(({ value }) => value.kind)).toEqual(['accept']);
  });

  it('stores records with their media and receipts them as one range', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const one = scene(world, claim, 1, accept.hash);
    const two = scene(world, claim, 2, one.hash);
    await cloud.records(world, [one, two]);
    expect(cloud.receipts()[0]?.ranges).toEqual([[1, 2, two.hash]]);
    await cloud.records(world, [two]);
    expect(cloud.receipts()[1]?.ranges).toEqual([[2, 2, two.hash]]);
    expect(cloud.counters.get('records.duplicate')).toBe(1);
    expect(cloud.stored).toHaveLength(2);
  });

  it('stores records in any order of arrival', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const one = scene(world, claim, 1, accept.hash);
    const two = scene(world, claim, 2, one.hash);
    await cloud.records(world, [two]);
    await cloud.records(world, [one]);
    expect(cloud.receipts().map(({ ranges }) => ranges[0]?.[0])).toEqual([2, 1]);
    expect((await cloud.store.records.chainFacts(world.deviceId, 1, 2)).predecessor).toEqual(one.hash);
  });

  it('sends no receipt for an event whose picture is missing, until it arrives or its loss is signed', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const { record, sealed, media } = pictured(world, claim, 1, accept.hash);
    await cloud.records(world, [record], [null]);
    expect(cloud.receipts()).toEqual([]);
    await cloud.records(world, [record], [{ header: sealed.header, body: new Uint8Array(4112) }]);
    expect(cloud.receipts()).toEqual([]);
    expect(cloud.counters.get('refused.malformed')).toBe(1);
    await cloud.records(world, [record], [sealed]);
    expect(cloud.receipts()).toHaveLength(1);

    const lost = pictured(world, claim, 2, record.hash);
    const gap = world.record(claim, 3, lost.record.hash, {
      kind: 'gap',
      loss: [{ reason: 'full', media: [lost.media.id] }],
    });
    await cloud.records(world, [gap]);
    await cloud.records(world, [lost.record], [null]);
    expect(cloud.receipts().at(-1)?.ranges[0]?.[0]).toBe(2);
    expect(media.id).not.toEqual(lost.media.id);
  });

  it('closes the epoch with its tombstone, and refuses later records', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const tombstone = world.record(claim, 1, accept.hash, { kind: 'tombstone', tombstone: { reason: 'release' } });
    await cloud.records(world, [tombstone]);
    await cloud.records(world, [scene(world, claim, 2, tombstone.hash)]);
    expect(cloud.receipts()).toHaveLength(1);
    expect(cloud.counters.get('refused.revoked')).toBe(1);
  });

  it('sends a pending claim for the offer that it answers, and drops it for another', async () => {
    const cloud = new CloudWorld();
    const world = cloud.camera();
    const nonce = realRandom.bytes(16);
    const offer = offerOf(world, { nonce });
    const claim = world.claim(1, null, { nonce });
    await cloud.store.claims.putPending(world.deviceId, {
      claim: claim.bytes,
      mac: new Uint8Array(32),
      nonce,
      atMs: cloud.clock.wallMs(),
    });
    await cloud.up(world, { type: 'offer', offer: offer.bytes });
    expect(cloud.sent[0]?.message).toEqual({ type: 'claim', claim: claim.bytes, mac: new Uint8Array(32) });
    const next = offerOf(world);
    await cloud.up(world, { type: 'offer', offer: next.bytes });
    expect(cloud.sent).toHaveLength(1);
    expect(await cloud.store.claims.pending(world.deviceId)).toBeUndefined();
  });
});

describe('ingest fails closed', () => {
  it('on a claim row that names another account: the incident itself', async () => {
    const swapped = new CloudWorld((store) =>
      withRows(store, async (device, epoch) => {
        const row = await store.claims.row(device, epoch);
        return row === undefined ? undefined : { ...row, account: new Uint8Array(16).fill(9) };
      }),
    );
    const { world, claim, accept } = await swapped.claimed();
    await swapped.records(world, [scene(world, claim, 1, accept.hash)]);
    expect(swapped.receipts()).toEqual([]);
    expect(swapped.stored).toEqual([]);
    expect(swapped.counters.snapshot()).toMatchObject({ alarms: 1, 'refused.foreign': 1 });
    expect((await swapped.store.quarantine.newest(1))[0]).toMatchObject({
      verdict: 'foreign',
      reason: 'the row names another account',
    });
    expect(await swapped.store.alarms.since(0, 10)).toMatchObject([
      { place: 'ingest', verdict: 'foreign', device: world.deviceId, reader: null, quarantineId: 1 },
    ]);
    // The control: with the right row the same record is stored.
    const right = new CloudWorld();
    const camera = await right.claimed();
    await right.records(camera.world, [scene(camera.world, camera.claim, 1, camera.accept.hash)]);
    expect(right.stored).toHaveLength(1);
    expect(await right.store.alarms.since(0, 10)).toEqual([]);
  });

  it('when claims cannot be read: no receipt and no refusal, and the camera sends again', async () => {
    let broken = false;
    const unavailable = (): Promise<never> => Promise.reject(new SealcamError('store-unavailable', 'no answer'));
    const cloud = new CloudWorld((store) =>
      withRows(store, (device, epoch) => (broken ? unavailable() : store.claims.row(device, epoch))),
    );
    const { world, claim, accept } = await cloud.claimed();
    const record = scene(world, claim, 1, accept.hash);
    broken = true;
    await cloud.records(world, [record]);
    expect(cloud.sent).toEqual([]);
    expect(cloud.counters.snapshot()).toMatchObject({ 'ingest.store-unavailable': 1 });
    expect(await cloud.store.quarantine.count()).toBe(0);
    broken = false;
    await cloud.records(world, [record]);
    expect(cloud.receipts()).toHaveLength(1);
  });

  it('on a record of one camera on the topic of another', async () => {
    const cloud = new CloudWorld();
    const a = await cloud.claimed();
    const b = await cloud.claimed();
    const record = scene(a.world, a.claim, 1, a.accept.hash);
    await cloud.up(
      a.world,
      { type: 'records', records: [{ record: record.bytes, media: [] }] },
      topicOf(b.world.deviceId, 'up'),
    );
    expect(cloud.receipts()).toEqual([]);
    expect(cloud.counters.get('refused.foreign')).toBe(1);
  });

  it('on an unclaimed camera, and on an epoch without a row', async () => {
    const cloud = new CloudWorld();
    const world = cloud.camera();
    await cloud.records(world, [scene(world, world.claim(), 1, new Uint8Array(32))]);
    const { world: claimed, claim } = await cloud.claimed();
    const later = claimed.claim(2, claim.hash);
    await cloud.records(claimed, [scene(claimed, later, 1, later.hash)]);
    expect(cloud.receipts()).toEqual([]);
    expect(cloud.counters.get('refused.foreign')).toBe(2);
  });

  it('on a second record with the same seq: the first stays, the second is rejected for good', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const first = scene(world, claim, 1, accept.hash);
    const second = world.record(claim, 1, accept.hash, { kind: 'scene', scene: { class: 'tamper' } });
    await cloud.records(world, [first]);
    await cloud.records(world, [second]);
    const rejects = [[1, second.hash, 'equivocation']];
    expect(cloud.receipts()[1]).toMatchObject({ ranges: [[1, 1, first.hash]], rejects });
    expect((await cloud.store.records.get(world.deviceId, 1, 1))?.hash).toEqual(first.hash);
  });

  it('names the newest record that is stored whole beside a reject of another one, in a range of its own', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const records = world.chain(claim, 3).slice(1);
    const incomplete = pictured(world, claim, 4, records[2]?.hash ?? null).record;
    await cloud.records(world, records);
    await cloud.records(world, [incomplete], [null]);
    const other = (seq: number): Verified<SealcamRecord> =>
      world.record(claim, seq, accept.hash, { kind: 'scene', scene: { class: 'tamper' } });
    await cloud.records(world, [other(1), other(3), scene(world, claim, 5, incomplete.hash)]);
    const rejected = [1, 3].map((seq) => [seq, other(seq).hash, 'equivocation']);
    const five = scene(world, claim, 5, incomplete.hash);
    expect(cloud.receipts().at(-1)).toMatchObject({
      ranges: [[5, 5, five.hash]],
      rejects: rejected,
    });
    await cloud.records(world, [pictured(world, claim, 6, five.hash).record], [null]);
    await cloud.records(world, [other(1)]);
    // Record 6 has no picture, so it is not named; where nothing is rejected, no head is.
    expect(cloud.receipts().at(-1)?.ranges).toEqual([[5, 5, five.hash]]);
    await cloud.records(world, [records[1] ?? five]);
    expect(cloud.receipts().at(-1)?.ranges).toEqual([[2, 2, records[1]?.hash]]);
  });

  it('on another accept of the same claim, which it rejects: the camera was restored to the moment of its claim', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const other = world.record(claim, 0, claim.hash, { kind: 'accept', time: world.time(77) });
    await cloud.up(world, { type: 'accept', claim: claim.bytes, record: other.bytes });
    const rejects = [[0, other.hash, 'equivocation']];
    expect(cloud.receipts()).toEqual([expect.objectContaining({ ranges: [[0, 0, accept.hash]], rejects })]);
  });

  it('on a media id of another record: no receipt for a picture that is not kept, a reject that the camera acts upon', async () => {
    expect(await mediaTwice(true)).toBe('rejected (malformed), its picture is not kept');
    // The control.
    expect(await mediaTwice(false)).toBe('receipted, its picture is kept');
  });

  it('on another claim for an accepted epoch', async () => {
    const cloud = new CloudWorld();
    const { world, claim } = await cloud.claimed();
    const thief = new CameraWorld({ cloud: cloud.receiptSigner });
    const other = thief.claim(1, null, { device: world.deviceId });
    const accept = world.record(other, 0, other.hash, { kind: 'accept' });
    await cloud.up(world, { type: 'accept', claim: other.bytes, record: accept.bytes });
    expect(cloud.receipts()).toEqual([]);
    expect(cloud.counters.snapshot()).toMatchObject({ 'refused.equivocation': 1, alarms: 1 });
    expect((await cloud.store.claims.row(world.deviceId, 1))?.claimHash).toEqual(claim.hash);
  });

  it('on an accept of another claim', async () => {
    const cloud = new CloudWorld();
    const world = cloud.camera();
    const claim = world.claim();
    const other = world.claim();
    const accept = world.record(other, 0, other.hash, { kind: 'accept' });
    await cloud.up(world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
    expect(await cloud.store.claims.row(world.deviceId, 1)).toBeUndefined();
    expect(cloud.counters.get('refused.foreign')).toBe(1);
  });

  it('rejects a malformed record only if its own camera signed it, and never one with a broken signature', async () => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    const good = scene(world, claim, 1, accept.hash);
    const fields = new Map(recordKind.codec.toCbor(good.value) as ReadonlyMap<number, Cbor>);
    const odd = signSign1(recordKind.domain, world.device, encodeCbor(new Map([...fields, [23, 0]])));
    await cloud.up(world, { type: 'records', records: [{ record: odd, media: [] }] });
    expect(cloud.receipts()[0]).toMatchObject({ ranges: [], rejects: [[1, expect.anything(), 'malformed']] });
    // Anyone on the path could flip a bit of the signature, and the hash would still be that of the good record.
    const flipped = good.bytes.slice();
    const last = flipped.length - 1;
    flipped[last] = (flipped[last] ?? 0) ^ 1;
    await cloud.up(world, { type: 'records', records: [{ record: flipped, media: [] }] });
    expect(cloud.receipts()).toHaveLength(1);
    await cloud.records(world, [good]);
    expect(cloud.receipts()[1]?.ranges).toEqual([[1, 1, good.hash]]);
  });

  it.each([
    ['a topic without a device', 'sealcam/v1/x/up', new Uint8Array(1)],
    ['an empty message', null, new Uint8Array(0)],
    ['noise', null, realRandom.bytes(300)],
    ['deep nesting', null, new Uint8Array(50_000).fill(0x81)],
    ['an oversized message', null, new Uint8Array(200_000)],
    ['an unknown message type', null, Uint8Array.of(0x81, 0x18, 0x63)],
    [
      'a record that cannot be parsed',
      null,
      encodeUp({ type: 'records', records: [{ record: Uint8Array.of(1), media: [] }] }),
    ],
    ['an offer that cannot be parsed', null, encodeUp({ type: 'offer', offer: Uint8Array.of(1) })],
  ])('on %s: counts it, quarantines it and keeps running', async (_, topic, payload) => {
    const cloud = new CloudWorld();
    const { world, claim, accept } = await cloud.claimed();
    await cloud.ingest.handleMessage(topic ?? topicOf(world.deviceId, 'up'), payload);
    const counts = cloud.counters.snapshot();
    expect((counts['refused.malformed'] ?? 0) + (counts['refused.unsupported'] ?? 0)).toBe(1);
    expect(await cloud.store.quarantine.count()).toBe(1);
    expect(cloud.sent).toEqual([]);
    await cloud.records(world, [scene(world, claim, 1, accept.hash)]);
    expect(cloud.receipts()).toHaveLength(1);
  });

  it('limits what a flood puts into the quarantine, and counts all of it', async () => {
    const cloud = new CloudWorld();
    const world = cloud.camera();
    for (let i = 0; i < 100; i++) await cloud.ingest.handleMessage(topicOf(world.deviceId, 'up'), Uint8Array.of(i));
    expect(cloud.counters.get('refused.malformed')).toBe(100);
    expect(await cloud.store.quarantine.count()).toBe(30);
    // One more line says that the rest is only counted.
    expect(cloud.lines).toHaveLength(31);
    cloud.clock.advance(60_000);
    await cloud.ingest.handleMessage(topicOf(world.deviceId, 'up'), Uint8Array.of(1));
    expect(await cloud.store.quarantine.count()).toBe(31);
  });

  it('stores status hints of claimed cameras only', async () => {
    const cloud = new CloudWorld();
    const { world } = await cloud.claimed();
    const stranger = cloud.camera();
    for (const camera of [world, stranger]) {
      await cloud.ingest.handleMessage(
        topicOf(camera.deviceId, 'status'),
        encodeStatus({ online: true, agent: '0.1.0' }),
      );
    }
    expect(await cloud.store.records.status(world.deviceId)).toMatchObject({ online: true });
    expect(await cloud.store.records.status(stranger.deviceId)).toBeUndefined();
  });

  it('knows whether a camera is online that said so before it was claimed, and only the newest that it said', async () => {
    const cloud = new CloudWorld();
    const [online, gone, silent] = [cloud.camera(), cloud.camera(), cloud.camera()];
    const say = (camera: CameraWorld, isOnline: boolean): Promise<void> =>
      cloud.ingest.handleMessage(
        topicOf(camera.deviceId, 'status'),
        encodeStatus({ online: isOnline, agent: '0.1.0' }),
      );
    await say(online, true);
    await say(gone, true);
    await say(gone, false);
    for (const camera of [online, gone, silent]) {
      const claim = camera.claim();
      const accept = camera.record(claim, 0, claim.hash, { kind: 'accept' });
      await cloud.up(camera, { type: 'accept', claim: claim.bytes, record: accept.bytes });
    }
    expect(await cloud.store.records.status(online.deviceId)).toMatchObject({ online: true, agent: '0.1.0' });
    expect(await cloud.store.records.status(gone.deviceId)).toMatchObject({ online: false });
    expect(await cloud.store.records.status(silent.deviceId)).toBeUndefined();
  });

  it('keeps what a bounded number of unclaimed cameras said', () => {
    const early = new EarlyStatus();
    const status = { online: true, agent: '0.1.0', atMs: 1 };
    const ids = Array.from({ length: 1001 }, (_, i) => Uint8Array.of(i >> 8, i & 255));
    for (const id of ids) early.put(id, status);
    const [first, second] = ids;
    expect([first, second].map((id) => early.remove(id ?? new Uint8Array(0)))).toEqual([undefined, status]);
  });
});
