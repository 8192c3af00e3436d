import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { CloudStore, Segment, SegmentKey } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { revocationKind } from '../../../../protocol/objects/revocation.js';
import { signObject } from '../../../../protocol/objects/signed-object.js';
import { toHex } from '../../../../common/bytes.js';
import type { Filmed } from '../../worlds/camera-v2.js';
import { Epoch } from './periods.js';
import { erasedEpochs, type OpenStore } from './world.js';

const PERIOD = realRandom.bytes(16);

/** The keys of the bodies that a clip record names. */
function keysOf({ record, bodies }: Filmed): SegmentKey[] {
  const { device, epoch } = record.value;
  return bodies.map((body) => ({ device, epoch, bodyHash: nodeSuite.sha256(body) }));
}

function keyOf(filmed: Filmed): SegmentKey {
  const [key] = keysOf(filmed);
  if (key === undefined) throw new Error('no segment');
  return key;
}

async function segmentOf({ segments }: CloudStore, filmed: Filmed): Promise<Segment> {
  const found = await segments.upload(keyOf(filmed));
  if (found === undefined) throw new Error('no row');
  return found.segment;
}

/** Stores the body of a clip's only segment. */
async function storeBody(store: CloudStore, filmed: Filmed): Promise<boolean> {
  return store.segments.markStored(await segmentOf(store, filmed));
}

async function stateOf(store: CloudStore, filmed: Filmed): Promise<string> {
  return (await store.segments.upload(keyOf(filmed)))?.segment.state ?? 'nothing';
}

/** Hashes of the bodies that wait to be removed from the MediaStore. */
async function discarded(store: CloudStore, beforeMs = 0): Promise<string[]> {
  return (await store.segments.discarded(beforeMs, 100)).map(({ bodyHash }) => toHex(bodyHash)).sort();
}

const hashes = (...filmed: readonly Filmed[]): string[] =>
  filmed.flatMap((one) => keysOf(one).map(({ bodyHash }) => toHex(bodyHash))).sort();

/** Segments of clips: a row for each body that a verified record names. */
export function segmentsContract(open: OpenStore): void {
  it('has a row for each segment that a clip record names, and none for any other body, epoch or camera', async () => {
    const epoch = await Epoch.open(await open());
    const { segments } = epoch.store;
    const eventId = realRandom.bytes(16);
    const filmed = await epoch.film(PERIOD, 5, { eventId, lengths: [4112, 16_400, 8208] });
    const keys = keysOf(filmed);
    const named = filmed.record.value.clip?.segments ?? [];
    expect(await segments.ofRecord(epoch.device, 1, 1)).toMatchObject(
      named.map(([index, mediaId, length, bodyHash]) => ({
        device: epoch.device,
        epoch: 1,
        seq: 1,
        eventId,
        clip: 0,
        index,
        mediaId,
        length,
        bodyHash,
        state: 'expected',
      })),
    );
    const [, second] = keys;
    if (second === undefined) throw new Error('no second segment');
    expect(await segments.upload(second)).toMatchObject({
      segment: { index: 1, length: 16_400, state: 'expected' },
      cameraBytes: 0,
      accountBytes: 0,
    });
    expect(await segments.upload({ ...second, bodyHash: realRandom.bytes(32) })).toBeUndefined();
    expect(await segments.upload({ ...second, epoch: 2 })).toBeUndefined();
    expect(await segments.upload({ ...second, device: realRandom.bytes(32) })).toBeUndefined();
  });

  it('notes a body as stored once, counts its bytes for camera and account, and keeps it when its record comes again', async () => {
    const epoch = await Epoch.open(await open());
    const { store } = epoch;
    const filmed = await epoch.film(PERIOD, 5, { lengths: [4112, 8208] });
    const before = await segmentOf(store, filmed);
    expect(await store.segments.markStored(before)).toBe(true);
    expect(await store.segments.markStored(before)).toBe(false);
    expect(await store.segments.upload(keyOf(filmed))).toMatchObject({
      segment: { state: 'stored' },
      cameraBytes: 4112,
      accountBytes: 4112,
    });
    expect(await store.records.put(filmed.record, [], 9)).toEqual({ outcome: 'duplicate' });
    expect(await stateOf(store, filmed)).toBe('stored');
    expect(await discarded(store)).toEqual([]);
  });

  it('gives a body to the record that named it first', async () => {
    const epoch = await Epoch.open(await open());
    const first = await epoch.film(PERIOD, 5);
    const clip = { ...first.record.value.clip, eventId: realRandom.bytes(16) } as NonNullable<
      typeof first.record.value.clip
    >;
    await epoch.put(epoch.camera.world.recordV2(...epoch.next(), { kind: 'clip', clip }), 6);
    expect(await segmentOf(epoch.store, first)).toMatchObject({ seq: 1 });
    expect(await epoch.store.segments.ofRecord(epoch.device, 1, 2)).toEqual([]);
  });

  it('refuses a body for good for which there is no room, and not one that is stored', async () => {
    const epoch = await Epoch.open(await open());
    const { store } = epoch;
    const [refused, kept] = [await epoch.film(PERIOD, 5), await epoch.film(PERIOD, 6)];
    const row = await segmentOf(store, refused);
    await store.segments.refuseForQuota(row);
    expect([await stateOf(store, refused), await store.segments.markStored(row)]).toEqual(['quota', false]);
    await storeBody(store, kept);
    await store.segments.refuseForQuota(await segmentOf(store, kept));
    expect(await stateOf(store, kept)).toBe('stored');
  });

  it('takes no body for an epoch that is revoked', async () => {
    const epoch = await Epoch.open(await open());
    const { store, camera } = epoch;
    const row = await segmentOf(store, await epoch.film(PERIOD, 5));
    const list = {
      scope: 'owner',
      listVersion: 1,
      issuedAtMs: 0,
      entries: [{ device: epoch.device, epoch: 1 }],
    } as const;
    await store.revocations.put(signObject(revocationKind, nodeSuite, camera.world.owner, list), 7);
    expect(await store.segments.markStored(row)).toBe(false);
  });

  it('knows nothing of the segments of a deleted range until that is undone, and refuses them for good once erased', async () => {
    const epoch = await Epoch.open(await open());
    const { store } = epoch;
    const [came, late, outside] = [
      await epoch.film(PERIOD, 5),
      await epoch.film(PERIOD, 6),
      await epoch.film(PERIOD, 7),
    ];
    await storeBody(store, came);
    const rowOfLate = await segmentOf(store, late);
    const statement = epoch.deletion(1, 2);
    await store.deletions.mark([statement], 100);
    expect([await stateOf(store, came), await stateOf(store, late), await stateOf(store, outside)]).toEqual([
      'nothing',
      'nothing',
      'expected',
    ]);
    expect(await store.segments.markStored(rowOfLate)).toBe(false);
    expect(await store.segments.find(keyOf(came))).toBeUndefined();
    expect(await store.deletions.undo([statement], 50)).toBe(true);
    expect([await stateOf(store, came), await stateOf(store, late)]).toEqual(['stored', 'expected']);
    expect(await discarded(store)).toEqual([]);

    await store.deletions.mark([statement], 100);
    await store.deletions.erase(statement, 100);
    expect([await stateOf(store, came), await stateOf(store, late)]).toEqual(['deleted', 'deleted']);
    expect(await store.segments.markStored(rowOfLate)).toBe(false);
    expect(await discarded(store)).toEqual(hashes(came, late));
    // The camera has no receipt of the record, and sends it again: its body does not come back.
    expect(await store.records.put(late.record, [], 9)).toMatchObject({ outcome: 'stored' });
    expect(await stateOf(store, late)).toBe('deleted');
  });

  it('gives up what an account held once it is erased, and leaves nothing of it but notes of its bodies', async () => {
    const epoch = await Epoch.open(await open());
    const { store, camera } = epoch;
    const filmed = await epoch.film(PERIOD, 5);
    await storeBody(store, filmed);
    const { owner } = camera.world;
    await store.accounts.mark(owner.publicKey, [], 100);
    expect(await stateOf(store, filmed)).toBe('nothing');
    await store.accounts.restore(camera.world.account, 50);
    expect(await stateOf(store, filmed)).toBe('stored');
    await store.accounts.delete(erasedEpochs([{ device: epoch.device, epoch: 1 }]));
    expect(await stateOf(store, filmed)).toBe('nothing');
    expect(await discarded(store)).toEqual(hashes(filmed));
  });

  it('deletes segments by an age of their own, while their record and what follows stays', async () => {
    const epoch = await Epoch.open(await open());
    const { store } = epoch;
    const [old, never, young] = [
      await epoch.film(PERIOD, 5000),
      await epoch.film(PERIOD, 5001),
      await epoch.film(PERIOD, 9000),
    ];
    for (const filmed of [old, young]) await storeBody(store, filmed);
    expect(await store.segments.expire(6000, 10_000, 1)).toBe(1);
    expect(await store.segments.expire(6000, 10_000, 1)).toBe(1);
    expect(await store.segments.expire(6000, 10_000, 1)).toBe(0);
    expect([await stateOf(store, old), await stateOf(store, never), await stateOf(store, young)]).toEqual([
      'deleted',
      'deleted',
      'stored',
    ]);
    expect(await epoch.hasRecord(1)).toBe(true);
    expect(await discarded(store)).toEqual(hashes(old, never));
    expect((await store.segments.upload(keyOf(young)))?.cameraBytes).toBe(4112);
  });

  it('keeps the segments of a record whose signed time is young, and gives no weight to one in the future', async () => {
    const epoch = await Epoch.open(await open());
    const { store, camera } = epoch;
    const filmAt = async (madeAtMs: number): Promise<Filmed> => {
      camera.world.time = (monotonicMs) => ({
        boot: camera.world.boot,
        monotonicMs,
        wallMs: madeAtMs,
        quality: 'ntp',
      });
      const filmed = await epoch.film(PERIOD, 5000);
      await storeBody(store, filmed);
      return filmed;
    };
    const [young, impossible] = [await filmAt(8000), await filmAt(99_000)];
    for (let i = 0; i < 3; i++) await store.segments.expire(6000, 10_000, 100);
    expect([await stateOf(store, young), await stateOf(store, impossible)]).toEqual(['stored', 'deleted']);
    await store.segments.expire(8001, 10_000, 100);
    expect(await stateOf(store, young)).toBe('deleted');
  });

  it('lets segments go with their record, whether their bodies came or not', async () => {
    const epoch = await Epoch.open(await open());
    const { store } = epoch;
    const [came, never, young] = [
      await epoch.film(PERIOD, 5000),
      await epoch.film(PERIOD, 5000),
      await epoch.film(PERIOD, 9000),
    ];
    await storeBody(store, came);
    while ((await epoch.expire(6000)) > 0);
    expect([await stateOf(store, came), await stateOf(store, never), await stateOf(store, young)]).toEqual([
      'nothing',
      'nothing',
      'expected',
    ]);
    expect(await discarded(store)).toEqual(hashes(came, never));
  });

  it('takes no body with the hash of one that waits to be removed, and forgets that one after its second removal', async () => {
    const epoch = await Epoch.open(await open());
    const { store } = epoch;
    const filmed = await epoch.film(PERIOD, 5000);
    await epoch.film(PERIOD, 9000);
    const before = await segmentOf(store, filmed);
    while ((await epoch.expire(6000)) > 0);
    expect(await store.segments.discardedCount(10)).toBe(1);
    // The record arrives once more. Its row is another one.
    expect(await store.records.put(filmed.record, [], 9000)).toMatchObject({ outcome: 'stored' });
    expect(await stateOf(store, filmed)).toBe('nothing');
    const [first] = await store.segments.discarded(0, 10);
    if (first === undefined) throw new Error('nothing to remove');
    await store.segments.removed([first], 10_000);
    expect([await discarded(store, 10_000), await stateOf(store, filmed)]).toEqual([[], 'nothing']);
    await store.segments.removed(await store.segments.discarded(10_001, 10), 20_000);
    expect([await store.segments.discardedCount(10), await stateOf(store, filmed)]).toEqual([0, 'expected']);
    expect(await store.segments.markStored(before)).toBe(false);
    expect(await storeBody(store, filmed)).toBe(true);
  });
}
