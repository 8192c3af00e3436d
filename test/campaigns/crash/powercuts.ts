import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../../common/seeded-random.js';
import { CUTS, Disk, readImage, writeImage, type Image } from './disk.js';
import type { CloudJob } from './cloud-worker.js';
import type { Verdict } from './oracle.js';
import { readLog, watched, type Change } from './recorder.js';
import { runWorker } from './run.js';
import { addVerdict, emptySum, type Sum } from './sum.js';
import type { Job } from './worker.js';
import { readLines, type Line } from './world.js';

/** Recorded lives of one camera; each starts on what a cut left of the one before. */
const LIVES = 4;
const CUTS_PER_LIFE = 25;
/** One cut in this many comes right after a key record, where a life makes any. */
const KEY_CUT = 5;

/** What is recorded, cut off and judged: a camera's outbox, or a cloud's store. */
export interface Recordable {
  readonly job: (camera: number, life: number, home: string) => Job | CloudJob;
  readonly judge: (camera: number, folder: string, lines: readonly Line[]) => Promise<Verdict>;
}

export interface PowercutOptions {
  readonly cuts: number;
  readonly seed: number;
  /** An empty folder. */
  readonly folder: string;
  readonly library: string;
  readonly recordable: Recordable;
  readonly onCycle?: ((sum: Sum) => void) | undefined;
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
  { cuts, folder, library, recordable, onCycle }: PowercutOptions,
  sum: Sum,
  { camera, life }: { readonly camera: number; readonly life: number },
  begin: LifeStart,
): Promise<LifeStart> {
  const random = seededRandom(camera * 1000 + life);
  const home = join(folder, 'home');
  const job = recordable.job(camera, life, home);
  const { changes, disk } = await recordLife({ begin, job, home, log: join(folder, 'log'), library });
  const moments = momentsOf(changes, Math.min(CUTS_PER_LIFE, cuts - sum.cycles), random.uniform);
  let reports = '';
  let next = begin;
  let committed = 0;
  let dropped = 0;
  let bound = 0;
  for (const [i, change] of changes.entries()) {
    disk.apply(change);
    if (change.kind === 'report') reports += change.text;
    for (let n = moments.get(i) ?? 0; n > 0; n--) {
      const how = CUTS[sum.cycles % CUTS.length] ?? 'nothing';
      const image = disk.cut(how, random);
      const lines = [...begin.lines, ...readLines(reports)];
      const copy = join(folder, 'judged');
      writeImage(image, copy);
      const verdict = await recordable.judge(camera, copy, lines);
      rmSync(copy, { recursive: true });
      addVerdict(
        sum,
        verdict,
        `camera ${String(camera)}, life ${String(life)}, change ${String(i)} ${change.kind}, ${how}`,
      );
      ({ committed, dropped, bound } = verdict);
      next = { image, lines };
      onCycle?.(sum);
    }
  }
  const before = begin.lines.filter((line) => line.is === 'record').length;
  sum.committed += committed - before;
  sum.dropped += dropped;
  sum.bound += bound;
  return next;
}

interface Recording {
  readonly begin: LifeStart;
  readonly job: Job | CloudJob;
  readonly home: string;
  readonly log: string;
  readonly library: string;
}

/** Runs a life on the disk that a cut left. Returns its changes, and the disk before the first of them. */
async function recordLife(recording: Recording): Promise<{ readonly changes: Change[]; readonly disk: Disk }> {
  const { begin, job, home, log, library } = recording;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  writeImage(begin.image, home);
  const inodes = new Map(
    readdirSync(home).map((name) => [name, statSync(join(home, name), { bigint: true }).ino.toString()]),
  );
  await runWorker(job, watched({ library, folder: home, log }));
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

/**
 * Spreads moments evenly over all changes, each at a random place in its part; one in {@link KEY_CUT} of them falls between the
 * commit of a key record and the next commit instead.
 */
function momentsOf(changes: readonly Change[], count: number, uniform: () => number): Map<number, number> {
  const moments = new Map<number, number>();
  const add = (at: number): void => void moments.set(at, (moments.get(at) ?? 0) + 1);
  const keys = betweenKeyAndObject(changes);
  const targeted = Math.min(keys.length, Math.floor(count / KEY_CUT));
  for (let n = 0; n < targeted; n++) {
    const [from, to] = keys[Math.floor(((n + uniform()) * keys.length) / targeted)] ?? [0, 0];
    add(from + Math.floor(uniform() * (to - from)));
  }
  const spread = count - targeted;
  for (let n = 0; n < spread; n++) {
    add(Math.min(changes.length - 1, Math.floor(((n + uniform()) * changes.length) / spread)));
  }
  return moments;
}

/** Returns the ranges of changes from the report of a key record to the report of the next record. */
function betweenKeyAndObject(changes: readonly Change[]): (readonly [from: number, to: number])[] {
  const records = changes.flatMap((change, at) => {
    const line = change.kind === 'report' ? readLines(change.text)[0] : undefined;
    return line?.is === 'record' ? [{ at, isKey: line.isKey === true }] : [];
  });
  return records.flatMap(({ at, isKey }, i) => (isKey ? [[at, records[i + 1]?.at ?? changes.length] as const] : []));
}
