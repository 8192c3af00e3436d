import { nextTokenMs, startDrain } from '../../../../agent/uplink/drain.js';
import { countRecords, rateOf, startMeter, type RateMeter } from '../../../../agent/uplink/rate-meter.js';
import type { Random } from '../../../../common/random.js';
import type { WaitingBody } from './uploads.js';

/** A clip of 12 s at 2 Mbit/s in segments of 2 s, the initialisation before them: sealed, as docs/operations.md has it. */
const INITIALISATION_BYTES = 16_384 + 16;
const SEGMENT_BYTES = 507_904 + 8 * 16;
const DAY_MS = 86_400_000;
const HEALTH_INTERVAL_MS = 15 * 60_000;
/** From a record's way to the cloud until its receipt is there. */
const RECEIPT_MS = 500;

/** Records of one event and its clip: milliseconds after the event's start, and the bodies that become ready with each. */
const EVENT: readonly (readonly [number, readonly number[]])[] = [
  [0, []],
  [1, [INITIALISATION_BYTES, SEGMENT_BYTES, SEGMENT_BYTES]],
  [3000, []],
  [4000, [SEGMENT_BYTES, SEGMENT_BYTES]],
  [7000, []],
  [8000, [SEGMENT_BYTES, SEGMENT_BYTES]],
];

export const BODIES_PER_CLIP = EVENT.reduce((sum, [, bodies]) => sum + bodies.length, 0);
export const BYTES_PER_CLIP = EVENT.flatMap(([, bodies]) => bodies).reduce((sum, bytes) => sum + bytes, 0);

/** Returns the meter of a camera that was connected for long. */
export function steadyMeter(clipsPerDay: number): RateMeter {
  const perHour = DAY_MS / HEALTH_INTERVAL_MS / 24 + (clipsPerDay * EVENT.length) / 24;
  let meter = startMeter(-DAY_MS);
  for (let hour = 1; hour <= 24; hour++) meter = countRecords(meter, -DAY_MS + (hour * DAY_MS) / 24, perHour);
  return meter;
}

/**
 * Returns the bodies that a camera made while it was offline from 0 to `backMs`, with the times at which their records have receipts:
 * the agent's own bucket drains the backlog, at a rate by the camera's own measure.
 */
export function backlogOf(backMs: number, clipsPerDay: number, steady: RateMeter, random: Random): WaitingBody[] {
  const records: [number, readonly number[]][] = [];
  const meanMs = DAY_MS / clipsPerDay;
  for (let atMs = exponential(random, meanMs); atMs < backMs; atMs += exponential(random, meanMs)) {
    for (const [afterMs, bodies] of EVENT) records.push([atMs + afterMs, bodies]);
  }
  if (records.length === 0) return [];
  for (let atMs = random.uniform() * HEALTH_INTERVAL_MS; atMs < backMs; atMs += HEALTH_INTERVAL_MS)
    records.push([atMs, []]);
  records.sort(([a], [b]) => a - b);
  let meter = steady;
  for (const [atMs] of records) meter = countRecords(meter, atMs, 1);
  const drain = startDrain(backMs, rateOf(countRecords(meter, backMs, 0)), null);
  const intervalMs = nextTokenMs(drain, 'backlog') - backMs;
  return records.flatMap(([, bodies], i) =>
    bodies.map((bytes) => ({ readyMs: backMs + (i + 1) * intervalMs + RECEIPT_MS, bytes })),
  );
}

function exponential({ uniform }: Random, meanMs: number): number {
  return -meanMs * Math.log(1 - uniform());
}
