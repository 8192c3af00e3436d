import type { AnyRecord } from '../../protocol/objects/record.js';

/** A camera that says another time than this is not believed: no look is longer. */
const LOOK_MAX_MS = 20 * 60_000;

/**
 * Compares the clock of a look's camera with this page's. A record that answers an order was made after the order was sent and
 * before the record arrived, so its time lies between the two.
 */
export class LookClock {
  private readonly sentMs: number;
  /** The camera's monotonic time at `sentMs`, at the latest. */
  private cameraMs: number | null = null;
  private endsMs: number | null = null;

  /** @param sentMs when the order was sent, by the page's monotonic clock, as all times here */
  constructor(sentMs: number) {
    this.sentMs = sentMs;
  }

  /** Takes the time at which the session ends from a record that answers its order or a renewal. */
  applyAnswer({ time, command }: AnyRecord, nowMs: number): void {
    if (command?.look === undefined) return;
    this.cameraMs ??= time.monotonicMs;
    const leftMs = command.look.expiresMs - time.monotonicMs;
    this.endsMs = nowMs + Math.min(LOOK_MAX_MS, Math.max(0, leftMs));
  }

  /** Returns the time left, at least 0; 0 before the answer. */
  leftMs(nowMs: number): number {
    return this.endsMs === null ? 0 : Math.max(0, this.endsMs - nowMs);
  }

  /** Returns how long ago the session ended, at most; negative while it goes on. */
  overMs(nowMs: number): number {
    return this.endsMs === null ? -Infinity : nowMs - this.endsMs;
  }

  /** Notes that the camera's own record ends the session. */
  end(nowMs: number): void {
    if (this.endsMs !== null && this.endsMs > nowMs) this.endsMs = nowMs;
  }

  /** Returns how old a picture is at most; null before the answer. @param capturedMs by the camera's monotonic clock */
  ageMs(capturedMs: number, nowMs: number): number | null {
    if (this.cameraMs === null) return null;
    return Math.max(0, nowMs - this.sentMs - (capturedMs - this.cameraMs));
  }
}
