import { begin, emptied, measure, startPace, waitOf, type PaceState } from '../../../../agent/upload/pace.js';
import { afterFailure, READY, type BackoffState } from '../../../../agent/upload/upload-backoff.js';
import type { Answer } from '../server.js';

/** A body that waits on a camera. */
export interface WaitingBody {
  /** When its record has a receipt, before which the cloud does not take it. */
  readonly readyMs: number;
  readonly bytes: number;
}

/** A camera's way to the cloud. */
export interface Line {
  readonly bytesPerMs: number;
  /** From the question to the leave to go on, and from the last byte to the answer. */
  readonly roundTripMs: number;
}

/** What carries the uploads of all cameras. */
export interface Carrier {
  /** Asks for leave to send a body. */
  readonly ask: (nowMs: number) => Answer;
  /** A body is on its way over this time. */
  readonly carry: (bytes: number, fromMs: number, toMs: number) => void;
}

interface UnderWay {
  readonly fromMs: number;
  readonly endsMs: number;
  readonly bytes: number;
}

/** As in the agent's upload loop. */
const UPLOADS_MAX = 2;

/**
 * The uploads of one camera after its return: what `UploadLoop` does, on the agent's own pace and back-off, with a line in place of
 * the network. A test compares it with the loop itself.
 */
export class Uploads {
  private readonly bodies: readonly WaitingBody[];
  private readonly line: Line;
  private readonly windowMs: number;
  /** A control without the bucket uploads as fast as the line carries. */
  private readonly isPaced: boolean;
  private pace: PaceState;
  private backoff: BackoffState = READY;
  private readonly underWay: UnderWay[] = [];
  private lineFreeMs = 0;
  private next = 0;

  /** @param bodies in the order in which they become ready */
  constructor(bodies: readonly WaitingBody[], line: Line, windowMs: number, nowMs: number, isPaced: boolean) {
    this.bodies = bodies;
    this.line = line;
    this.windowMs = windowMs;
    this.isPaced = isPaced;
    this.pace = emptied(startPace(nowMs, null), nowMs);
  }

  /** Ends what is over, begins what may begin. Returns when it is due again; Infinity once every body is delivered. */
  turn(nowMs: number, uniform: () => number, carrier: Carrier): number {
    this.endDelivered(nowMs);
    let dueMs = Infinity;
    while (this.underWay.length < UPLOADS_MAX) {
      const body = this.bodies[this.next];
      if (body === undefined) break;
      const waitMs = Math.max(this.backoff.dueMs - nowMs, this.isPaced ? waitOf(this.pace, nowMs) : 0);
      dueMs = Math.max(body.readyMs, nowMs + waitMs);
      if (dueMs > nowMs) break;
      dueMs = Infinity;
      this.begin(body, nowMs, uniform, carrier);
    }
    for (const { endsMs } of this.underWay) dueMs = Math.min(dueMs, endsMs);
    return dueMs;
  }

  private endDelivered(nowMs: number): void {
    // In the order in which they began, which is that of the line.
    for (let first = this.underWay[0]; first !== undefined && first.endsMs <= nowMs; first = this.underWay[0]) {
      this.underWay.shift();
      this.pace = measure(this.pace, nowMs, first.bytes, first.endsMs - first.fromMs);
      this.backoff = READY;
    }
  }

  private begin({ bytes }: WaitingBody, nowMs: number, uniform: () => number, { ask, carry }: Carrier): void {
    this.pace = begin(this.pace, nowMs, bytes);
    const answer = ask(nowMs);
    if (answer.type !== 'accepted') {
      const retryAfterMs = answer.type === 'busy' ? (answer.retryAfterMs ?? undefined) : undefined;
      const context = { nowMs, windowMs: this.windowMs, uniform: uniform() };
      this.backoff = afterFailure(this.backoff, answer.type === 'busy' ? 'busy' : 'failed', context, retryAfterMs);
      return;
    }
    const { bytesPerMs, roundTripMs } = this.line;
    const fromMs = nowMs + roundTripMs;
    const sendingMs = Math.max(fromMs, this.lineFreeMs);
    const sentMs = sendingMs + bytes / bytesPerMs;
    this.lineFreeMs = sentMs;
    this.next++;
    this.underWay.push({ fromMs, endsMs: sentMs + roundTripMs, bytes });
    carry(bytes, sendingMs, sentMs);
  }
}
