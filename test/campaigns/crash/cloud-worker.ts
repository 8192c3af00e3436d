/** The process of a cloud that is killed or recorded: `cloud-worker.js JOB`, with the job as JSON. */
import { writeSync } from 'node:fs';
import { seededRandom } from '../../../common/seeded-random.js';
import { CloudLife } from './cloud-life.js';
import { forgetKeys, openCloudStore, type StorePlace } from './cloud-store.js';
import { REPORT_FD } from './recorder.js';
import { cameraOf } from './world.js';

export interface CloudJob extends StorePlace {
  /** Seed of the camera. */
  readonly seed: number;
  /** Number of lives before this one. */
  readonly life: number;
  readonly steps: number;
  /** The control: retention deletes key records by age, as ordinary records. */
  readonly dropsKeys?: boolean;
}

const job = JSON.parse(process.argv[2] ?? '') as CloudJob;
const store = await openCloudStore(job);
const life = new CloudLife({
  camera: cameraOf(job.seed),
  store,
  random: seededRandom(job.seed * 1000 + job.life),
  report: (line) => {
    writeSync(REPORT_FD, `${JSON.stringify(line)}\n`);
  },
  ...(job.dropsKeys === true ? { forgetKeys: () => forgetKeys(job) } : {}),
});
await life.start();
for (let i = 0; i < job.steps; i++) await life.step();
await store.close();
process.exit(0);
