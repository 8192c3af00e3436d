/** The process that is killed, recorded or given a failing disk: `worker.js JOB`, with the job as JSON. */
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isSealcamError } from '../../../common/errors.js';
import { toHex } from '../../../common/bytes.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { fileName } from '../../../agent/outbox/bodies.js';
import type { Database } from '../../../agent/outbox/sqlite.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { REPORT_FD } from './recorder.js';
import { Life, pickStep, type Report } from './steps.js';
import { cameraOf, openFolder } from './world.js';
import { dropKeys, storeOf } from '../../support/outbox-store.js';

export interface Job {
  readonly folder: string;
  /** Seed of the camera. */
  readonly seed: number;
  /** Number of lives before this one, which seeds what this one does. */
  readonly life: number;
  readonly steps: number;
  /** Kill -9 at this point, counting one before and one after each statement that changes the database. */
  readonly killAtStatement?: number;
  /** Kill -9 between this key record, counted from one, and what is sealed in its period. */
  readonly killAfterKey?: number;
  /** The control of the power cuts: the library's default in WAL mode, which does not sync at each commit. */
  readonly synchronous?: 'NORMAL';
  /** The control of the kills: reports each record as committed before its commit. */
  readonly reportsEarly?: boolean;
  /** Its claims are of version 2: what is sealed needs the key record of its period. */
  readonly isVersionTwo?: boolean;
  /** It makes clips. */
  readonly hasClips?: boolean;
  /** The control: bodies of clips are not synced before their rows. */
  readonly hasUnsyncedBodies?: boolean;
  /** The control: its outbox drops by size, age and reject alone, key records too. */
  readonly dropsKeys?: boolean;
  /** Make this many events instead of the steps, for measuring what each costs. */
  readonly costs?: { readonly events: number; readonly pictureBytes: number };
  readonly maxBytes?: number;
  /** Exit without closing anything. */
  readonly isAbrupt?: boolean;
}

const LIFE_MS = 60_000;

const job = JSON.parse(process.argv[2] ?? '') as Job;
const random = seededRandom(job.seed * 1000 + job.life);
const camera = cameraOf(job.seed);
const startMs = job.life * LIFE_MS;
const report: Report = (line) => {
  writeSync(REPORT_FD, `${JSON.stringify(line)}\n`);
};

/** Runs one step. An error of the outbox is reported, and the life goes on. Returns whether the step succeeded. */
function tryStep(step: string, run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    report({ is: 'failed', step, code: error.code });
    return false;
  }
}

function writeUnsynced(folder: string, outbox: Outbox): void {
  const { bodies } = storeOf(outbox);
  bodies.sync = () => undefined;
  bodies.write = (name, body) => {
    writeFileSync(join(folder, fileName(name)), body);
  };
}

function killAt(outbox: Outbox, statement: number): void {
  let count = 0;
  const { queries, segments } = storeOf(outbox);
  for (const query of [...Object.values(queries), ...Object.values(segments.queries)]) {
    const run = query.run.bind(query);
    query.run = (...args) => {
      if (++count === statement) process.kill(process.pid, 'SIGKILL');
      const result = run(...args);
      if (++count === statement) process.kill(process.pid, 'SIGKILL');
      return result;
    };
  }
}

tryStep('open', () => {
  const opened = openFolder(camera, job.folder, startMs, job.maxBytes);
  const { outbox, mirror, key } = opened;
  report({ is: 'key', key: toHex(key) });
  const database: Database = storeOf(outbox).queries.device.database;
  if (job.synchronous !== undefined) database.pragma(`synchronous = ${job.synchronous}`);
  if (job.dropsKeys === true) dropKeys(outbox);
  if (job.hasUnsyncedBodies === true) writeUnsynced(job.folder, outbox);
  if (job.killAtStatement !== undefined) killAt(outbox, job.killAtStatement);
  let keys = 0;
  const life = new Life({
    camera,
    opened,
    random,
    startMs,
    report,
    reportsEarly: job.reportsEarly,
    isTwo: job.isVersionTwo === true,
    onKey: () => {
      if (++keys === job.killAfterKey) process.kill(process.pid, 'SIGKILL');
    },
  });
  if (job.costs !== undefined) life.makeEvents(job.costs.events, job.costs.pictureBytes);
  for (let i = 0; i < job.steps; i++) {
    if (
      !tryStep('claim', () => {
        life.ensureOwner();
      })
    )
      continue;
    const [name, step] = pickStep(random, job.hasClips);
    tryStep(name, () => {
      step(life);
    });
  }
  if (job.isAbrupt === true) return;
  mirror.close();
  outbox.close();
});
report({ is: 'end' });
process.exit(0);
