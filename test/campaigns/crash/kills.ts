import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../common/seeded-random.js';
import { judge, type Verdict } from './oracle.js';
import { watched } from './recorder.js';
import { runWorker } from './run.js';
import { isVersionTwo, type Line } from './world.js';

/** How a life ends: at a random moment, at an SQL statement, or inside a system call. */
const ENDS = ['moment', 'statement', 'call'] as const;

/** Lives of one camera before the next camera starts. */
const LIVES = 10;
const STEPS = 40;
/** About the time that the steps take, so that some lives end before the kill. */
const MOMENT_MAX_MS = 400;
const STATEMENTS_MAX = 600;
const CALLS_MAX = 500;

export interface Sum {
  cycles: number;
  committed: number;
  lost: number;
  duplicated: number;
  dropped: number;
  /** Every violation, with the camera and the life that repeats it. */
  readonly wrong: string[];
}

export function emptySum(): Sum {
  return { cycles: 0, committed: 0, lost: 0, duplicated: 0, dropped: 0, wrong: [] };
}

/** Adds a verdict to the sum; `where` names its camera, life and moment. */
export function addVerdict(sum: Sum, verdict: Verdict, where: string): void {
  sum.cycles++;
  sum.lost += verdict.lost.length;
  sum.duplicated += verdict.duplicated.length;
  const named = [
    ...verdict.lost.map((place) => `${place} is lost`),
    ...verdict.duplicated.map((place) => `${place} exists twice`),
    ...verdict.wrong,
  ];
  sum.wrong.push(...named.map((what) => `${where}: ${what}`));
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** An empty folder. */
  readonly folder: string;
  /** The recorder; without it no life ends inside a system call. */
  readonly library: string | null;
  /** The control: each record is reported before its commit. */
  readonly reportsEarly?: boolean;
  readonly onCycle?: (sum: Sum) => void;
}

/** Kills lives until their number is reached, and judges a copy of the folder after each. Runs one camera per core. */
export async function runKills(options: KillOptions): Promise<Sum> {
  const sum = emptySum();
  let next = options.seed;
  const lane = async (): Promise<void> => {
    while (sum.cycles < options.kills) await oneCamera(next++, options, sum);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return sum;
}

async function oneCamera(camera: number, options: KillOptions, sum: Sum): Promise<void> {
  const { kills, folder, library, reportsEarly = false, onCycle } = options;
  const random = seededRandom(camera);
  const home = join(folder, String(camera));
  const copy = join(folder, `${String(camera)}-judged`);
  mkdirSync(home, { recursive: true });
  const lines: Line[] = [];
  let before: Verdict = { committed: 0, lost: [], duplicated: [], dropped: 0, wrong: [] };
  for (let life = 0; life < LIVES && sum.cycles < kills; life++) {
    const how = ENDS[(camera + life) % (library === null ? 2 : ENDS.length)] ?? 'moment';
    const most = { moment: MOMENT_MAX_MS, statement: STATEMENTS_MAX, call: CALLS_MAX }[how];
    const at = 1 + Math.floor(random.uniform() * most);
    const job = { folder: home, seed: camera, life, steps: STEPS, reportsEarly, isVersionTwo: isVersionTwo(camera) };
    const ran = await runWorker(
      how === 'statement' ? { ...job, killAtStatement: at } : job,
      how === 'call' && library !== null ? watched({ library, folder: home, killAt: at }) : {},
      how === 'moment' ? at : null,
    );
    lines.push(...ran.lines);
    if (!ran.isKilled || sum.cycles >= kills) continue;
    cpSync(home, copy, { recursive: true });
    const verdict = judge(camera, copy, lines);
    rmSync(copy, { recursive: true });
    addVerdict(sum, verdict, `camera ${String(camera)}, life ${String(life)}, ${how} ${String(at)}`);
    sum.committed += verdict.committed - before.committed;
    sum.dropped += verdict.dropped - before.dropped;
    before = verdict;
    onCycle?.(sum);
  }
  rmSync(home, { recursive: true });
}
