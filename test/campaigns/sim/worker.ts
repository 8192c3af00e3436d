import { parentPort, workerData } from 'node:worker_threads';
import { PLANTS } from './plants.js';
import type { Share } from './run.js';
import { runSeed } from './world.js';

const { from, count, every, remainder, plant } = workerData as Share;
const planted = plant === null ? undefined : PLANTS[plant];
for (let i = remainder; i < count; i += every) {
  const outcome = await runSeed(from + i, planted === undefined ? {} : { plant: planted });
  parentPort?.postMessage(outcome);
  if (planted !== undefined && outcome.violation !== null) break;
}
