import { parentPort, workerData } from 'node:worker_threads';
import { PLANTS } from './plants.js';
import type { Share } from './run.js';
import { runSeed } from './world.js';

const { from, count, every, remainder, plant, found } = workerData as Share;
const planted = plant === null ? undefined : PLANTS[plant];
/** With a planted bug the first find of any thread ends the run; without one every failure is wanted. */
const isFound = (): boolean => Atomics.load(found, 0) !== 0;

for (let i = remainder; i < count && !isFound(); i += every) {
  const outcome = await runSeed(from + i, { ...(planted === undefined ? {} : { plant: planted }), isStopped: isFound });
  // A world that another thread's find cut short has no outcome.
  if (isFound()) break;
  const isFind = planted !== undefined && outcome.violation !== null;
  if (isFind && Atomics.compareExchange(found, 0, 0, 1) !== 0) break;
  parentPort?.postMessage(outcome);
}
