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

/** Everything that a camera ever says to be lost, its queue and what it says next together. */
function saidLost(outbox: Outbox): readonly RecordLoss[] {
  for (let i = 0; i < 50 && outbox.flushLosses(world.time(1e6 + i)) !== null; i++);
  return outbox.read(ALL, 1000).flatMap(({ bytes }) => openSigned(recordKind, nodeSuite, bytes).value.loss ?? []);
}

/** Records of a list that are neither in the queue nor said to be lost. */
function silentlyLost(outbox: Outbox, hashes: ReadonlyMap<number, string>): number[] {
  const losses = saidLost(outbox);
  const here = new Map(outbox.read(ALL, 1000).map(({ seq, hash }) => [seq, toHex(hash)]));
  return [...hashes].flatMap(([seq, hash]) => {
    const isSaid = losses.some(({ seqs }) => seqs !== undefined && seqs[0] <= seq && seq <= seqs[1]);
    return here.get(seq) === hash || isSaid ? [] : [seq];
  });
}

interface Full {
  readonly folder: string;
  readonly hashes: Map<number, string>;
}

const RECORDS = 15;

/** A queue with pictures, of which the first three records were published. */
function full(): Full {
  const folder = tempFolder();
  const opened = claimed(world, folder);
  for (let i = 0; i < RECORDS; i++) motion(world, opened.outbox, i, i % 5 === 3 ? [picture(6000)] : []);
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

function copyOf({ folder }: Full): string {
  const copy = tempFolder();
  for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(copy, name));
  return copy;
}

describe('a page of the database that is overwritten', () => {
  it('costs what was on it, and that is said; everything else is still there', () => {
    const queue = full();
    const pages = readFileSync(join(queue.folder, 'outbox.db')).length / PAGE_BYTES;
    const random = seededRandom(5);
    let [kept, whole] = [0, 0];
    for (let page = 1; page < pages; page++) {
      const folder = copyOf(queue);
      damagePage(folder, page, random);
      const opened = open(world, folder);
      // The first call may be the one that finds it, and fails; the next goes on.
      for (const call of [
        () => motion(world, opened.outbox, 1000),
        () => opened.outbox.flushLosses(world.time(1000)),
      ]) {
        codeOf(call);
      }
      motion(world, opened.outbox, 1001);
      expect([page, silentlyLost(opened.outbox, queue.hashes)]).toEqual([page, []]);
      expect([page, brokenSums(opened.outbox)]).toEqual([page, []]);
      const here = opened.outbox.read(ALL, 1000).filter(({ seq, hash }) => queue.hashes.get(seq) === toHex(hash));
      kept += here.length;
      if (here.length === queue.hashes.size) whole++;
      close(opened);
    }
    // Most pages hold a picture or a few records. The root of a table may cost all that is below it.
    expect(kept / ((pages - 1) * queue.hashes.size)).toBeGreaterThan(0.7);
    expect(whole).toBeLessThan(pages - 1);
  });

  it('first of all: what was published is said to be lost, and no number is used twice', () => {
    const queue = full();
    damagePage(queue.folder, 0, seededRandom(6));
    const opened = open(world, queue.folder);
    expect(readdirSync(queue.folder)).toContain('outbox.db.corrupt-1');
    expect(opened.outbox.ownership().lastEpoch).toBe(1);
    expect(motion(world, opened.outbox, 1).value.seq).toBe(4);
    expect(saidLost(opened.outbox)).toContainEqual({ reason: 'state-lost', seqs: [0, 2] });
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });

  it('the copy of a damaged database goes with the ownership under which it was made', () => {
    const queue = full();
    damagePage(queue.folder, 0, seededRandom(6));
    const opened = open(world, queue.folder);
    const copies = (): string[] => readdirSync(queue.folder).filter((name) => name.includes('.corrupt-'));
    // The control: a claim anew of the same owner's keeps it.
    opened.outbox.beginEpoch(world.claim(2, opened.outbox.currentClaim()?.hash ?? null), world.time(30));
    expect(copies().length).toBeGreaterThan(0);
    opened.outbox.endEpoch('release', world.time(50));
    expect(copies()).toEqual([]);
    close(opened);
  });

  it('is found while the camera runs, and needs no restart', () => {
    const queue = full();
    const opened = open(world, queue.folder);
    const { outbox } = opened;
    const database = storeOf(outbox).queries.device.database;
    const root = database.prepare<[], { rootpage: number }>("SELECT rootpage FROM sqlite_schema WHERE name = 'media'");
    const page = (root.get()?.rootpage ?? 0) - 1;
    damagePage(queue.folder, page, seededRandom(7));
    database.pragma('cache_size = 0');
    expect(codeOf(() => motion(world, outbox, 1000, [picture(100)]))).toBe('store-corrupt');
    expect(motion(world, outbox, 1001).value.seq).toBe(RECORDS + 1);
    expect(silentlyLost(outbox, queue.hashes)).toEqual([]);
    expect(brokenSums(outbox)).toEqual([]);
    close(opened);
  });
});

describe('bytes that changed under a checksumless database', () => {
  function spoiled(sql: string): { readonly opened: Opened; readonly queue: Full } {
    const queue = full();
    const raw = openRaw(join(queue.folder, 'outbox.db'));
    raw.exec(sql);
    raw.close();
    return { opened: open(world, queue.folder), queue };
  }

  it('of a record drop it, and say so', () => {
    const { opened, queue } = spoiled('UPDATE record SET bytes = zeroblob(length(bytes)) WHERE seq = 5');
    const records = opened.outbox.read(ALL, 1000);
    expect(records).toHaveLength(RECORDS);
    expect(opened.outbox.find({ epoch: 1, seq: 5 })).toBeNull();
    expect(saidLost(opened.outbox)).toEqual([{ reason: 'corrupt', seqs: [5, 5] }]);
    expect(silentlyLost(opened.outbox, queue.hashes)).toEqual([]);
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });

  it('of a picture drop that, and keep its record', () => {
    const { opened } = spoiled('UPDATE media SET body = zeroblob(length(body)) WHERE seq = 4');
    const record = opened.outbox.find({ epoch: 1, seq: 4 });
    expect(record?.media).toEqual([null]);
    const { media = [] } = openSigned(recordKind, nodeSuite, record?.bytes ?? new Uint8Array(0)).value;
    expect(saidLost(opened.outbox)).toEqual([{ reason: 'corrupt', media: media.map(({ id }) => id) }]);
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });
});

describe('files that are gone', () => {
  it('the mirror: it is written anew at the start', () => {
    const { folder, hashes } = full();
    rmSync(join(folder, 'outbox.mirror'));
    const opened = open(world, folder);
    expect(opened.mirror.state).toMatchObject({ epoch: 1, seq: null });
    expect(silentlyLost(opened.outbox, hashes)).toEqual([]);
    close(opened);
  });

  it('the database: the owner stays, and a gap says that the state was lost', () => {
    const { folder } = full();
    rmSync(join(folder, 'outbox.db'));
    const opened = open(world, folder);
    expect(opened.outbox.ownership().lastEpoch).toBe(1);
    expect(saidLost(opened.outbox)).toEqual([{ reason: 'state-lost', seqs: [0, 2] }]);
    close(opened);
  });

  it('the database before anything was published: that is said too', () => {
    const folder = tempFolder();
    close(claimed(world, folder));
    rmSync(join(folder, 'outbox.db'));
    const opened = open(world, folder);
    expect(saidLost(opened.outbox)).toEqual([{ reason: 'state-lost', count: 1 }]);
    expect(brokenSums(opened.outbox)).toEqual([]);
    close(opened);
  });
});

describe('a firmware that is put back', () => {
  it('refuses a newer schema that is still in the write-ahead log, touches nothing, and names the remedy', () => {
    const { folder } = full();
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
      hint: expect.stringContaining('install that version') as string,
    });
    expect(names.map((name) => readFileSync(join(cut, name)))).toEqual(before);
    expect(readdirSync(cut).sort()).toEqual([...names].sort());
    // The control: a log that SQLite would not replay is no reason. Its last page was torn, as after a power cut.
    const wal = join(cut, 'outbox.db-wal');
    const torn = readFileSync(wal);
    torn.fill(0xee, torn.length - 1000);
    writeFileSync(wal, torn);
    close(open(world, cut));
  });
});

describe('what was said to be lost', () => {
  it('is said again when the record that said it is lost too', () => {
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
    // Neither many ranges nor pictures of records that are gone pile up meanwhile.
    const rows = storeOf(outbox).queries.device.database.prepare<[], { n: number }>(
      'SELECT count(*) AS n FROM pending_loss',
    );
    expect(rows.get()?.n).toBeLessThan(60);
    close(opened);
  });

  it('is forgotten once it is receipted', () => {
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    outbox.countLoss('failed');
    const gap = outbox.flushLosses(world.time(1));
    const claim = outbox.currentClaim();
    if (gap === null || claim === null) throw new Error('nothing was said');
    outbox.applyReceipt(world.receipt(claim, [[0, 1, gap.hash]]));
    expect(storeOf(outbox).queries.device.database.prepare('SELECT * FROM pending_loss').all()).toEqual([]);
    close(opened);
  });

  it('of an epoch that is closed is said in the open one', () => {
    const opened = claimed(world, tempFolder(), 20_000);
    const { outbox, claimHash } = opened;
    for (let i = 0; i < 20; i++) motion(world, outbox, i);
    outbox.beginEpoch(world.claim(2, claimHash), world.time(30));
    for (let i = 0; i < 60; i++) motion(world, outbox, 40 + i);
    const lost = storeOf(outbox).queries.epoch.get(1)?.lost ?? 0;
    expect(lost).toBeGreaterThan(0);
    expect(saidLost(outbox)).toContainEqual({ reason: 'full', count: lost });
    close(opened);
  });

  it('fits before a tombstone, however much it is', () => {
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
  it('erases older epochs too, but their beginning and end', () => {
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

  it('is noted at the next start where the power went before the note', () => {
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

  it('takes quarantine and orders along from a database that was put back', () => {
    const folder = tempFolder();
    const first = claimed(world, folder);
    const claim = first.outbox.currentClaim();
    const record = motion(world, first.outbox, 1);
    if (claim === null) throw new Error('unclaimed');
    first.outbox.applyReceipt(world.receipt(claim, [], { rejects: [[1, record.hash, 'malformed']] }));
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
