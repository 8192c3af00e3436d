import type { Clock } from '../../common/clock.js';
import type { AnyRecord } from '../../protocol/objects/record.js';

/** A camera's clock may be this far ahead of the cloud's before its time is not believed. */
export const CLOCK_AHEAD_MAX_MS = 86_400_000;

/**
 * Returns a signed wall-clock time if it can be true: a record is not made long after it was received. A camera's clock can
 * be wrong, and a signed integer can be 2^53 − 1, which no calendar holds; both are shown as an unknown time.
 *
 * @param wallMs UTC in milliseconds as signed; null while the camera's clock was never set
 * @param receivedAtMs UTC in milliseconds at which the cloud received the record
 */
export function plausibleWallMs(wallMs: number | null, receivedAtMs: number): number | null {
  return wallMs === null || wallMs > receivedAtMs + CLOCK_AHEAD_MAX_MS ? null : wallMs;
}

/**
 * Returns when a record was made, UTC, as far as nobody can put it off: the camera's own time where its clock was synchronised,
 * so that a cloud which withholds what came later cannot make it look recent; otherwise that of the receipt.
 */
export function heardMs({ time }: Pick<AnyRecord, 'time'>, receivedAtMs: number): number {
  return (time.quality === 'ntp' ? plausibleWallMs(time.wallMs, receivedAtMs) : null) ?? receivedAtMs;
}

/** Nothing was received after this device's now: a cloud's own word must not make an impossible signed time possible. */
export function believableMs(receivedAtMs: number, clock: Clock): number {
  return Math.min(receivedAtMs, clock.wallMs() + CLOCK_AHEAD_MAX_MS);
}

/** Returns the time by which the page sorts a record, UTC: the signed one if it can be true, else that of the receipt. */
export function signedMs({ time }: Pick<AnyRecord, 'time'>, receivedAtMs: number): number {
  return plausibleWallMs(time.wallMs, receivedAtMs) ?? receivedAtMs;
}
