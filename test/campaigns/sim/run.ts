import { Worker } from 'node:worker_threads';
import type { Outcome } from './world.js';

/** The worlds of one thread: of the seeds from..from+count-1 those with this remainder, and the name of a planted bug. */
export interface Share {
  readonly from: number;
  readonly count: number;
  readonly every: number;
  readonly remainder: number;
  readonly plant: string | null;
  /** Shared by all threads: not 0 once one of them has found the planted bug. */
  readonly found: Int32Array;
}

/** Runs seeds in threads and reports each outcome as it comes. A planted bug ends all threads at the first find. */
export async function runSeeds(
  { from, count, plant }: Pick<Share, 'from' | 'count' | 'plant'>,
  threads: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<void> {
  const found = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const thread = (remainder: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const share: Share = { from, count, plant, every: threads, remainder, found };
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
