import type { Clock } from '../../common/clock.js';

/** How long a pacing counts as newer than one with an earlier time. Receipts do not overtake each other by more. */
const ORDER_MS = 15 * 60_000;

/**
 * Decides which pacing is the newest: receipts overtake each other within a connection, and brokers repeat them. Their time is
 * the cloud's clock, which may have run years ahead for a moment. So its order holds for one connection and a few minutes of
 * this camera's own clock; otherwise one wrong receipt would pin a fleet until it is restarted.
 */
export class PacingOrder {
  private readonly clock: Pick<Clock, 'monotonicMs'>;
  private newest: { readonly issuedAtMs: number; readonly appliedMs: number } | null = null;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.clock = clock;
  }

  /** Returns whether a pacing applies; if so, it is the newest from now on. */
  accepts(issuedAtMs: number): boolean {
    const { newest } = this;
    const nowMs = this.clock.monotonicMs();
    const isOlder = newest !== null && issuedAtMs < newest.issuedAtMs && nowMs - newest.appliedMs < ORDER_MS;
    if (!isOlder) this.newest = { issuedAtMs, appliedMs: nowMs };
    return !isOlder;
  }

  /** A new connection: nothing of an earlier one arrives late. */
  reset(): void {
    this.newest = null;
  }
}
