import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRaw } from '../../../../agent/outbox/sqlite.js';
import { brokenSums } from '../../../support/outbox-sums.js';
import { storeOf } from '../../../support/outbox-store.js';
import { PeriodWorld, letPromisesRun } from '../../../support/worlds/period-world.js';

/** A camera with a period and some pictures of it. */
async function filled(pictures = 4, bytes = 6000): Promise<PeriodWorld> {
  const world = new PeriodWorld();
  await world.start();
  for (let i = 0; i < pictures; i++) await world.event(bytes);
  return world;
}

const [KEY_EPOCH, KEY_SEQ] = [1, 1];
const KEY = { epoch: KEY_EPOCH, seq: KEY_SEQ };

interface Seen {
  readonly world: PeriodWorld;
  /** What nobody can open afterwards. */
  readonly unopenable: readonly number[];
}

/** Lets something happen to the queue of a camera; as the control, to one that knows nothing of periods. */
async function after(happen: (world: PeriodWorld) => void, isControl: boolean): Promise<Seen> {
  const world = await filled();
  if (isControl) world.forgetPeriods();
  happen(world);
  return { world, unopenable: world.unopenable() };
}

/** Each way in which a record or its object leaves the queue without a receipt. */
const PATHS: readonly (readonly [name: string, happen: (world: PeriodWorld) => void])[] = [
  [
    'a limit of bytes that drops pictures',
    (world) => {
      world.limits.maxBytes = world.outbox.queued().bytes - 10_000;
      world.scene();
    },
  ],
  [
    'a limit of bytes that drops records',
    (world) => {
      // Of what has no picture, so that records go. One sealed record stays.
      storeOf(world.outbox).transaction(() => {
        const { queries } = storeOf(world.outbox);
        for (const seq of [2, 3, 4]) {
          const size = queries.mediaBytes.get(KEY_EPOCH, seq)?.bytes ?? 0;
          queries.deleteMedia.run(KEY_EPOCH, seq);
          queries.addQueued.run(0, -size);
        }
      });
      const keep = storeOf(world.outbox).queries.mediaBytes.get(KEY_EPOCH, 5)?.bytes ?? 0;
      world.limits.maxBytes = keep + 3500;
      world.scene();
    },
  ],
  [
    'a limit of age',
    (world) => {
      world.clock.advance(world.limits.maxAgeMs + 60_000);
      // The newest picture is younger than the limit; its period's key record is not.
      storeOf(world.outbox).queries.device.database.exec(
        `UPDATE record SET wall_ms = wall_ms + ${String(world.limits.maxAgeMs)} WHERE seq >= 4`,
      );
      world.scene();
    },
  ],
  [
    'giving up what the broker will not take',
    (world) => {
      world.outbox.giveUp(KEY, 'media');
      world.outbox.giveUp(KEY, 'record');
    },
  ],
  [
    'a reject of the cloud',
    (world) => {
      const [key] = world.keyRecords();
      if (key === undefined) throw new Error('no key record');
      const rejects = [[KEY_SEQ, key.hash, 'malformed']] as const;
      world.outbox.applyReceipt(world.camera.receipt(world.claim, [], { rejects }), world.time());
    },
  ],
  [
    'damage to the record on the disk',
    (world) => {
      const row = storeOf(world.outbox).queries.record.get(KEY_EPOCH, KEY_SEQ);
      const bytes = Buffer.from(row?.bytes ?? []).fill(7, 40, 60);
      storeOf(world.outbox).queries.device.database.prepare('UPDATE record SET bytes = ? WHERE seq = 1').run(bytes);
    },
  ],
  [
    'damage to the object on the disk',
    (world) => {
      const [row] = storeOf(world.outbox).queries.media.all(KEY_EPOCH, KEY_SEQ);
      const body = Buffer.from(row?.body ?? []).fill(7, 40, 60);
      storeOf(world.outbox).queries.device.database.prepare('UPDATE media SET body = ? WHERE seq = 1').run(body);
    },
  ],
  [
    'a salvage that finds it no more',
    (world) => {
      world.close();
      const path = join(world.folder, 'outbox.db');
      const raw = openRaw(path);
      raw.pragma('foreign_keys = ON');
      raw.exec('DELETE FROM record WHERE seq = 1');
      raw.close();
      renameSync(path, `${path}.salvage`);
      world.open();
    },
  ],
  [
    'a salvage that finds the record, and not its object',
    (world) => {
      world.close();
      const path = join(world.folder, 'outbox.db');
      const raw = openRaw(path);
      raw.exec('DELETE FROM media WHERE seq = 1');
      raw.close();
      renameSync(path, `${path}.salvage`);
      world.open();
    },
  ],
];

describe('a key record that something in the queue needs stays', () => {
  it.each(PATHS)('at %s', async (_, happen) => {
    const { world, unopenable } = await after(happen, false);
    expect(unopenable).toEqual([]);
    const queuedPictures = world.records().filter(({ value }) => value.kind === 'motion').length;
    expect(queuedPictures).toBeGreaterThan(0);
    expect(world.keyRecords()).toHaveLength(1);
    expect(await world.openedPictures()).toHaveLength(world.queuedPictures());
    expect(brokenSums(world.outbox)).toEqual([]);
  });

  it.each(PATHS)(
    'and the control, an outbox without periods, leaves what nobody can open: at %s',
    async (_, happen) => {
      const { unopenable } = await after(happen, true);
      expect(unopenable.length).toBeGreaterThan(0);
    },
  );

  it('on a full disk: nothing is deleted for a new one, and nothing is sealed without it', async () => {
    const world = await filled();
    const database = storeOf(world.outbox).queries.device.database;
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${String(pages)}`);
    const before = world.records().length;
    // A new period, as after a reject: its key record has no room.
    world.keeper.renew();
    await letPromisesRun();
    expect(world.sealer.isReady(world.claim)).toBe(false);
    expect(world.counters.get('periods.failed')).toBe(1);
    expect([world.records().length, world.unopenable()]).toEqual([before, []]);
    // The control: with room it is made, at the next attempt.
    database.pragma(`max_page_count = ${String(pages + 100)}`);
    world.clock.advance(1000);
    await letPromisesRun();
    expect(world.sealer.isReady(world.claim)).toBe(true);
  });
});

describe('a key record', () => {
  it('goes like any other once nothing needs it and two newer ones are here', async () => {
    const world = await filled(1);
    for (let i = 0; i < 2; i++) {
      world.keeper.renew();
      await letPromisesRun();
    }
    const [, event, second] = world
      .records()
      .map(({ value }) => value.seq)
      .slice(1);
    expect([event, second]).toEqual([2, 3]);
    world.outbox.giveUp({ epoch: 1, seq: 1 }, 'record');
    // The control: its picture is still here.
    expect(world.keyRecords()).toHaveLength(3);
    world.receipt(2, 2);
    expect(world.outbox.giveUp({ epoch: 1, seq: 1 }, 'record')).toBe('record');
    expect(world.outbox.giveUp({ epoch: 1, seq: 3 }, 'record')).toBeNull();
    expect(brokenSums(world.outbox)).toEqual([]);
  });

  it('is kept once, and not twice, after its receipt; the period goes on', async () => {
    const world = await filled(1);
    const copies = (): unknown =>
      storeOf(world.outbox).queries.device.database.prepare('SELECT count(record) AS n FROM period').get();
    expect(copies()).toEqual({ n: 1 });
    world.receipt(0, 2);
    expect(copies()).toEqual({ n: 0 });
    await world.event();
    expect(world.unopenable()).toEqual([]);
    expect(world.keyRecords()).toEqual([]);
  });

  it('that the cloud refuses ends its period, and goes when nothing needs it any more', async () => {
    const world = await filled(1);
    const [key] = world.keyRecords();
    if (key === undefined) throw new Error('no key record');
    const refuse = (): ReturnType<typeof world.outbox.applyReceipt> =>
      world.outbox.applyReceipt(
        world.camera.receipt(world.claim, [], { rejects: [[1, key.hash, 'malformed']] }),
        world.time(),
      );
    expect(refuse()).toMatchObject({ keysRejected: 1, quarantined: 0 });
    for (let i = 0; i < 2; i++) {
      world.keeper.renew();
      await letPromisesRun();
    }
    await world.event();
    expect(refuse()).toMatchObject({ keysRejected: 1, quarantined: 0 });
    world.receipt(2, 2);
    expect(refuse()).toMatchObject({ keysRejected: 0, quarantined: 1 });
    expect(world.unopenable()).toEqual([]);
    expect(brokenSums(world.outbox)).toEqual([]);
  });

  it('of an erased ownership is erased with everything else', async () => {
    const world = await filled(2);
    world.outbox.endEpoch('release', world.time());
    expect(world.records().map(({ value }) => value.kind)).toEqual(['accept', 'tombstone']);
    const database = storeOf(world.outbox).queries.device.database;
    expect(database.prepare('SELECT * FROM period').all()).toEqual([]);
    expect(database.prepare('SELECT * FROM period_use').all()).toEqual([]);
  });

  it('of a superseded epoch stays with its pictures, and both drain', async () => {
    const world = await filled(2);
    world.outbox.beginEpoch(world.camera.claimV2(2, world.claim.hash), world.time(), world.camera.kemKeys);
    world.limits.maxBytes = world.outbox.queued().bytes - 5000;
    world.scene();
    expect(world.unopenable()).toEqual([]);
    expect(world.keyRecords()).toHaveLength(1);
    expect(brokenSums(world.outbox)).toEqual([]);
  });
});

describe('KEM keys', () => {
  it('are stored with the claim and beside it in the mirror, so that a lost database does not blind the owner', async () => {
    const world = await filled(1);
    expect(world.outbox.storedClaim(1)?.kemKeys).toEqual(world.camera.kemKeys);
    world.close();
    copyFileSync(join(world.folder, 'outbox.db'), join(world.folder, 'lost'));
    for (const name of ['outbox.db', 'outbox.db-wal']) renameSafely(join(world.folder, name));
    world.open();
    expect(world.outbox.storedClaim(1)?.kemKeys).toEqual(world.camera.kemKeys);
    await world.start();
    expect(world.keyRecords()).toHaveLength(1);
  });
});

function renameSafely(path: string): void {
  try {
    renameSync(path, `${path}.gone`);
  } catch {
    // The log is there only while something is in it.
  }
}
