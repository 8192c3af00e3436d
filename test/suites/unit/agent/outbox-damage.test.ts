import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../../common/bytes.js';
import type { Random } from '../../../../common/random.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import { openRaw } from '../../../../agent/outbox/sqlite.js';
import { SCHEMA_VERSION } from '../../../../agent/outbox/migrations.js';
import type { Outbox } from '../../../../agent/outbox/outbox.js';
import { noteBeforePublish, noteOwnership } from '../../../../agent/outbox/published.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { recordKind, type RecordLoss } from '../../../../protocol/objects/record.js';
import { openSigned } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { codeOf } from '../../../support/codes.js';
import { claimed, close, motion, open, picture, type Opened } from '../../../support/worlds/outbox-world.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { storeOf } from '../../../support/outbox-store.js';

const ALL = { epoch: 0, seq: -1 };
const PAGE_BYTES = 4096;
const world = new CameraWorld();

/** Returns every loss that a camera names: in its queued records, and in the gap records that follow. */
function namedLosses(outbox: Outbox): readonly RecordLoss[] {
  for (let i = 0; i < 50 && outbox.flushLosses(world.time(1e6 + i)) !== null; i++);
  return outbox.read(ALL, 1000).flatMap(({ bytes }) => openSigned(recordKind, nodeSuite, bytes).value.loss ?? []);
}

/** Returns the records that are neither in the outbox nor named as lost. */
function silentlyLost(outbox: Outbox, hashes: ReadonlyMap<number, string>): number[] {
  const losses = namedLosses(outbox);
  const here = new Map(outbox.read(ALL, 1000).map(({ seq, hash }) => [seq, toHex(hash)]));
  return [...hashes].flatMap(([seq, hash]) => {
    const isNamed = losses.some(({ seqs }) => seqs !== undefined && seqs[0] <= seq && seq <= seqs[1]);
    return here.get(seq) === hash || isNamed ? [] : [seq];
  });
}

interface FilledOutbox {
  readonly folder: string;
  readonly hashes: Map<number, string>;
}

const RECORD_COUNT = 15;

/** Makes an outbox with pictures, whose first three records were published. */
function fillOutbox(): FilledOutbox {
  const folder = tempFolder();
  const opened = claimed(world, folder);
  for (let i = 0; i < RECORD_COUNT; i++) motion(world, opened.outbox, i, i % 5 === 3 ? [picture(6000)] : []);
  noteBeforePublish(opened.outbox, opened.mirror, opened.outbox.read(ALL, 3));
  const hashes = new Map(opened.outbox.read(ALL, 1000).map(({ seq, hash }) => [seq, toHex(hash)]));
  close(opened);
  return { folder, hashes };
}

function damagePage(folder: string, page: number, random: Random): void {
  const path = join(folder, 'outbox.db');
  const bytes = readFileSync(path);
  bytes.set(random.bytes(PAGE_BYTES), page * PAGE_BYTES);
  writeFileSync(path, bytes);
}

function copyOf({ folder }: FilledOutbox): string {
  const copy = tempFolder();
  for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(copy, name));
  return copy;
}

describe('an overwritten page of the database', () => {
  it('costs what was on it, which is named as lost, and nothing else', () => {
    const filled = fillOutbox();
    const pages = readFileSync(join(filled.folder, 'outbox.db')).length / PAGE_BYTES;
    const random = seededRandom(5);
    let kept = 0;
    let whole = 0;
    for (let page = 1; page < pages; page++) {
      const folder = copyOf(filled);
      damagePage(folder, page, random);
      const opened = open(world, folder);
      // The first call may hit the damage and fail; the next works again.
      for (const call of [
        () => motion(world, opened.outbox, 1000),
        () => opened.outbox.flushLosses(world.time(1000)),
      ]) {
        codeOf(call);
      }
      motion(world, opened.outbox, 1001);
      expect([page, silentlyLost(opened.outbox, filled.hashes)]).toEqual([page, []]);
      expect([page, brokenSums(opened.outbox)]).toEqual([page, []]);
      const here = opened.outbox.read(ALL, 1000).filter(({ seq, hash }) => filled.hashes.get(seq) === toHex(hash));
      kept += here.length;
      if (here.length === filled.hashes.size) whole++;
      close(opened);
    }
    // Most pages hold a picture or a few records. The root of a table may cost everything below it.
    expect(kept / ((pages - 1) * filled.hashes.size)).toBeGreaterThan(0.7);
    expect(whole).toBeLessThan(pages - 1);
  });

  it('that is the first one: what was published is named as lost, and no seq is used twice', () => {
    const filled = fillOutbox();
    damagePage(filled.folder, 0, seededRandom(6));
    const opened = open(world, filled.folder);
    expect(readdirSync(filled.folder)).toContain('outbox.db.corrupt-1');
    expect(opened.outbox.ownership().lastEpoch).toBe(1);
    expect(motion(world, opened.outbox, 1).value.seq).toBe(4);
    expect(namedLosses(opened.outbox)).toContainEqual({ reason: 'state-lost', seqs: [0, 2] });
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });

  it('leaves a copy of the database that is deleted with its ownership', () => {
    const filled = fillOutbox();
    damagePage(filled.folder, 0, seededRandom(6));
    const opened = open(world, filled.folder);
    const copies = (): string[] => readdirSync(filled.folder).filter((name) => name.includes('.corrupt-'));
    // The control: another claim of the same owner keeps it.
    opened.outbox.beginEpoch(world.claim(2, opened.outbox.currentClaim()?.hash ?? null), world.time(30));
    expect(copies().length).toBeGreaterThan(0);
    opened.outbox.endEpoch('release', world.time(50));
    expect(copies()).toEqual([]);
    close(opened);
  });

  it('is found while the camera runs, and repaired without a restart', () => {
    const filled = fillOutbox();
    const opened = open(world, filled.folder);
    const { outbox } = opened;
    const database = storeOf(outbox).queries.device.database;
    const root = database.prepare<[], { rootpage: number }>("SELECT rootpage FROM sqlite_schema WHERE name = 'media'");
    const page = (root.get()?.rootpage ?? 0) - 1;
    damagePage(filled.folder, page, seededRandom(7));
    database.pragma('cache_size = 0');
    expect(codeOf(() => motion(world, outbox, 1000, [picture(100)]))).toBe('store-corrupt');
    expect(motion(world, outbox, 1001).value.seq).toBe(RECORD_COUNT + 1);
    expect(silentlyLost(outbox, filled.hashes)).toEqual([]);
    expect(brokenSums(outbox)).toEqual([]);
    close(opened);
  });
});

describe('bytes that changed on disk, unnoticed by SQLite', () => {
  function corrupted(sql: string): { readonly opened: Opened; readonly filled: FilledOutbox } {
    const filled = fillOutbox();
    const raw = openRaw(join(filled.folder, 'outbox.db'));
    raw.exec(sql);
    raw.close();
    return { opened: open(world, filled.folder), filled };
  }

  it('of a record drop it, and name the loss', () => {
    const { opened, filled } = corrupted('UPDATE record SET bytes = zeroblob(length(bytes)) WHERE seq = 5');
    const records = opened.outbox.read(ALL, 1000);
    expect(records).toHaveLength(RECORD_COUNT);
    expect(opened.outbox.find({ epoch: 1, seq: 5 })).toBeNull();
    expect(namedLosses(opened.outbox)).toEqual([{ reason: 'corrupt', seqs: [5, 5] }]);
    expect(silentlyLost(opened.outbox, filled.hashes)).toEqual([]);
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });

  it('of a picture drop the picture, and keep its record', () => {
    const { opened } = corrupted('UPDATE media SET body = zeroblob(length(body)) WHERE seq = 4');
    const record = opened.outbox.find({ epoch: 1, seq: 4 });
    expect(record?.media).toEqual([null]);
    const { media = [] } = openSigned(recordKind, nodeSuite, record?.bytes ?? new Uint8Array(0)).value;
    expect(namedLosses(opened.outbox)).toEqual([{ reason: 'corrupt', media: media.map(({ id }) => id) }]);
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });
});

describe('lost files', () => {
  it('the mirror: it is written again at start', () => {
    const { folder, hashes } = fillOutbox();
    rmSync(join(folder, 'outbox.mirror'));
    const opened = open(world, folder);
    expect(opened.mirror.state).toMatchObject({ epoch: 1, seq: null });
    expect(silentlyLost(opened.outbox, hashes)).toEqual([]);
    close(opened);
  });

  it('the database: the owner stays, and a gap names the lost state', () => {
    const { folder } = fillOutbox();
    rmSync(join(folder, 'outbox.db'));
    const opened = open(world, folder);
    expect(opened.outbox.ownership().lastEpoch).toBe(1);
    expect(namedLosses(opened.outbox)).toEqual([{ reason: 'state-lost', seqs: [0, 2] }]);
    close(opened);
  });

  it('the database before anything was published: the loss is counted', () => {
    const folder = tempFolder();
    close(claimed(world, folder));
    rmSync(join(folder, 'outbox.db'));
    const opened = open(world, folder);
    expect(namedLosses(opened.outbox)).toEqual([{ reason: 'state-lost', count: 1 }]);
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });
});

describe('an older program on a newer database', () => {
  it('refuses a newer schema that is still in the write-ahead log, changes no file, and gives a hint', () => {
    const { folder } = fillOutbox();
    const raw = openRaw(join(folder, 'outbox.db'));
    raw.pragma('wal_autocheckpoint = 0');
    raw.pragma(`user_version = ${String(SCHEMA_VERSION + 1)}`);
    const cut = tempFolder();
    const names = ['outbox.db', 'outbox.db-wal', 'outbox.mirror'];
    for (const name of names) copyFileSync(join(folder, name), join(cut, name));
    raw.close();
    const before = names.map((name) => readFileSync(join(cut, name)));
    expect(before[0]?.readUInt32BE(60)).toBe(SCHEMA_VERSION);
    let hint: unknown;
    try {
      open(world, cut);
    } catch (error) {
      hint = error;
    }
    expect(hint).toMatchObject({
      code: 'store-newer',
      hint: expect.stringContaining('Install that version') as string,
    });
    expect(names.map((name) => readFileSync(join(cut, name)))).toEqual(before);
    expect(readdirSync(cut).sort()).toEqual([...names].sort());
    // The control: frames that SQLite would not replay do not count. The last one is torn, as after a power cut.
    const wal = join(cut, 'outbox.db-wal');
    const torn = readFileSync(wal);
    torn.fill(0xee, torn.length - 1000);
    writeFileSync(wal, torn);
    close(open(world, cut));
  });
});

describe('a named loss', () => {
  it('is named again when the record that named it is dropped', () => {
    const opened = claimed(world, tempFolder(), 20_000);
    const { outbox } = opened;
    const hashes = new Map<number, string>();
    for (let i = 0; i < 300; i++) {
      const { value, hash } = motion(world, outbox, i, i % 10 === 0 ? [picture(3000)] : []);
      hashes.set(value.seq, toHex(hash));
      if (i % 20 === 0) outbox.flushLosses(world.time(i));
    }
    expect(outbox.totals().lost).toBeGreaterThan(200);
    expect(silentlyLost(outbox, hashes)).toEqual([]);
    // Neither ranges nor pictures of dropped records pile up.
    const rows = storeOf(outbox).queries.device.database.prepare<[], { n: number }>(
      'SELECT count(*) AS n FROM pending_loss',
    );
    expect(rows.get()?.n).toBeLessThan(60);
    close(opened);
  });

  it('is deleted once its record is receipted', () => {
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    outbox.countLoss('failed');
    const gap = outbox.flushLosses(world.time(1));
    const claim = outbox.currentClaim();
    if (gap === null || claim === null) throw new Error('no gap record');
    outbox.applyReceipt(world.receipt(claim, [[0, 1, gap.hash]]), world.time(0));
    expect(storeOf(outbox).queries.device.database.prepare('SELECT * FROM pending_loss').all()).toEqual([]);
    close(opened);
  });

  it('of a closed epoch is counted in the open one', () => {
    const opened = claimed(world, tempFolder(), 20_000);
    const { outbox, claimHash } = opened;
    for (let i = 0; i < 20; i++) motion(world, outbox, i);
    outbox.beginEpoch(world.claim(2, claimHash), world.time(30));
    for (let i = 0; i < 60; i++) motion(world, outbox, 40 + i);
    const lost = storeOf(outbox).queries.epoch.get(1)?.lost ?? 0;
    expect(lost).toBeGreaterThan(0);
    expect(namedLosses(outbox)).toContainEqual({ reason: 'full', count: lost });
    close(opened);
  });

  it('comes before the tombstone, in as many gap records as needed', () => {
    const opened = claimed(world, tempFolder());
    const { outbox, claimHash } = opened;
    for (let i = 0; i < 200; i++) motion(world, outbox, i);
    for (let i = 0; i < 100; i++) storeOf(outbox).losses.addRange(1, 'failed', 2 * i, 2 * i);
    outbox.beginEpoch(world.claim(2, claimHash), world.time(30));
    const kinds = outbox
      .read({ epoch: 1, seq: 200 }, 100)
      .map(({ bytes }) => openSigned(recordKind, nodeSuite, bytes).value);
    expect(kinds.map(({ kind }) => kind)).toEqual(['gap', 'gap', 'gap', 'tombstone', 'accept']);
    expect(kinds.flatMap(({ loss }) => loss ?? [])).toHaveLength(100);
    close(opened);
  });
});

describe('the end of an ownership', () => {
  it('erases older epochs too, except their accept and tombstone', () => {
    const opened = claimed(world, tempFolder());
    const { outbox, claimHash } = opened;
    motion(world, outbox, 1, [picture(3000)]);
    outbox.beginEpoch(world.claim(2, claimHash), world.time(30));
    motion(world, outbox, 40, [picture(3000)]);
    outbox.endEpoch('reset', world.time(50));
    const kinds = outbox.read(ALL, 100).map(({ epoch, bytes }) => {
      return `${String(epoch)} ${openSigned(recordKind, nodeSuite, bytes).value.kind}`;
    });
    expect(kinds).toEqual(['1 accept', '1 tombstone', '2 accept', '2 tombstone']);
    expect(brokenSums(outbox)).toEqual([]);
    close(opened);
  });

  it('is noted in the mirror at the next start if the power failed before the note', () => {
    const folder = tempFolder();
    const opened = claimed(world, folder);
    opened.outbox.endEpoch('reset', world.time(50));
    close(opened);
    close(open(world, folder));
    rmSync(join(folder, 'outbox.db'));
    const later = open(world, folder);
    expect(later.outbox.currentClaim()).toBeNull();
    close(later);
  });

  it('also erases quarantine and orders of a database that was rolled back', () => {
    const folder = tempFolder();
    const first = claimed(world, folder);
    const claim = first.outbox.currentClaim();
    const record = motion(world, first.outbox, 1);
    if (claim === null) throw new Error('unclaimed');
    first.outbox.applyReceipt(world.receipt(claim, [], { rejects: [[1, record.hash, 'malformed']] }), world.time(0));
    close(first);
    copyFileSync(join(folder, 'outbox.db'), join(folder, 'backup'));
    const second = open(world, folder);
    second.outbox.endEpoch('reset', world.time(9));
    noteOwnership(second.outbox, second.mirror);
    close(second);
    copyFileSync(join(folder, 'backup'), join(folder, 'outbox.db'));
    const third = open(world, folder);
    expect(storeOf(third.outbox).queries.quarantineSize.get()?.records).toBe(0);
    close(third);
    expect(existsSync(join(folder, 'outbox.db.corrupt-1'))).toBe(false);
  });
});
