import { seededRandom } from '../../../../common/seeded-random.js';
import { Calendar } from '../calendar.js';
import { sealcam } from '../policies.js';
import { Server } from '../server.js';
import { bump, secondOf, simulate, type Scenario } from '../simulate.js';
import { backlogOf, steadyMeter } from './backlog.js';
import { Uploads, type Carrier, type Line, type WaitingBody } from './uploads.js';

export interface ClipScenario extends Scenario {
  /** Of each camera, and of each an event with its clip. */
  readonly clipsPerDay: number;
  /** Bodies a second that the cloud takes; more are refused as busy. */
  readonly putsPerS: number;
}

/**
 * - `sealcam`: the agent's window, its bucket for records, its bucket for bodies.
 * - `held`: the agent's, but each camera holds its clips back so that they leave evenly over {@link HELD_WINDOWS} windows.
 * - `at-return`: the control that returns as the agent does, and uploads all at once then.
 * - `at-once`: the control that uploads all at once, as soon as the cloud is there.
 */
export type ClipPolicy = 'sealcam' | 'held' | 'at-return' | 'at-once';
export const CLIP_POLICIES: readonly ClipPolicy[] = ['sealcam', 'held', 'at-return', 'at-once'];
export const HELD_WINDOWS = 8;

export interface ClipOutcome {
  readonly policy: ClipPolicy;
  /** Bodies whose upload began, in each second since the outage began. */
  readonly puts: Float64Array;
  readonly bytes: Float64Array;
  readonly bodies: number;
  readonly peakPutsPerS: number;
  readonly putsPeakToMean: number;
  readonly peakBytesPerS: number;
  readonly bytesPeakToMean: number;
  /** Seconds from the end of the outage until half, and 99 %, of the bytes are there; Infinity if they are not. */
  readonly t50S: number;
  readonly t99S: number;
  readonly refused: number;
}

/** Simulated time after the outage. */
const HORIZON_MS = 4 * 3_600_000;
/** Where nobody got through for this long, the return no longer depends on how long it was. */
const RETURN_OUTAGE_MAX_MS = 30 * 60_000;
/** What homes have upstream, in Mbit/s, equally often. */
const LINES_MBIT: readonly number[] = [2, 5, 10, 20, 40];
const ROUND_TRIP_MS = 50;
/** A client that waits a second between two attempts. */
const RETRY_MS = 1000;

/**
 * Simulates what the clips of one outage do to the cloud, with one policy and one seed.
 *
 * @param sinceEndMs when each camera is back after the outage's end, by {@link returns}
 */
export function simulateClips(
  scenario: ClipScenario,
  policy: ClipPolicy,
  seed: number,
  sinceEndMs = returns(scenario, seed),
): ClipOutcome {
  const { devices, outageMs, windowMs, clipsPerDay, putsPerS } = scenario;
  const horizonMs = outageMs + HORIZON_MS;
  const { uniform } = seededRandom(seed);
  const backMs = sinceEndMs.map((atMs) => outageMs + (policy === 'at-once' ? RETRY_MS * uniform() : atMs));
  const seconds = Math.ceil(horizonMs / 1000) + 1;
  const puts = new Float64Array(seconds);
  const bytes = new Float64Array(seconds);
  const server = new Server({
    capacityPerS: putsPerS,
    outageEndsMs: outageMs,
    credentialsFailUntilMs: 0,
    hints: scenario.hints,
  });
  let bodies = 0;
  let devicesDone = 0;
  const carrier: Carrier = {
    ask: (nowMs) => (putsPerS === Infinity ? { type: 'accepted', atMs: nowMs } : server.connect(nowMs)),
    carry: (length, fromMs, toMs) => {
      bump(puts, Math.floor(fromMs / 1000));
      spread(bytes, length, fromMs, toMs);
    },
  };
  const steady = steadyMeter(clipsPerDay);
  const begin = (device: number, nowMs: number): Uploads => {
    const random = seededRandom(seed * 2 ** 32 + device);
    const waiting = backlogOf(backMs[device] ?? 0, clipsPerDay, steady, random);
    bodies += waiting.length;
    const line = lineOf(random.uniform());
    if (policy === 'sealcam') return new Uploads(waiting, line, windowMs, nowMs, true);
    if (policy === 'held') {
      const held = heldBack(waiting, HELD_WINDOWS * windowMs, random.uniform());
      return new Uploads(held, line, windowMs, nowMs, true);
    }
    const ready = waiting.map((body) => ({ ...body, readyMs: nowMs }));
    return new Uploads(ready, line, windowMs, nowMs, false);
  };
  if (putsPerS === Infinity) {
    // Where nobody is refused, no camera depends on another one.
    for (const [device, atMs] of backMs.entries()) {
      const camera = begin(device, atMs);
      let nowMs = atMs;
      while (nowMs < horizonMs) nowMs = camera.turn(nowMs, uniform, carrier);
      if (nowMs === Infinity) devicesDone++;
    }
  } else {
    const calendar = new Calendar(devices, horizonMs);
    for (const [device, atMs] of backMs.entries()) calendar.put(device, atMs);
    const cameras: (Uploads | undefined)[] = new Array<Uploads | undefined>(devices);
    calendar.run(
      (device, nowMs) => {
        const camera = (cameras[device] ??= begin(device, nowMs));
        const dueMs = camera.turn(nowMs, uniform, carrier);
        if (dueMs !== Infinity) calendar.put(device, dueMs);
        else {
          cameras[device] = undefined;
          devicesDone++;
        }
      },
      () => devicesDone === devices,
    );
  }
  const total = bytes.reduce((sum, count) => sum + count, 0);
  const isComplete = devicesDone === devices;
  const sinceEndS = (share: number): number =>
    isComplete ? secondOf(bytes, share * total) - outageMs / 1000 : Infinity;
  const t99S = sinceEndS(0.99);
  const peakOf = (bins: Float64Array): number => bins.reduce((a, b) => Math.max(a, b), 0);
  return {
    policy,
    puts,
    bytes,
    bodies,
    peakPutsPerS: peakOf(puts),
    putsPeakToMean: peakOf(puts) / ((0.99 * bodies) / t99S),
    peakBytesPerS: peakOf(bytes),
    bytesPeakToMean: peakOf(bytes) / ((0.99 * total) / t99S),
    t50S: sinceEndS(0.5),
    t99S,
    refused: server.refused,
  };
}

/** Returns how long after the outage's end each camera is connected again. */
export function returns(scenario: Scenario, seed: number): Float64Array {
  const sinceEndMs = new Float64Array(scenario.devices).fill(Infinity);
  const outageMs = Math.min(scenario.outageMs, RETURN_OUTAGE_MAX_MS);
  simulate({ ...scenario, outageMs }, sealcam, seed, (device, atMs) => {
    sinceEndMs[device] = atMs - outageMs;
  });
  return sinceEndMs;
}

/** Returns bodies that leave no faster than evenly over this time, from some moment of the first one's share on. */
function heldBack(waiting: readonly WaitingBody[], overMs: number, uniform: number): readonly WaitingBody[] {
  const total = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  let dueMs = (waiting[0]?.readyMs ?? 0) + (uniform * overMs) / waiting.length;
  return waiting.map((body) => {
    const readyMs = Math.max(body.readyMs, dueMs);
    dueMs = readyMs + (body.bytes / total) * overMs;
    return { ...body, readyMs };
  });
}

function lineOf(uniform: number): Line {
  const mbit = LINES_MBIT[Math.floor(uniform * LINES_MBIT.length)] ?? 2;
  return { bytesPerMs: (mbit * 1000) / 8, roundTripMs: ROUND_TRIP_MS };
}

/** Spreads bytes evenly over the seconds in which they are on their way. */
function spread(bins: Float64Array, bytes: number, fromMs: number, toMs: number): void {
  const perMs = bytes / (toMs - fromMs);
  for (let atMs = fromMs; atMs < toMs;) {
    const second = Math.floor(atMs / 1000);
    const endMs = Math.min(toMs, (second + 1) * 1000);
    bins[second] = (bins[second] ?? 0) + (endMs - atMs) * perMs;
    atMs = endMs;
  }
}
