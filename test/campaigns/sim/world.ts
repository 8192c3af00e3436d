import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../common/seeded-random.js';
import type { ProtocolVersion } from '../../../protocol/objects/signed-object.js';
import { simSuite } from './suite.js';
import { settleAccounts, waitingSince, type Balance } from './account.js';
import { SimBroker } from './broker.js';
import { SimCamera } from './camera.js';
import { SimCloud } from './cloud.js';
import { scheduleFaults } from './faults.js';
import { nameOf, Oracle } from './oracle.js';
import { NO_SEGMENTS } from './segments.js';
import { SimOwner } from './owner.js';
import type { Plant } from './plants.js';
import { Scheduler } from './scheduler.js';
import { Trace } from './trace.js';
import { CALM, makeDice, type Weather } from './weather.js';

export interface Outcome extends Balance {
  readonly seed: number;
  /** Of the protocol, and of its seals. */
  readonly version: ProtocolVersion;
  /** Null if every invariant held. */
  readonly violation: string | null;
  readonly atS: number;
  readonly virtualS: number;
  readonly steps: number;
  readonly publishes: number;
  /** Bodies of clips that cameras sent, each time, and the media receipts that the cloud signed. */
  readonly uploads: number;
  readonly mediaReceipts: number;
  readonly restarts: number;
  /** Restarts of a camera that had a period in use. */
  readonly periodsCut: number;
  readonly epochs: number;
  /** Hash of the trace. */
  readonly trace: string;
}

export interface RunOptions {
  readonly plant?: Plant;
  readonly print?: (line: string) => void;
  /** Ends the world before its end once it returns true; what it returns then is no outcome. */
  readonly isStopped?: () => boolean;
}

/** Results in media receipts. */
const RESULTS = ['stored', 'deleted', 'quota', 'revoked'];
/** Share of the worlds whose cloud has little room for clips. */
const QUOTA_SHARE = 0.25;
const MINUTE_MS = 60_000;
const ORACLE_CHECK_MS = 5000;
/** After the faults: every record made before must be settled within this time. */
const SETTLED_WITHIN_MS = 3_600_000;

function isOwned({ life, agent }: SimCamera): boolean {
  return !life.isDead && agent !== null && agent.outbox.currentClaim() !== null;
}

/** Plays the world of one seed to its end: two cameras, two households, a broker and a cloud. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const { plant = { what: 'nothing' }, print, isStopped = (): boolean => false } = options;
  // Every other world seals with suite 2, under claims of version 2.
  const isTwo = seed % 2 === 1;
  const scheduler = new Scheduler();
  const trace = new Trace(() => scheduler.nowMs, print ?? null);
  // One stream for each part, so that the draws of one do not shift those of another.
  const stream = (part: number): ReturnType<typeof seededRandom> => seededRandom(seed * 64 + part);
  const dice = makeDice(stream(0).uniform);
  let weather: Weather = CALM;
  const now = (): Weather => weather;
  const oracle = new Oracle(() => scheduler.nowMs);
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealcam-sim-'));

  const maxBytes = dice.whole(24, 160) * 1024;
  const settings = { maxBytes, windowMs: dice.logarithmic(2000, 60_000), healthMs: dice.between(60_000, 900_000) };
  const cameras: SimCamera[] = [];
  const broker = new SimBroker({
    scheduler,
    trace,
    weather: now,
    dice: makeDice(stream(1).uniform),
    devices: () => cameras.map(({ hex }) => hex),
    nameOf: (device) => cameras.find(({ hex }) => hex === device)?.name ?? 'nobody',
  });
  // Only claims of version 2 have clips.
  const filming = makeDice(stream(4).uniform);
  const receiptSigner = simSuite.ed25519Signer(stream(2).bytes(32));
  const cloud = new SimCloud({
    scheduler,
    trace,
    broker,
    weather: now,
    receiptSigner,
    versions: isTwo ? [1, 2] : [1],
    dice: makeDice(stream(3).uniform),
    pacing: { drainIntervalMs: dice.whole(100, 4000), windowMs: dice.whole(5000, 60_000) },
    wrapStore: plant.store ?? ((store) => store),
    wrapMedia: plant.media ?? ((store) => store),
    random: stream(5),
    quotaBytes: filming.chance(QUOTA_SHARE) ? filming.whole(500, 4000) * 1024 : Number.MAX_SAFE_INTEGER,
  });
  for (const n of [1, 2]) {
    const parts = { name: `camera ${String(n)}`, folder: join(folder, String(n)), random: stream(10 + n) };
    cameras.push(
      new SimCamera({
        ...parts,
        scheduler,
        trace,
        broker,
        oracle,
        plant,
        settings,
        dice: makeDice(stream(20 + n).uniform),
        clips: isTwo
          ? { cloud, weather: now, dice: makeDice(stream(40 + n).uniform), maxBytes: filming.whole(128, 1024) * 1024 }
          : null,
      }),
    );
  }
  const owners = [1, 2].map(
    (n) =>
      new SimOwner({
        name: `owner ${String(n)}`,
        isTwo,
        random: stream(30 + n),
        broker,
        cloud,
        oracle,
        trace,
        receiptKey: receiptSigner.publicKey,
      }),
  );

  const watch = (): void => {
    for (const camera of cameras) oracle.checkCamera(camera, maxBytes);
    scheduler.after(ORACLE_CHECK_MS, watch);
  };
  const faultsEndMs = dice.between(6 * MINUTE_MS, 20 * MINUTE_MS);
  const isOver = (): boolean => oracle.violation !== null || isStopped();
  try {
    const play = scheduleFaults({
      scheduler,
      trace,
      dice,
      broker,
      cloud,
      cameras,
      owners,
      endMs: faultsEndMs,
      expireClips: isTwo
        ? (periodMs) =>
            void cloud.expire(
              periodMs,
              [...oracle.segments.values()].map(({ made: { record }, entry: [, , , bodyHash] }) => {
                const { device, epoch } = record.value;
                return { device, epoch, bodyHash };
              }),
            )
        : null,
      setWeather: (next) => {
        weather = next;
        trace.add('weather', next.name);
      },
    });
    watch();
    await scheduler.runUntil(faultsEndMs, isOver);
    play.calm();
    // Cameras that are down come up within two minutes and go on making records; the records made so far must be settled.
    const lastMs = faultsEndMs + SETTLED_WITHIN_MS;
    while (!isOver() && scheduler.nowMs < lastMs) {
      await scheduler.runUntil(Math.min(lastMs, scheduler.nowMs + ORACLE_CHECK_MS), isOver);
      if (cameras.every(isOwned) && waitingSince(oracle, faultsEndMs).length === 0) break;
    }
    const unowned = cameras.find((camera) => !isOwned(camera));
    if (unowned !== undefined && !isOver()) oracle.fail(`${unowned.name} found no owner in time`);
    const [late] = isOver() ? [] : waitingSince(oracle, faultsEndMs);
    if (late !== undefined) {
      const { record, camera, atMs } = late;
      oracle.fail(
        `${nameOf(record.value)} of ${camera.name}, made at ${(atMs / 1000).toFixed(0)} s, is not settled in time`,
      );
    }
    // A world that ended early has no balance: nothing of it counts in the sums.
    const none = { produced: 0, stored: 0, queued: 0, lost: 0, periods: 0, opened: 0, segments: NO_SEGMENTS };
    const balance = isOver() ? none : await settleAccounts(oracle, cloud, cameras);
    return {
      seed,
      version: isTwo ? 2 : 1,
      ...balance,
      violation: oracle.violation,
      publishes: oracle.publishes,
      uploads: oracle.uploads,
      mediaReceipts: RESULTS.reduce((sum, result) => sum + cloud.counters.get(`uploads.${result}`), 0),
      steps: scheduler.steps,
      atS: Math.round(scheduler.nowMs / 1000),
      virtualS: Math.round(scheduler.nowMs / 1000),
      restarts: cameras.reduce((sum, { lives }) => sum + lives - 1, 0),
      periodsCut: cameras.reduce((sum, { periodsCut }) => sum + periodsCut, 0),
      epochs: new Set([...oracle.made.keys()].map((key) => key.slice(0, key.lastIndexOf('/')))).size,
      trace: trace.digest(),
    };
  } finally {
    for (const camera of cameras) camera.close();
    await cloud.store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
