/** What the campaign kills: the outbox of a camera, and the store of a cloud. */
import { cpSync, rmSync } from 'node:fs';
import type { TestPostgres } from '../../support/engines/postgres.js';
import { judgeCloud } from './cloud-oracle.js';
import type { StorePlace } from './cloud-store.js';
import type { Life, Mortal } from './kills.js';
import { judge } from './oracle.js';
import type { Recordable } from './powercuts.js';
import { watched } from './recorder.js';
import { runWorker, type Ran } from './run.js';
import { isVersionTwo } from './world.js';

const STEPS = 40;
/** Steps of a cloud: some periods of records, and their end by age. */
const CLOUD_STEPS = 60;
/** About the time that the steps take, so that some lives end before the kill. */
const MOMENT = { name: 'moment', most: 400 };
const STATEMENT = { name: 'statement', most: 600 };
const CALL = { name: 'call', most: 500 };
/** Key records of a life. */
const KEY = { name: 'key record', most: 4 };
/** Records that a cloud reported: on a loaded machine a life comes as far. */
const REPORT = { name: 'report', most: 30 };
const SERVER = { name: 'server', most: 30 };

export interface OutboxOptions {
  /** The recorder; without it no life ends inside a system call. */
  readonly library: string | null;
  /** The control: each record is reported before its commit. */
  readonly reportsEarly?: boolean;
  /** Cameras that make clips, all under claims of version 2. */
  readonly hasClips?: boolean;
}

/** The outbox: it is killed at a random moment, at an SQL statement, inside a system call, or right after a key record. */
export function outboxMortal({ library, reportsEarly = false, hasClips = false }: OutboxOptions): Mortal {
  const isTwo = (camera: number): boolean => hasClips || isVersionTwo(camera);
  return {
    endsOf: (camera) => [MOMENT, STATEMENT, ...(library === null ? [] : [CALL]), ...(isTwo(camera) ? [KEY] : [])],
    live: ({ camera, life, home, end, at }) => {
      const job = {
        folder: home,
        seed: camera,
        life,
        steps: STEPS,
        reportsEarly,
        hasClips,
        isVersionTwo: isTwo(camera),
      };
      const ending = end === STATEMENT.name ? { killAtStatement: at } : end === KEY.name ? { killAfterKey: at } : {};
      return runWorker({ ...job, ...ending }, inCall(library, home, end, at), end === MOMENT.name ? { ms: at } : null);
    },
    judge: ({ camera, home }, lines) => withCopy(home, (copy) => judge(camera, copy, lines)),
  };
}

/** The store of a cloud in a file. With `dropsKeys`, the control, retention deletes key records by age. */
export function sqliteMortal(library: string | null, dropsKeys = false): Mortal {
  return {
    endsOf: () => (library === null ? [REPORT] : [REPORT, CALL]),
    live: ({ camera: seed, life, home, end, at }) => {
      const job = { ...inFolder(home), seed, life, steps: CLOUD_STEPS, dropsKeys };
      return runWorker(job, inCall(library, home, end, at), end === REPORT.name ? { reports: at } : null);
    },
    judge: ({ camera: seed, home }, lines) => withCopy(home, (copy) => judgeCloud({ ...inFolder(copy), seed }, lines)),
  };
}

/** The store of a cloud on a server: either the cloud's process is killed, or the server, which then recovers. */
export function postgresMortal(server: TestPostgres, dropsKeys = false): Mortal {
  const prefix = dropsKeys ? 'control' : 'crash';
  const urls = new Map<number, Promise<string>>();
  const placeOf = async (camera: number): Promise<StorePlace> => {
    const url = urls.get(camera) ?? server.database(`${prefix}_${String(camera)}`);
    urls.set(camera, url);
    return { store: 'postgres', folder: '', url: await url };
  };
  const live = async ({ camera: seed, life, end, at }: Life): Promise<Ran> => {
    const job = { ...(await placeOf(seed)), seed, life, steps: CLOUD_STEPS, dropsKeys };
    if (end === REPORT.name) return runWorker(job, {}, { reports: at });
    const stops: Promise<void>[] = [];
    const ran = await runWorker(job, {}, { reports: at }, () => {
      const stop = server.stop('kill');
      stops.push(stop);
      return stop;
    });
    await Promise.all(stops);
    if (stops.length > 0) await server.start();
    return ran;
  };
  return {
    // They share the server.
    lanes: 1,
    endsOf: () => [REPORT, SERVER],
    live,
    judge: async ({ camera: seed }, lines) => judgeCloud({ ...(await placeOf(seed)), seed }, lines),
  };
}

export interface RecordedOutboxOptions {
  /** The control: without the sync at each commit. */
  readonly synchronous?: 'NORMAL';
  /** The control: an outbox that drops key records like any other. */
  readonly dropsKeys?: boolean;
  readonly hasClips?: boolean;
  /** The control: bodies of clips are not synced before their rows. */
  readonly hasUnsyncedBodies?: boolean;
  /** Limit of the outbox. */
  readonly maxBytes?: number;
  readonly steps?: number;
}

/** The outbox, for power cuts. */
export function recordedOutbox({ steps = STEPS, ...options }: RecordedOutboxOptions = {}): Recordable {
  return {
    job: (seed, life, folder) => ({
      ...options,
      folder,
      seed,
      life,
      steps,
      isAbrupt: life % 2 === 1,
      isVersionTwo: options.hasClips === true || isVersionTwo(seed),
    }),
    judge,
  };
}

/** The store of a cloud in a file, for power cuts. In the control retention deletes key records by age. */
export function recordedStore({ dropsKeys = false } = {}): Recordable {
  return {
    job: (seed, life, home) => ({ ...inFolder(home), seed, life, steps: CLOUD_STEPS, dropsKeys }),
    judge: (seed, folder, lines) => judgeCloud({ ...inFolder(folder), seed }, lines),
  };
}

function inFolder(folder: string): StorePlace {
  return { store: 'sqlite', folder, url: '' };
}

/** The environment of a life that may end inside a system call. */
function inCall(library: string | null, folder: string, end: string, killAt: number): Record<string, string> {
  return end === CALL.name && library !== null ? watched({ library, folder, killAt }) : {};
}

/** Judging may change a folder, so it gets a copy. */
async function withCopy<T>(home: string, use: (copy: string) => Promise<T>): Promise<T> {
  const copy = `${home}-judged`;
  cpSync(home, copy, { recursive: true });
  try {
    return await use(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}
