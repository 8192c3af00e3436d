import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../../common/seeded-random.js';
import { CUTS, Disk, readImage, writeImage, type Image } from './disk.js';
import { addVerdict, emptySum, type Sum } from './kills.js';
import { judge } from './oracle.js';
import { readLog, watched, type Change } from './recorder.js';
import { runWorker } from './run.js';
import { isVersionTwo, readLines, type Line } from './world.js';

/** Recorded lives of one camera; each starts on what a cut left of the one before. */
const LIVES = 4;
const CUTS_PER_LIFE = 25;
const STEPS = 40;

export interface PowercutOptions {
  readonly cuts: number;
  readonly seed: number;
  /** An empty folder. */
  readonly folder: string;
  readonly library: string;
  /** The control: without the sync at each commit. */
  readonly synchronous?: 'NORMAL';
  /** The control: an outbox that drops key records like any other. */
  readonly dropsKeys?: boolean;
  /** Limit of the outbox. */
  readonly maxBytes?: number;
  readonly onCycle?: (sum: Sum) => void;
}

interface LifeStart {
  readonly image: Image;
  readonly lines: readonly Line[];
}

/**
 * Records lives of a camera, and for moments spread over each life makes a disk as a power cut may leave it, opens it and
 * judges it. No process is killed here: a kill leaves the system's cache intact, which a power cut does not, and only the
 * recording of writes and syncs tells them apart.
 */
export async function runPowercuts(options: PowercutOptions): Promise<Sum> {
  const sum = emptySum();
  for (let camera = options.seed; sum.cycles < options.cuts; camera++) {
    let begin: LifeStart = { image: new Map(), lines: [] };
    for (let life = 0; life < LIVES && sum.cycles < options.cuts; life++) {
      begin = await oneLife(options, sum, { camera, life }, begin);
    }
  }
  return sum;
}

async function oneLife(
  { cuts, folder, library, synchronous, dropsKeys, maxBytes, onCycle }: PowercutOptions,
  sum: Sum,
  { camera, life }: { readonly camera: number; readonly life: number },
  begin: LifeStart,
): Promise<LifeStart> {
  const random = seededRandom(camera * 1000 + life);
  const { changes, disk } = await recordLife({
    begin,
    camera,
    life,
    library,
    home: join(folder, 'home'),
    log: join(folder, 'log'),
    ...(synchronous === undefined ? {} : { synchronous }),
    ...(dropsKeys === undefined ? {} : { dropsKeys }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  const moments = momentsOf(changes.length, Math.min(CUTS_PER_LIFE, cuts - sum.cycles), random.uniform);
  let reports = '';
  let next = begin;
  let committed = 0;
  let dropped = 0;
  for (const [i, change] of changes.entries()) {
    disk.apply(change);
    if (change.kind === 'report') reports += change.text;
    for (let n = moments.get(i) ?? 0; n > 0; n--) {
      const how = CUTS[sum.cycles % CUTS.length] ?? 'nothing';
      const image = disk.cut(how, random);
      const lines = [...begin.lines, ...readLines(reports)];
      const copy = join(folder, 'judged');
      writeImage(image, copy);
      const verdict = judge(camera, copy, lines);
      rmSync(copy, { recursive: true });
      addVerdict(
        sum,
        verdict,
        `camera ${String(camera)}, life ${String(life)}, change ${String(i)} ${change.kind}, ${how}`,
      );
      ({ committed, dropped } = verdict);
      next = { image, lines };
      onCycle?.(sum);
    }
  }
  const before = begin.lines.filter((line) => line.is === 'record').length;
  sum.committed += committed - before;
  sum.dropped += dropped;
  return next;
}

interface Recording {
  readonly begin: LifeStart;
  readonly camera: number;
  readonly life: number;
  readonly library: string;
  readonly home: string;
  readonly log: string;
  readonly synchronous?: 'NORMAL';
  readonly dropsKeys?: boolean;
  readonly maxBytes?: number;
}

/** Runs a life on the disk that a cut left. Returns its changes, and the disk before the first of them. */
async function recordLife(recording: Recording): Promise<{ readonly changes: Change[]; readonly disk: Disk }> {
  const { begin, camera, life, library, home, log, synchronous, dropsKeys, maxBytes } = recording;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  writeImage(begin.image, home);
  const inodes = new Map(
    readdirSync(home).map((name) => [name, statSync(join(home, name), { bigint: true }).ino.toString()]),
  );
  await runWorker(
    {
      folder: home,
      seed: camera,
      life,
      steps: STEPS,
      isAbrupt: life % 2 === 1,
      isVersionTwo: isVersionTwo(camera),
      ...(dropsKeys === undefined ? {} : { dropsKeys }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(synchronous === undefined ? {} : { synchronous }),
    },
    watched({ library, folder: home, log }),
  );
  const changes = readLog(log);
  requireWhole(changes, Disk.of(begin.image, inodes), home);
  return { changes, disk: Disk.of(begin.image, inodes) };
}

/** @throws Error where replaying the changes does not give the real folder, since the recorder then missed a change */
function requireWhole(changes: readonly Change[], disk: Disk, home: string): void {
  for (const change of changes) disk.apply(change);
  const replayed = disk.cut('everything', seededRandom(0));
  const real = readImage(home);
  const names = new Set([...replayed.keys(), ...real.keys()]);
  for (const name of names) {
    const expected = replayed.get(name);
    const found = real.get(name);
    if (expected === undefined || found === undefined || !expected.equals(found))
      throw new Error(`the recorder missed changes to ${name}`);
  }
}

/** Spreads moments evenly over all changes, each at a random place in its part. */
function momentsOf(changes: number, count: number, uniform: () => number): Map<number, number> {
  const moments = new Map<number, number>();
  for (let n = 0; n < count; n++) {
    const at = Math.min(changes - 1, Math.floor(((n + uniform()) * changes) / count));
    moments.set(at, (moments.get(at) ?? 0) + 1);
  }
  return moments;
}
