import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../common/seeded-random.js';
import { NOTHING, type Verdict } from './oracle.js';
import type { Ran } from './run.js';
import { addVerdict, emptySum, type Sum } from './sum.js';
import type { Line } from './world.js';

/** Lives of one camera before the next camera starts. */
const LIVES = 10;

/** How a life ends, and the last moment at which it may. */
export interface End {
  readonly name: string;
  readonly most: number;
}

/** One life of the camera: its number, the folder that outlives it, and how it ends. */
export interface Life {
  readonly camera: number;
  readonly life: number;
  readonly home: string;
  readonly end: string;
  readonly at: number;
}

/** What is killed and judged: a camera's outbox, or a cloud's store. */
export interface Mortal {
  /** Cameras that live side by side; omitted, one for each core. */
  readonly lanes?: number;
  readonly endsOf: (camera: number) => readonly End[];
  readonly live: (life: Life) => Promise<Ran>;
  readonly judge: (at: Pick<Life, 'camera' | 'home'>, lines: readonly Line[]) => Promise<Verdict>;
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** An empty folder. */
  readonly folder: string;
  readonly mortal: Mortal;
  readonly onCycle?: ((sum: Sum) => void) | undefined;
}

/** Kills lives until their number is reached, and judges what is left after each. Runs one camera per core. */
export async function runKills(options: KillOptions): Promise<Sum> {
  const sum = emptySum();
  let next = options.seed;
  const lane = async (): Promise<void> => {
    while (sum.cycles < options.kills) await oneCamera(next++, options, sum);
  };
  await Promise.all(Array.from({ length: options.mortal.lanes ?? availableParallelism() }, lane));
  return sum;
}

async function oneCamera(camera: number, { kills, folder, mortal, onCycle }: KillOptions, sum: Sum): Promise<void> {
  const random = seededRandom(camera);
  const home = join(folder, String(camera));
  mkdirSync(home, { recursive: true });
  const lines: Line[] = [];
  let before = NOTHING;
  const ends = mortal.endsOf(camera);
  for (let life = 0; life < LIVES && sum.cycles < kills; life++) {
    const { name: end, most } = ends[(camera + life) % ends.length] ?? { name: 'moment', most: 1 };
    const at = 1 + Math.floor(random.uniform() * most);
    const ran = await mortal.live({ camera, life, home, end, at });
    lines.push(...ran.lines);
    if (!ran.isKilled || sum.cycles >= kills) continue;
    const verdict = await mortal.judge({ camera, home }, lines);
    addVerdict(sum, verdict, `camera ${String(camera)}, life ${String(life)}, ${end} ${String(at)}`);
    sum.committed += verdict.committed - before.committed;
    sum.dropped += verdict.dropped - before.dropped;
    sum.bound += verdict.bound - before.bound;
    before = verdict;
    onCycle?.(sum);
  }
  rmSync(home, { recursive: true });
}
