import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../../common/seeded-random.js';
import { CUTS, Disk, readImage, writeImage, type Cut, type Image } from './disk.js';
import { add, emptySum, type Sum } from './kills.js';
import { judge } from './oracle.js';
import { readLog, watched, type Change } from './recorder.js';
import { runWorker } from './run.js';
import { readLines, type Line } from './world.js';

/** Lives that are recorded of one camera; each begins with what a cut of the one before left. */
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
  readonly onCycle?: (sum: Sum) => void;
}

interface Begin {
  readonly image: Image;
  readonly lines: readonly Line[];
}

/**
 * Records lives of a camera, and for moments all over each of them makes a disk as it may be after a power cut, opens it
 * and judges. No process dies here: what a kill leaves in the system's cache is lost in a power cut, and only the record
 * of writes and syncs knows what was there.
 */
export async function runPowercuts(options: PowercutOptions): Promise<Sum> {
  const sum = emptySum();
  for (let camera = options.seed; sum.cycles < options.cuts; camera++) {
    let begin: Begin = { image: new Map(), lines: [] };
    for (let life = 0; life < LIVES && sum.cycles < options.cuts; life++) {
      begin = await oneLife(options, sum, { camera, life }, begin);
    }
  }
  return sum;
}

async function oneLife(
  { cuts, folder, library, synchronous, onCycle }: PowercutOptions,
  sum: Sum,
  { camera, life }: { readonly camera: number; readonly life: number },
  begin: Begin,
): Promise<Begin> {
  const random = seededRandom(camera * 1000 + life);
  const { changes, disk } = await record({
    begin,
    camera,
    life,
    library,
    home: join(folder, 'home'),
    log: join(folder, 'log'),
    ...(synchronous === undefined ? {} : { synchronous }),
  });
  const moments = momentsOf(changes.length, Math.min(CUTS_PER_LIFE, cuts - sum.cycles), random.uniform);
  let said = '';
  let next = begin;
  let committed = 0;
  let dropped = 0;
  for (const [i, change] of changes.entries()) {
    disk.apply(change);
    if (change.kind === 'report') said += change.text;
    for (let n = moments.get(i) ?? 0; n > 0; n--) {
      const how = CUTS[sum.cycles % CUTS.length] ?? 'nothing';
      const image = disk.cut(how, random);
      const lines = [...begin.lines, ...readLines(said)];
      const copy = join(folder, 'judged');
      writeImage(image, copy);
      const verdict = judge(camera, copy, lines);
      rmSync(copy, { recursive: true });
      add(sum, verdict, `camera ${String(camera)}, life ${String(life)}, change ${String(i)} ${change.kind}, ${how}`);
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
  readonly begin: Begin;
  readonly camera: number;
  readonly life: number;
  readonly library: string;
  readonly home: string;
  readonly log: string;
  readonly synchronous?: 'NORMAL';
}

/** Runs a life on the disk that a cut left, and gives its changes with the disk before the first of them. */
async function record(recording: Recording): Promise<{ readonly changes: Change[]; readonly disk: Disk }> {
  const { begin, camera, life, library, home, log, synchronous } = recording;
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
      ...(synchronous === undefined ? {} : { synchronous }),
    },
    watched({ library, folder: home, log }),
  );
  const changes = readLog(log);
  requireWhole(changes, Disk.of(begin.image, inodes), home);
  return { changes, disk: Disk.of(begin.image, inodes) };
}

/** What was recorded must give the folder that is there; else the recorder missed something and proves nothing. */
export function requireWhole(changes: readonly Change[], disk: Disk, home: string): void {
  for (const change of changes) disk.apply(change);
  const replayed = disk.cut('everything', seededRandom(0));
  const real = readImage(home);
  const names = new Set([...replayed.keys(), ...real.keys()]);
  for (const name of names) {
    const [a, b] = [replayed.get(name), real.get(name)];
    if (a === undefined || b === undefined || !a.equals(b)) throw new Error(`the recorder missed changes to ${name}`);
  }
}

/** So many moments, spread evenly over all changes with a random place in each part. */
function momentsOf(changes: number, count: number, uniform: () => number): Map<number, number> {
  const moments = new Map<number, number>();
  for (let n = 0; n < count; n++) {
    const at = Math.min(changes - 1, Math.floor(((n + uniform()) * changes) / count));
    moments.set(at, (moments.get(at) ?? 0) + 1);
  }
  return moments;
}

export type { Cut };
