export type Answer =
  | { readonly type: 'accepted'; readonly atMs: number }
  | { readonly type: 'unreachable' }
  | { readonly type: 'credentials' }
  /** `retryAfterMs` is null where the server gives no hint. */
  | { readonly type: 'busy'; readonly retryAfterMs: number | null };

export interface ServerSettings {
  /** Handshakes with a client certificate that all brokers together complete in a second. */
  readonly capacityPerS: number;
  readonly outageEndsMs: number;
  /** Time until which every credential is refused; 0 without such a failure. */
  readonly credentialsFailUntilMs: number;
  readonly hints: boolean;
}

/** Longest wait for a handshake. Connections that would wait longer are refused; clients give up after 20 s. */
const HANDSHAKE_WAIT_MAX_MS = 10_000;
/** Cost of a refusal before the handshake, as a share of a handshake. */
const REFUSAL_COST = 0.05;

/**
 * Brokers of limited capacity, modelled as one queue. Hints spread the refused clients over the times at which there
 * will be room.
 */
export class Server {
  refused = 0;
  private readonly settings: ServerSettings;
  private busyUntilMs = 0;
  private roomAtMs = 0;

  constructor(settings: ServerSettings) {
    this.settings = settings;
  }

  connect(nowMs: number): Answer {
    const { capacityPerS, outageEndsMs, credentialsFailUntilMs, hints } = this.settings;
    if (nowMs < outageEndsMs) return { type: 'unreachable' };
    const costMs = 1000 / capacityPerS;
    this.busyUntilMs = Math.max(this.busyUntilMs, nowMs);
    if (this.busyUntilMs - nowMs > HANDSHAKE_WAIT_MAX_MS) {
      this.refused++;
      this.busyUntilMs += REFUSAL_COST * costMs;
      if (!hints) return { type: 'busy', retryAfterMs: null };
      this.roomAtMs = Math.max(this.roomAtMs, this.busyUntilMs) + costMs;
      return { type: 'busy', retryAfterMs: this.roomAtMs - nowMs };
    }
    this.busyUntilMs += costMs;
    if (nowMs < credentialsFailUntilMs) {
      this.refused++;
      return { type: 'credentials' };
    }
    return { type: 'accepted', atMs: this.busyUntilMs };
  }
}
