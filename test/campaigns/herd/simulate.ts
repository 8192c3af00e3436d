import { seededRandom } from '../../../common/seeded-random.js';
import { nextTokenMs, startDrain } from '../../../agent/uplink/drain.js';
import { Calendar } from './calendar.js';
import type { MakePolicy } from './policies.js';
import { Server } from './server.js';

export interface Scenario {
  readonly devices: number;
  readonly outageMs: number;
  readonly capacityPerS: number;
  /** W, the reconnect window that the cloud announced to the cameras. */
  readonly windowMs: number;
  /** All devices boot at the same time, instead of losing a connection. */
  readonly isBoot: boolean;
  readonly hints: boolean;
  /** Time after the outage in which every credential is refused. */
  readonly credentialsFailMs: number;
}

export interface Outcome {
  readonly name: string;
  /** Attempts in each second since the outage began. */
  readonly perSecond: Float64Array;
  readonly peakPerS: number;
  readonly peakToMean: number;
  /** Seconds from the end of the outage until 99 % are back; Infinity if they are not. */
  readonly t99S: number;
  readonly attemptsPerDevice: number;
  readonly refused: number;
  /** Most records in one second: one live record of each camera, and the backlogs. */
  readonly ingestPeakPerS: number;
}

/** Simulated time after the outage. */
const HORIZON_MS = 3 * 3_600_000;
/**
 * A policy with more attempts per device than this after the outage never lets the brokers recover: refusals alone
 * exceed their capacity.
 */
const ATTEMPTS_PER_DEVICE_MAX = 30;
/** Records a second of one camera: an event of three records every ten minutes. */
const RECORDS_PER_S = 3 / 600;
/** Connections are lost over this time, not in the same millisecond. */
const LOSS_SPREAD_MS = 1000;

/** Simulates one outage with one policy and one seed. `onBack` is called when a device's connection is accepted. */
export function simulate(
  scenario: Scenario,
  make: MakePolicy,
  seed: number,
  onBack: (device: number, atMs: number) => void = () => undefined,
): Outcome {
  const { devices, outageMs, windowMs, isBoot } = scenario;
  const horizonMs = outageMs + HORIZON_MS;
  const { uniform } = seededRandom(seed);
  const policy = make(devices, windowMs, isBoot);
  const server = new Server({
    capacityPerS: scenario.capacityPerS,
    outageEndsMs: outageMs,
    hints: scenario.hints,
    credentialsFailUntilMs: scenario.credentialsFailMs === 0 ? 0 : outageMs + scenario.credentialsFailMs,
  });
  const calendar = new Calendar(devices, horizonMs);
  const seconds = Math.ceil(horizonMs / 1000) + 1;
  const perSecond = new Float64Array(seconds);
  const back = new Float64Array(seconds);
  const ingest = new Float64Array(seconds + 7200);
  let connected = 0;
  let attempts = 0;
  let attemptsSinceBack = 0;
  // After a power cut the devices boot when the power is back; the outage is that of their cloud.
  for (let device = 0; device < devices; device++) {
    const lostMs = uniform() * LOSS_SPREAD_MS;
    calendar.put(device, policy.begin(device, lostMs, uniform()));
  }
  calendar.run(
    (device, nowMs) => {
      attempts++;
      if (nowMs >= outageMs) attemptsSinceBack++;
      bump(perSecond, Math.floor(nowMs / 1000));
      policy.noteAttempt(device, nowMs, uniform());
      const answer = server.connect(nowMs);
      if (answer.type === 'accepted') {
        connected++;
        bump(back, Math.floor(answer.atMs / 1000));
        drain(ingest, answer.atMs);
        onBack(device, answer.atMs);
      } else {
        calendar.put(device, policy.failed(device, nowMs, answer, uniform()));
      }
    },
    () => connected === devices || attemptsSinceBack > ATTEMPTS_PER_DEVICE_MAX * devices,
  );
  const t99S = secondOf(back, 0.99 * devices) - outageMs / 1000;
  const peakPerS = perSecond.reduce((a, b) => Math.max(a, b), 0);
  return {
    name: policy.name,
    perSecond,
    peakPerS,
    t99S,
    peakToMean: peakPerS / ((0.99 * devices) / t99S),
    attemptsPerDevice: attempts / devices,
    refused: server.refused,
    ingestPeakPerS: ingest.reduce((a, b) => Math.max(a, b), 0),
  };
}

export function bump(bins: Float64Array, at: number): void {
  bins[at] = (bins[at] ?? 0) + 1;
}

/**
 * Adds what one camera sends after its return: a live record, and the backlog as the agent's own token bucket paces it.
 */
function drain(ingest: Float64Array, connectedMs: number): void {
  bump(ingest, Math.floor(connectedMs / 1000));
  const state = startDrain(connectedMs, RECORDS_PER_S / 1000, null);
  const intervalMs = nextTokenMs(state, 'backlog') - connectedMs;
  const waiting = Math.ceil((connectedMs / 1000) * RECORDS_PER_S);
  for (let i = 1; i <= waiting; i++) bump(ingest, Math.floor((connectedMs + i * intervalMs) / 1000));
}

/** Returns by which second `count` have come; Infinity if they have not. */
export function secondOf(bins: Float64Array, count: number): number {
  let sum = 0;
  for (let second = 0; second < bins.length; second++) {
    sum += bins[second] ?? 0;
    if (sum >= count) return second + 1;
  }
  return Infinity;
}

/** Returns the worst of several seeds, figure by figure; the curve is the first seed's. */
export function worstOf(scenario: Scenario, make: MakePolicy, seeds: readonly number[]): Outcome {
  const all = seeds.map((seed) => simulate(scenario, make, seed));
  const [first] = all;
  if (first === undefined) throw new Error('no seeds');
  const worst = (
    key: 'peakPerS' | 'peakToMean' | 't99S' | 'attemptsPerDevice' | 'refused' | 'ingestPeakPerS',
  ): number => Math.max(...all.map((outcome) => outcome[key]));
  return {
    ...first,
    peakPerS: worst('peakPerS'),
    peakToMean: worst('peakToMean'),
    t99S: worst('t99S'),
    attemptsPerDevice: worst('attemptsPerDevice'),
    refused: worst('refused'),
    ingestPeakPerS: worst('ingestPeakPerS'),
  };
}
