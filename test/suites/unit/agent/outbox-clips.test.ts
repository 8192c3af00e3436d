import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { SealcamError } from '../../../../common/errors.js';
import { fileName } from '../../../../agent/outbox/bodies.js';
import { noteBeforePublish, noteOwnership } from '../../../../agent/outbox/published.js';
import { openRaw } from '../../../../agent/outbox/sqlite.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { codeOf } from '../../../support/codes.js';
import { storeOf } from '../../../support/outbox-store.js';
import { brokenSums, strayBodies } from '../../../support/outbox-sums.js';
import { SegmentWorld, hashesOf, mediaIdsOf } from '../../../support/worlds/segment-world.js';

const ALL = { epoch: 0, seq: -1 };

async function world(): Promise<SegmentWorld> {
  const made = new SegmentWorld();
  await made.start();
  return made;
}

/** A camera with a clip of this many segments; `isReceipted`: all its records have their receipt. */
async function withClip(segments = 3, isReceipted = true): Promise<SegmentWorld> {
  const made = await world();
  made.clip(made.newClip(), 'start', segments);
  if (isReceipted) made.receiptAll();
  return made;
}

function hashesToSend(w: SegmentWorld): Uint8Array[] {
  return w.outbox.segmentsToSend(1000).map(({ bodyHash }) => bodyHash);
}

function expectSound(w: SegmentWorld): void {
  expect(brokenSums(w.outbox)).toEqual([]);
  expect(strayBodies(w.outbox)).toEqual([]);
}

describe('a clip in the outbox', () => {
  it('is sent only when its record has its receipt, newest clip first, from its beginning', async () => {
    const w = await world();
    const [older, newer] = [w.newClip(), w.newClip()];
    const first = w.clip(older, 'start', 2);
    const third = w.clip(older, 'more', 1);
    const second = w.clip(newer, 'start', 2);
    expect(w.outbox.segmentsToSend(10)).toEqual([]);
    let ready = 0;
    w.outbox.onSegmentsReady(() => ready++);
    w.scene();
    expect(ready).toBe(0);
    w.receiptAll();
    expect(ready).toBe(1);
    const sent = w.outbox.segmentsToSend(10);
    expect(sent.map(({ bodyHash }) => bodyHash)).toEqual([...hashesOf(second), ...hashesOf(first), ...hashesOf(third)]);
    for (const segment of sent) {
      const body = segment.read();
      expect(body?.length).toBe(segment.length);
      expect(nodeSuite.sha256(body ?? new Uint8Array(0))).toEqual(segment.bodyHash);
    }
    expectSound(w);
  });

  it('goes on a media receipt, and on nothing else', async () => {
    const w = await world();
    const record = w.clip(w.newClip(), 'start', 3);
    const [stored, refused, other] = hashesOf(record);
    if (stored === undefined || refused === undefined || other === undefined) throw new Error('no segments');
    // Before its record has its receipt, the body was never sent.
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([stored]))).toEqual({ stored: 0, refused: 0 });
    w.receiptAll();
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([stored]))).toEqual({ stored: 1, refused: 0 });
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([stored]))).toEqual({ stored: 0, refused: 0 });
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([refused], 'quota'))).toEqual({ stored: 0, refused: 1 });
    expect(w.outbox.applyMediaReceipt(w.mediaReceipt([realRandom.bytes(32)]))).toEqual({ stored: 0, refused: 0 });
    expect(hashesToSend(w)).toEqual([other]);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 3, receipted: 1, queued: 1, lost: 1 });
    expectSound(w);
    expect(w.namedLosses()).toEqual([{ reason: 'refused', media: [mediaIdsOf(record)[1]] }]);
  });

  it('that was sealed for another claim is discarded and counted', async () => {
    const w = await world();
    const clip = w.newClip();
    const content = { time: w.time(), clip: { eventId: clip.eventId, number: 0, phase: 'start' } } as const;
    expect(w.outbox.appendClip(content, w.segments(clip, 2), realRandom.bytes(32))).toBeNull();
    expectSound(w);
    expect(w.namedLosses()).toEqual([{ reason: 'claim-changed', count: 2 }]);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 0, queued: 0 });
  });

  it('is not taken without the key record of its period, and leaves no file', async () => {
    const w = await world();
    const clip = w.newClip();
    const segments = w.segments(clip, 2);
    w.forgetPeriods();
    const content = { time: w.time(), clip: { eventId: clip.eventId, number: 0, phase: 'start' } } as const;
    expect(codeOf(() => w.outbox.appendClip(content, segments, w.claim.hash))).toBe('period-unavailable');
    expectSound(w);
  });

  it('survives a restart, and what a kill left of another one goes', async () => {
    const w = await withClip();
    const before = hashesToSend(w);
    w.close();
    const name = fileName({ epoch: 1, hash: realRandom.bytes(32) });
    writeFileSync(join(w.folder, name), 'half a bo');
    w.open();
    expect(hashesToSend(w)).toEqual(before);
    expectSound(w);
    expect(w.namedLosses()).toEqual([]);
  });
});

describe('the bodies of clips that are too many', () => {
  it('go, the oldest clip first and from its end, as signed losses', async () => {
    const w = await world();
    const [older, newer] = [w.newClip(), w.newClip()];
    const records = [w.clip(older, 'start', 2), w.clip(older, 'more', 1), w.clip(newer, 'start', 2)] as const;
    w.receiptAll();
    const [length = 0] = w.outbox.segmentsToSend(1).map((segment) => segment.length);
    // Room for four, with the one that comes.
    w.limits.clipMaxBytes = 4 * length;
    const last = w.clip(newer, 'more', 1);
    w.receiptAll();
    const [first] = hashesOf(records[0]);
    expect(hashesToSend(w)).toEqual([...hashesOf(records[2]), ...hashesOf(last), first]);
    expect(w.outbox.segmentTotals()).toMatchObject({ queued: 4, lost: 2, queuedBytes: 4 * length });
    expectSound(w);
    const [named] = w.namedLosses();
    expect(named).toEqual({ reason: 'full', media: [...mediaIdsOf(records[1]), mediaIdsOf(records[0])[1]] });
  });
});

/** Lets the disk have no room for bodies beyond this many bytes. */
function limitDisk(w: SegmentWorld, bytes: number): void {
  const { bodies } = storeOf(w.outbox);
  const write = bodies.write.bind(bodies);
  bodies.write = (name, body) => {
    const used = w.files().reduce((sum, file) => sum + readFileSync(join(w.folder, file)).length, 0);
    if (used + body.length > bytes) throw new SealcamError('store-full', 'no room');
    write(name, body);
  };
}

describe('on a full disk', () => {
  it('the bodies wanted least make room for new ones', async () => {
    const w = await withClip(3);
    const [first] = hashesToSend(w);
    const [length = 0] = w.outbox.segmentsToSend(1).map((segment) => segment.length);
    limitDisk(w, 3 * length);
    const record = w.clip(w.newClip(), 'start', 2);
    w.receiptAll();
    expect(hashesToSend(w)).toEqual([...hashesOf(record), first]);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 5, queued: 3, lost: 2 });
    expectSound(w);
  });

  it('a body without room is named in its record, and lost with a signature; the event goes on', async () => {
    const w = await world();
    limitDisk(w, 0);
    const record = w.clip(w.newClip(), 'start', 2);
    expect(hashesOf(record)).toHaveLength(2);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 2, queued: 0, lost: 2 });
    expect(await w.event()).not.toBeNull();
    expectSound(w);
    expect(w.namedLosses()).toEqual([{ reason: 'full', media: mediaIdsOf(record) }]);
  });

  it('bodies go before records: an append that has no room is made in theirs', async () => {
    const w = await withClip(3);
    const { queries } = storeOf(w.outbox);
    const run = queries.insertRecord.run.bind(queries.insertRecord);
    queries.insertRecord.run = (...args) => {
      if (w.files().length > 0) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
      return run(...args);
    };
    expect(w.scene().value.kind).toBe('scene');
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 3, queued: 0, lost: 3 });
    // Without bodies there is nothing to give up.
    queries.insertRecord.run = () => {
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    };
    expect(codeOf(() => w.scene())).toBe('store-full');
    queries.insertRecord.run = run;
    expectSound(w);
  });

  it('a database at its own limit costs no body', async () => {
    const w = await withClip(3);
    const { queries } = storeOf(w.outbox);
    const pages = Number(queries.device.database.pragma('page_count', { simple: true }));
    queries.device.database.pragma(`max_page_count = ${String(pages + 2)}`);
    await expect(w.event(60_000)).rejects.toMatchObject({ code: 'store-full' });
    expect(hashesToSend(w)).toHaveLength(3);
    expectSound(w);
  });
});

describe('a body whose file', () => {
  it('is missing at the start is a signed loss that names it', async () => {
    const w = await withClip(3);
    const [hash = new Uint8Array(0)] = hashesToSend(w);
    w.close();
    rmSync(join(w.folder, fileName({ epoch: 1, hash })));
    w.open();
    expect(hashesToSend(w)).toHaveLength(2);
    expectSound(w);
    expect(w.namedLosses()).toMatchObject([{ reason: 'corrupt', media: [{}] }]);
  });

  it('is damaged is never given out, and is a signed loss', async () => {
    const w = await withClip(2);
    const [damaged, sound] = w.outbox.segmentsToSend(2);
    const path = join(w.folder, fileName({ epoch: 1, hash: damaged?.bodyHash ?? new Uint8Array(0) }));
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, 100, 110));
    expect(damaged?.read()).toBeNull();
    expect(damaged?.read()).toBeNull();
    expect(sound?.read()).not.toBeNull();
    expect(w.outbox.segmentTotals()).toMatchObject({ queued: 1, lost: 1 });
    expectSound(w);
    expect(w.namedLosses()).toMatchObject([{ reason: 'corrupt', media: [{}] }]);
  });
});

/** Each way in which a clip record leaves without a receipt. */
const LEAVING: readonly (readonly [name: string, leave: (w: SegmentWorld, seq: number) => void])[] = [
  [
    'rejected by the cloud',
    (w, seq) => {
      const hash = w.outbox.find({ epoch: 1, seq })?.hash ?? new Uint8Array(0);
      w.outbox.applyReceipt(w.camera.receipt(w.claim, [], { rejects: [[seq, hash, 'malformed']] }), w.time());
    },
  ],
  [
    'too old',
    (w) => {
      w.clock.advance(w.limits.maxAgeMs + 60_000);
      w.scene();
    },
  ],
  ['given up', (w, seq) => void w.outbox.giveUp({ epoch: 1, seq }, 'record')],
  [
    'damaged',
    (w, seq) => {
      const { database } = storeOf(w.outbox).queries.device;
      database.prepare('UPDATE record SET bytes = zeroblob(length(bytes)) WHERE seq = ?').run(seq);
      w.outbox.read(ALL, 100);
    },
  ],
];

describe('the place of the bodies', () => {
  it('is tried with bytes that leave nothing behind, whatever comes of it', async () => {
    const w = await withClip(1);
    const { bodies } = storeOf(w.outbox);
    const before = bodies.names();
    const tried = realRandom.bytes(100_000);
    w.outbox.tryBodies(tried);
    expect(bodies.names()).toEqual(before);
    const read = bodies.read.bind(bodies);
    bodies.read = (name) => read(name)?.fill(0, 5000, 5001) ?? null;
    expect(codeOf(() => w.outbox.tryBodies(tried))).toBe('store-corrupt');
    bodies.read = () => null;
    expect(codeOf(() => w.outbox.tryBodies(tried))).toBe('store-corrupt');
    bodies.read = read;
    limitDisk(w, 0);
    expect(codeOf(() => w.outbox.tryBodies(tried))).toBe('store-full');
    expect(bodies.names()).toEqual(before);
    expectSound(w);
  });
});

describe('the bodies of a clip record go with it, named by its seq', () => {
  it.each(LEAVING)('%s', async (_, leave) => {
    const w = await world();
    const record = w.clip(w.newClip(), 'start', 2);
    leave(w, record.value.seq);
    expect(w.outbox.has({ epoch: 1, seq: record.value.seq })).toBe(false);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 2, queued: 0, lost: 2 });
    expectSound(w);
    const seqs = w.namedLosses().flatMap((loss) => (loss.seqs === undefined ? [] : [loss.seqs]));
    expect(seqs.some(([from, to]) => from <= record.value.seq && record.value.seq <= to)).toBe(true);
  });
});

describe('an epoch that ended', () => {
  it('still sends the bodies whose records have their receipt; a loss there counts in the open one', async () => {
    const w = await withClip(2);
    const former = w.claim;
    const next = w.camera.claimV2(2, former.hash);
    w.outbox.beginEpoch(next, w.time(), w.camera.kemKeys);
    noteOwnership(w.outbox, w.mirror);
    w.claim = next;
    w.outbox.applyReceipt(
      w.camera.receipt(
        former,
        w.records().flatMap(({ value, hash }) => (value.epoch === 1 ? [[value.seq, value.seq, hash] as const] : [])),
      ),
      w.time(),
    );
    expect(w.outbox.claimOf(1)?.hash).toEqual(former.hash);
    const [stored, refused] = w.outbox.segmentsToSend(5);
    if (stored === undefined || refused === undefined) throw new Error('not queued');
    expect([stored.epoch, stored.read()?.length]).toEqual([1, stored.length]);
    w.outbox.applyMediaReceipt(w.mediaReceipt([stored.bodyHash], 'stored', former));
    w.outbox.applyMediaReceipt(w.mediaReceipt([refused.bodyHash], 'revoked', former));
    expectSound(w);
    expect(w.namedLosses()).toEqual([{ reason: 'refused', count: 1 }]);
    // With its last body it is gone.
    expect(w.outbox.claimOf(1)).toBeNull();
  });

  it.each(['release', 'reset'] as const)(
    'with a %s keeps none, and its tombstone says how many went',
    async (reason) => {
      const w = await withClip(3);
      w.clip(w.newClip(), 'start', 2);
      expect(w.files()).toHaveLength(5);
      w.outbox.endEpoch(reason, w.time());
      expect(w.files()).toEqual([]);
      expect(w.outbox.segmentsToSend(5)).toEqual([]);
      expectSound(w);
      const named = w.records().flatMap(({ value }) => value.loss ?? []);
      expect(named).toContainEqual({ reason: 'erased', count: 3 });
    },
  );
});

it('a release names again what a record that it erases had named of bodies whose records the cloud has', async () => {
  const w = await world();
  const record = w.clip(w.newClip(), 'start', 2);
  w.receiptAll();
  w.limits.clipMaxBytes = 0;
  w.clip(w.newClip(), 'start', 1);
  w.outbox.flushLosses(w.time());
  w.outbox.endEpoch('release', w.time());
  const media = w.records().flatMap(({ value }) => (value.loss ?? []).flatMap((loss) => loss.media ?? []));
  expect(media).toEqual([...mediaIdsOf(record)].reverse());
  expectSound(w);
});

describe('a key record that a body needs', () => {
  async function rejected(isControl: boolean): Promise<boolean> {
    const w = await world();
    const [key] = w.keyRecords();
    const record = w.clip(w.newClip(), 'start', 1);
    const { seq } = record.value;
    // The clip record has its receipt, the key record before it has none: the cloud stores what comes.
    w.outbox.applyReceipt(w.camera.receipt(w.claim, [[seq, seq, record.hash]]), w.time());
    // Two newer periods: the first is no longer one in use.
    for (let i = 0; i < 2; i++) {
      w.keeper.renew();
      await w.untilPeriod();
    }
    if (isControl) storeOf(w.outbox).queries.device.database.exec('UPDATE segment SET key_seq = 0');
    const rejects = [[key?.value.seq ?? 0, key?.hash ?? new Uint8Array(32), 'malformed']] as const;
    w.outbox.applyReceipt(w.camera.receipt(w.claim, [], { rejects }), w.time());
    return w.keyRecords().some(({ hash }) => Buffer.from(hash).equals(Buffer.from(key?.hash ?? [])));
  }

  it('stays when the cloud rejects it, also after the receipt of the clip record', async () => {
    expect(await rejected(false)).toBe(true);
  });

  it('and the control, where the body does not say which it needs, loses it', async () => {
    expect(await rejected(true)).toBe(false);
  });
});

describe('a database that is salvaged', () => {
  function salvage(w: SegmentWorld, damage: string): void {
    w.close();
    const path = join(w.folder, 'outbox.db');
    const raw = openRaw(path);
    raw.exec(damage);
    raw.close();
    renameSync(path, `${path}.salvage`);
    w.open();
  }

  it('keeps its bodies', async () => {
    const w = await withClip(3);
    w.clip(w.newClip(), 'start', 1);
    const before = hashesToSend(w);
    salvage(w, 'SELECT 1');
    expect(hashesToSend(w)).toEqual(before);
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 4, queued: 4, lost: 0 });
    expectSound(w);
    w.receiptAll();
    expect(hashesToSend(w)).toHaveLength(4);
  });

  it('counts what has no row any more, once, and removes its file', async () => {
    const w = await withClip(3);
    salvage(w, 'DELETE FROM segment WHERE idx > 0');
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 3, queued: 1, lost: 2 });
    expectSound(w);
    const counts = w.namedLosses().flatMap(({ count }) => (count === undefined ? [] : [count]));
    expect(counts).toEqual([2]);
  });

  it('gives up bodies that wait for a record that is gone', async () => {
    const w = await withClip(2, false);
    salvage(w, 'DELETE FROM record WHERE seq > 1');
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 2, queued: 0, lost: 2 });
    expectSound(w);
  });

  it('and lost with its first page counts the files that it leaves', async () => {
    const w = await withClip(3);
    noteBeforePublish(w.outbox, w.mirror, w.outbox.read(ALL, 100));
    w.close();
    rmSync(join(w.folder, 'outbox.db'));
    rmSync(join(w.folder, 'outbox.db-wal'), { force: true });
    w.open();
    expect(w.outbox.segmentTotals()).toMatchObject({ produced: 3, queued: 0, lost: 3 });
    expectSound(w);
    // One stands for the records that were never published.
    expect(w.namedLosses()).toContainEqual({ reason: 'state-lost', count: 3 + 1 });
  });
});

it('a database that is put back to an older one counts the bodies that came after it, and names those that are gone', async () => {
  const w = await withClip(2);
  w.close();
  const image = readdirSync(w.folder).filter((name) => name.startsWith('outbox.db'));
  for (const name of image) copyFileSync(join(w.folder, name), join(w.folder, `${name}.image`));
  w.open();
  w.outbox.applyMediaReceipt(w.mediaReceipt(hashesToSend(w).slice(0, 1)));
  w.keeper.ownerChanged();
  await w.untilPeriod();
  w.clip(w.newClip(), 'start', 3);
  noteBeforePublish(w.outbox, w.mirror, w.outbox.read(ALL, 100));
  w.close();
  for (const name of image) renameSync(join(w.folder, `${name}.image`), join(w.folder, name));
  w.open();
  expect(w.outbox.segmentTotals()).toMatchObject({ produced: 5, queued: 1, lost: 4 });
  expectSound(w);
  const named = w.namedLosses();
  expect(named).toContainEqual({ reason: 'state-lost', count: 3 });
  expect(named).toContainEqual({ reason: 'corrupt', media: [expect.anything()] });
});
