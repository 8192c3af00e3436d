import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { archiveAccess, type ArchivedDay } from '../../../../cloud/cli/access-archive.js';
import { archivedDays, dayName, dayNamed, readArchive } from '../../../../cloud/cli/access-files.js';
import { affectedWithArchive } from '../../../../cloud/cli/access-summaries.js';
import { DAY_MS } from '../../../../cloud/store/rows.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import type { AccessEntry, AccessStore, AccessSummary } from '../../../../cloud/store/store.js';
import { asyncCodeOf } from '../../../support/codes.js';
import { afterThisTest } from '../../../support/runner/after-test.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

/** A UTC day, 2026-01-31. */
const DAY = 20_484;
const [READER, DEVICE] = [realRandom.bytes(32), realRandom.bytes(32)];

function line(atMs: number, change: Partial<AccessEntry> = {}): AccessEntry {
  return {
    atMs,
    reader: READER,
    device: DEVICE,
    epoch: 1,
    what: 'records',
    fromSeq: 1,
    toSeq: 9,
    mediaId: null,
    ...change,
  };
}

/** Two lines of one day, one of the next, and one of the day after, which stays. */
const LINES = [
  line(DAY * DAY_MS),
  line((DAY + 1) * DAY_MS - 1, { what: 'media', mediaId: realRandom.bytes(16), fromSeq: 4, toSeq: 4 }),
  line((DAY + 1) * DAY_MS + 5, { what: 'export', fromSeq: 0, toSeq: 12 }),
  line((DAY + 2) * DAY_MS, { what: 'stream', fromSeq: null, toSeq: null }),
];

/** A look, from beginning to end. */
const LOOK_SESSION = realRandom.bytes(16);
const LOOK_LINES = [null, { bytes: 5_000_000_000, seconds: 42 }].map((end, i) =>
  line(DAY * DAY_MS + i, { what: 'look', fromSeq: null, toSeq: null, look: { session: LOOK_SESSION, end } }),
);

class ArchiveWorld {
  readonly access: AccessStore;
  readonly folder = join(tempFolder(), 'archive');
  readonly clock = new VirtualClock();

  private constructor(access: AccessStore) {
    this.access = access;
  }

  static async open(lines: readonly AccessEntry[] = LINES): Promise<ArchiveWorld> {
    const store = openSqliteStore(join(tempFolder(), 'cloud.db'));
    afterThisTest(() => store.close());
    const world = new ArchiveWorld(store.access);
    await world.access.append(lines);
    return world;
  }

  /** Archives what is before 2026-02-02. */
  async archive(access: AccessStore = this.access): Promise<ArchivedDay[]> {
    const days: ArchivedDay[] = [];
    await archiveAccess(access, { folder: this.folder, beforeDay: DAY + 2, clock: this.clock }, (day) =>
      days.push(day),
    );
    return days;
  }

  /** The lines of every file, without the numbers that the store gave them. */
  async archived(): Promise<AccessEntry[]> {
    const found: AccessEntry[] = [];
    for (const day of archivedDays(this.folder)) {
      for await (const { id, ...entry } of readArchive(join(this.folder, `access-${dayName(day)}.jsonl.gz`))) {
        expect(id).toBeGreaterThan(0);
        found.push(entry);
      }
    }
    return found;
  }

  async stored(): Promise<AccessEntry[]> {
    return (await this.access.lines(0, Number.MAX_SAFE_INTEGER, null, 99)).map(({ id: _, ...entry }) => entry);
  }

  affected(sinceMs: number, untilMs: number): Promise<readonly AccessSummary[]> {
    return affectedWithArchive(this.access, this.folder, { device: null, fromMs: sinceMs, untilMs });
  }
}

it('writes a file for each day that is over, private and readable by anything, and leaves the rest', async () => {
  const world = await ArchiveWorld.open();
  const days = await world.archive();
  expect(days.map(({ day, moved, lines }) => [dayName(day), moved, lines])).toEqual([
    ['2026-01-31', 2, 2],
    ['2026-02-01', 1, 1],
  ]);
  const names = ['access-2026-01-31.jsonl.gz', 'access-2026-02-01.jsonl.gz'];
  expect(readdirSync(world.folder).sort()).toEqual(names);
  const path = join(world.folder, names[0] ?? '');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const [first] = gunzipSync(readFileSync(path)).toString().split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ at: '2026-01-31T00:00:00.000Z', what: 'records', media_id: null });
  expect(await world.archived()).toEqual(LINES.slice(0, 3));
  expect(await world.stored()).toEqual(LINES.slice(3));
  expect(await world.access.archivedUntilMs()).toBe((DAY + 2) * DAY_MS);
  expect(await world.archive()).toEqual([]);
});

it('keeps what a line says of a look', async () => {
  const world = await ArchiveWorld.open(LOOK_LINES);
  await world.archive();
  expect(await world.archived()).toEqual(LOOK_LINES);
  expect(await world.affected(0, Number.MAX_SAFE_INTEGER)).toMatchObject([{ reads: 2, looks: 1, mediaObjects: 0 }]);
});

for (const step of ['noteArchived', 'removeArchived'] as const) {
  it(`loses and doubles nothing where it ends before ${step}`, async () => {
    const world = await ArchiveWorld.open();
    const ended = { ...world.access, [step]: () => Promise.reject(new Error('ended')) };
    await expect(world.archive(ended)).rejects.toThrow('ended');
    // The file is there, and every line is still in the database.
    expect(await world.archived()).toEqual(LINES.slice(0, 2));
    expect(await world.stored()).toEqual(LINES);
    expect(await world.affected(0, Number.MAX_SAFE_INTEGER)).toMatchObject([{ reads: 4 }]);
    await world.archive();
    expect(await world.archived()).toEqual(LINES.slice(0, 3));
    expect(await world.stored()).toEqual(LINES.slice(3));
  });
}

it('loses and doubles nothing where it ends in the middle of removing a day', async () => {
  const many = Array.from({ length: 1200 }, (_, i) => line(DAY * DAY_MS + i));
  const world = await ArchiveWorld.open(many);
  let removals = 0;
  const ended: AccessStore = {
    ...world.access,
    removeArchived: (day, ids) => {
      expect(ids.length).toBeLessThanOrEqual(500);
      return removals++ === 1 ? Promise.reject(new Error('ended')) : world.access.removeArchived(day, ids);
    },
  };
  await expect(world.archive(ended)).rejects.toThrow('ended');
  expect(await world.affected(0, Number.MAX_SAFE_INTEGER)).toMatchObject([{ reads: 1200 }]);
  expect(await world.archive()).toMatchObject([{ moved: 700, lines: 1200 }]);
  expect(await world.archived()).toEqual(many);
});

it('adds a line that comes late to the file of its day, and does not remove what comes while it writes', async () => {
  const world = await ArchiveWorld.open();
  const late = line(DAY * DAY_MS + 7, { what: 'stream' });
  let hasCome = false;
  const busy: AccessStore = {
    ...world.access,
    noteArchived: async (day) => {
      await world.access.noteArchived(day);
      if (!hasCome) await world.access.append([late]);
      hasCome = true;
    },
  };
  expect(await world.archive(busy)).toMatchObject([{ moved: 2 }, { moved: 1, lines: 3 }, { moved: 1 }]);
  const all = await world.archived();
  expect(all).toHaveLength(4);
  expect(all).toContainEqual(late);
});

it('keeps two lines that a restored database gave one number', async () => {
  const world = await ArchiveWorld.open();
  await world.archive();
  const restored = await ArchiveWorld.open([line(DAY * DAY_MS, { epoch: 2 })]);
  await archiveAccess(
    restored.access,
    { folder: world.folder, beforeDay: DAY + 1, clock: world.clock },
    ({ lines }) => {
      expect(lines).toBe(3);
    },
  );
  expect((await world.archived()).map(({ epoch }) => epoch).sort()).toEqual([1, 1, 1, 2]);
});

it('removes nothing where the file of a day is broken or cut, or holds something else', async () => {
  const world = await ArchiveWorld.open();
  await world.archive();
  await world.access.append(LINES.slice(0, 1));
  const path = join(world.folder, 'access-2026-01-31.jsonl.gz');
  const whole = readFileSync(path);
  truncateSync(path, whole.length - 9);
  expect(await asyncCodeOf(() => world.archive())).toBe('malformed');
  writeFileSync(path, 'not compressed');
  expect(await asyncCodeOf(() => world.archive())).toBe('malformed');
  expect(await asyncCodeOf(() => world.affected(0, Number.MAX_SAFE_INTEGER))).toBe('malformed');
  expect(await world.stored()).toHaveLength(2);
  writeFileSync(path, whole);
  expect(await world.archive()).toMatchObject([{ moved: 1, lines: 3 }]);
});

it('lets one run at a time into a folder, and forgets one that was killed', async () => {
  const world = await ArchiveWorld.open();
  const lock = join(world.folder, 'access-archive.lock');
  let code: string | undefined;
  const second: AccessStore = {
    ...world.access,
    noteArchived: async (day) => {
      code ??= await asyncCodeOf(() => world.archive());
      await world.access.noteArchived(day);
    },
  };
  expect(await world.archive(second)).toHaveLength(2);
  expect(code).toBe('store-locked');
  // No process has this number.
  writeFileSync(lock, '4194305');
  expect(await world.archive()).toEqual([]);
  expect(readdirSync(world.folder)).not.toContain('access-archive.lock');
});

it('answers who was shown what as the database did before', async () => {
  const world = await ArchiveWorld.open();
  const times = [
    [0, Number.MAX_SAFE_INTEGER],
    [DAY * DAY_MS + 1, (DAY + 1) * DAY_MS + 5],
    [(DAY + 1) * DAY_MS - 1, (DAY + 3) * DAY_MS],
  ] as const;
  const expected = await Promise.all(times.map(([since, until]) => world.access.affected(null, since, until)));
  await world.archive();
  for (const [i, [since, until]] of times.entries()) {
    // Account and relation are those of the signed claim, which this call does not read.
    const parts = expected[i]?.map((summary) => ({ ...summary, relation: 'unknown', account: null }));
    expect(await world.affected(since, until)).toEqual(parts);
  }
});

it('names days by UTC, and takes nothing else for a day', () => {
  expect(dayName(DAY)).toBe('2026-01-31');
  expect(dayNamed('2026-01-31')).toBe(DAY);
  for (const text of ['2026-02-30', '2026-1-31', '2026-01-31T00:00:00Z', '31.1.2026', '']) {
    expect(dayNamed(text)).toBeUndefined();
  }
});
