/** The process that is killed, watched or denied its disk: `worker.js JOB`, with the job as JSON. */
import { writeSync } from 'node:fs';
import { isSealcamError } from '../../../common/errors.js';
import { toHex } from '../../../common/bytes.js';
import { seededRandom } from '../../../common/seeded-random.js';
import type { Database } from '../../../agent/outbox/sqlite.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { REPORT_FD } from './recorder.js';
import { Life, pickStep, type Say } from './steps.js';
import { cameraOf, openFolder } from './world.js';
import { storeOf } from '../../support/outbox-store.js';

export interface Job {
  readonly folder: string;
  /** Of the camera. */
  readonly seed: number;
  /** How many lives it had before: another one does other things. */
  readonly life: number;
  readonly steps: number;
  /** kill -9 before, or after, this statement that changes the database. */
  readonly killAtStatement?: number;
  /** The control: what the library would do by itself. */
  readonly synchronous?: 'NORMAL';
  /** The control of the kills: says of each record that it is committed before it is. */
  readonly reportsEarly?: boolean;
  /** Instead of the steps: so many events, for counting what each costs. */
  readonly costs?: { readonly events: number; readonly pictureBytes: number };
  readonly maxBytes?: number;
  /** Leaves without closing anything. */
  readonly isAbrupt?: boolean;
}

const LIFE_MS = 60_000;

const job = JSON.parse(process.argv[2] ?? '') as Job;
const random = seededRandom(job.seed * 1000 + job.life);
const camera = cameraOf(job.seed);
const startMs = job.life * LIFE_MS;
const say: Say = (line) => {
  writeSync(REPORT_FD, `${JSON.stringify(line)}\n`);
};

/** Runs one thing; a disk that says no is reported, and life goes on. */
function attempt(step: string, run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    say({ is: 'failed', step, code: error.code });
    return false;
  }
}

function killAt(outbox: Outbox, statement: number): void {
  let count = 0;
  for (const query of Object.values(storeOf(outbox).queries)) {
    const run = query.run.bind(query);
    query.run = (...args) => {
      if (++count === statement) process.kill(process.pid, 'SIGKILL');
      const result = run(...args);
      if (++count === statement) process.kill(process.pid, 'SIGKILL');
      return result;
    };
  }
}

attempt('open', () => {
  const opened = openFolder(camera, job.folder, startMs, job.maxBytes);
  const { outbox, mirror, key } = opened;
  say({ is: 'key', key: toHex(key) });
  const database: Database = storeOf(outbox).queries.device.database;
  if (job.synchronous !== undefined) database.pragma(`synchronous = ${job.synchronous}`);
  if (job.killAtStatement !== undefined) killAt(outbox, job.killAtStatement);
  const life = new Life(camera, opened, random, startMs, say, job.reportsEarly);
  if (job.costs !== undefined) life.spend(job.costs.events, job.costs.pictureBytes);
  for (let i = 0; i < job.steps; i++) {
    if (
      !attempt('claim', () => {
        life.ensureOwner();
      })
    )
      continue;
    const [name, step] = pickStep(random);
    attempt(name, () => {
      step(life);
    });
  }
  if (job.isAbrupt === true) return;
  mirror.close();
  outbox.close();
});
say({ is: 'end' });
process.exit(0);
