import { parentPort, workerData } from 'node:worker_threads';
import { fuzz, type Failure, type Tally } from './harness.js';
import { TARGETS } from './targets/index.js';

/** Task of the thread that decodes. */
export interface Job {
  readonly seed: number;
  readonly firstIteration: number;
  readonly iterations: number;
  readonly untilMs: number;
  /** Indexes into TARGETS. */
  readonly targets: readonly number[];
  /** Target and iteration that run now, and the number of executions; the watching thread reads it. */
  readonly now: Int32Array;
}

export interface Result {
  readonly tallies: readonly Tally[];
  readonly failures: readonly Failure[];
}

const { seed, firstIteration, iterations, untilMs, targets, now } = workerData as Job;
const chosen = targets.flatMap((index) => TARGETS[index] ?? []);
const result: Result = await fuzz(chosen, {
  seed,
  firstIteration,
  iterations,
  isOver: () => Date.now() >= untilMs,
  onStart: (target, iteration) => {
    Atomics.store(now, 0, target);
    Atomics.store(now, 1, iteration);
    Atomics.add(now, 2, 1);
  },
});
parentPort?.postMessage(result);
