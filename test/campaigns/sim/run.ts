import { Worker } from 'node:worker_threads';
import type { Outcome } from './world.js';

/** What a thread is given: seeds from..from+count-1 that leave this remainder, and the name of a planted bug. */
export interface Share {
  readonly from: number;
  readonly count: number;
  readonly every: number;
  readonly remainder: number;
  readonly plant: string | null;
}

/** Runs seeds in threads, and tells each outcome as it comes; a planted bug ends a thread's share at its first find. */
export async function runSeeds(
  { from, count, plant }: Pick<Share, 'from' | 'count' | 'plant'>,
  threads: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<void> {
  const thread = (remainder: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const share: Share = { from, count, plant, every: threads, remainder };
      const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: share });
      worker.on('message', onOutcome);
      worker.once('error', reject);
      worker.once('exit', (code) => {
        if (code === 0) resolve();
        else reject(new Error(`a thread of the simulation ended with ${String(code)}`));
      });
    });
  await Promise.all(Array.from({ length: threads }, (_, remainder) => thread(remainder)));
}
