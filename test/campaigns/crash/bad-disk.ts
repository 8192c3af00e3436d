import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { judge, type Verdict } from './oracle.js';
import { watched, type Failing } from './recorder.js';
import { runWorker } from './run.js';
import { isVersionTwo, type Line } from './world.js';

export interface BadDisk {
  readonly verdict: Verdict;
  /** Error codes, each with the steps that failed with it. */
  readonly failures: ReadonlyMap<string, ReadonlySet<string>>;
  /** Records that were committed after the first failure. */
  readonly later: number;
}

interface BadLife {
  readonly failing: Failing;
  readonly seed: number;
  readonly steps: number;
  readonly hasClips?: boolean;
}

/** Runs one life of a camera whose disk fails for a while, and judges its data folder on a disk that works again. */
export async function onBadDisk(
  library: string,
  folder: string,
  { failing, seed, steps, hasClips = false }: BadLife,
): Promise<BadDisk> {
  const home = join(folder, 'home');
  mkdirSync(home);
  const lines: Line[] = [];
  const camera = { folder: home, seed, hasClips, isVersionTwo: hasClips || isVersionTwo(seed) };
  lines.push(...(await runWorker({ ...camera, life: 0, steps: 10 })).lines);
  const bad = await runWorker({ ...camera, life: 1, steps }, watched({ library, folder: home, failing }));
  lines.push(...bad.lines);
  const copy = join(folder, 'judged');
  cpSync(home, copy, { recursive: true });
  const failures = new Map<string, Set<string>>();
  let later = 0;
  for (const line of bad.lines) {
    if (line.is === 'failed') failures.set(line.code, (failures.get(line.code) ?? new Set()).add(line.step));
    else if (line.is === 'record' && failures.size > 0) later++;
  }
  return { verdict: await judge(seed, copy, lines), failures, later };
}
