import { utf8 } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { LIVE_FLAGS } from '../../protocol/transport/live.js';
import type { FastifyReply } from './fastify.js';

/** A live message as the camera published it, and what a relay needs to know of it. */
export interface LivePart {
  readonly n: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

export interface LookStreamDependencies {
  readonly clock: Clock;
  readonly counters: Counters;
  /** Rejects once the viewer may not look any longer. */
  readonly check: () => Promise<void>;
}

/** How often a keep-alive is sent, and asked whether the viewer may still look. */
export const LOOK_CHECK_INTERVAL_MS = 5000;
/** From the start, without a renewal. */
const LOOK_LIMIT_MS = 70_000;
/** What a renewal adds. */
const RENEWAL_MS = 60_000;
/** Silence of the camera that ends a look whose time is over; a worker does not see the renewals that another relays. */
const SILENCE_MAX_MS = 15_000;
/** Whatever the camera sends. It grants ten minutes an hour. */
const LOOK_MAX_MS = 30 * 60_000;
/** Unsent bytes above which the next units are dropped, up to a key unit. */
export const LOOK_UNSENT_MAX_BYTES = 256 * 1024;
/** Unsent bytes above which a unit is dropped that has begun. */
const UNIT_UNSENT_MAX_BYTES = 1024 * 1024;
/** How long a viewer may take to read the rest of a look that has ended. */
const END_TIMEOUT_MS = 5000;

const KEEP_ALIVE = Buffer.alloc(4);
const LAST_FRAME = 0xffffffff;

/**
 * The answer to an order to look: frames of a length and one live message, until the viewer leaves, the camera ends the look,
 * or the viewer may not look any longer.
 */
export class LookStream {
  private readonly reply: FastifyReply;
  private readonly deps: LookStreamDependencies;
  private startMs = 0;
  private limitMs = 0;
  private lastMessageMs = 0;
  private bytes = 0;
  private isStarted = false;
  private isOver = false;
  private isChecking = false;
  private isDropping = false;
  /** Number of the message before; a message after a hole may be any piece of a unit. */
  private lastN: number | null = null;
  /** Whether the message before goes on in the next one. */
  private isInUnit = false;
  private cancelTimer: CancelTimer = () => undefined;

  constructor(reply: FastifyReply, deps: LookStreamDependencies) {
    this.reply = reply;
    this.deps = deps;
  }

  /**
   * Starts the answer, calls `order` to have the order relayed, and runs until the connection is over. Resolves with the bytes
   * of live messages that were relayed, and for how long.
   */
  async run(order: () => void): Promise<{ readonly bytes: number; readonly seconds: number }> {
    const { clock, counters } = this.deps;
    const { raw } = this.reply;
    raw.writeHead(200, {
      // Fastify set its own headers, CORS among them, before the reply was hijacked.
      ...(this.reply.getHeaders() as Record<string, string>),
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    this.startMs = clock.monotonicMs();
    this.lastMessageMs = this.startMs;
    this.limitMs = this.startMs + LOOK_LIMIT_MS;
    counters.add('looks.opened');
    if (!raw.destroyed) {
      const closed = new Promise<void>((resolve) => {
        raw.once('close', () => {
          resolve();
        });
      });
      this.isStarted = true;
      raw.write(KEEP_ALIVE);
      order();
      this.scheduleTick();
      await closed;
    }
    this.isOver = true;
    this.cancelTimer();
    counters.add('looks.closed');
    const seconds = Math.round((clock.monotonicMs() - this.startMs) / 1000);
    counters.add('looks.seconds', seconds);
    return { bytes: this.bytes, seconds };
  }

  /** Passes a message on, or drops it where the viewer reads too slowly. */
  relay({ n, flags, payload }: LivePart): void {
    if (!this.isStarted || this.isOver) return;
    const { clock, counters } = this.deps;
    this.lastMessageMs = clock.monotonicMs();
    const isFirstPiece = this.lastN === null || (n === this.lastN + 1 && !this.isInUnit);
    this.lastN = n;
    this.isInUnit = (flags & LIVE_FLAGS.continued) !== 0;
    if (this.mustDrop(flags, isFirstPiece)) {
      counters.add('looks.frames-dropped');
    } else {
      counters.add('looks.frames-relayed');
      this.bytes += payload.length;
      this.reply.raw.write(frameOf(payload.length, payload));
    }
    if ((flags & LIVE_FLAGS.end) !== 0) this.end('ended', 'the camera ended the look');
  }

  /** Moves the end, after a renewal was relayed. */
  prolong(): void {
    this.limitMs += RENEWAL_MS;
  }

  private mustDrop(flags: number, isFirstPiece: boolean): boolean {
    const unsent = this.reply.raw.writableLength;
    // They are small, and without them nothing else can be shown.
    if ((flags & (LIVE_FLAGS.initialisation | LIVE_FLAGS.end)) !== 0) return unsent > UNIT_UNSENT_MAX_BYTES;
    if (this.isDropping) {
      const isKeyUnit = isFirstPiece && (flags & LIVE_FLAGS.keyUnit) !== 0;
      this.isDropping = !isKeyUnit || unsent > LOOK_UNSENT_MAX_BYTES;
    } else {
      // A unit is passed on whole, unless it is without end.
      this.isDropping = unsent > (isFirstPiece ? LOOK_UNSENT_MAX_BYTES : UNIT_UNSENT_MAX_BYTES);
    }
    return this.isDropping;
  }

  private scheduleTick(): void {
    this.cancelTimer = this.deps.clock.after(LOOK_CHECK_INTERVAL_MS, () => {
      this.tick();
    });
  }

  private tick(): void {
    const nowMs = this.deps.clock.monotonicMs();
    if (this.isChecking) {
      // Without an answer nobody knows whether the viewer may still look.
      this.end('store-unavailable', 'the store does not answer');
      return;
    }
    const isOverdue = nowMs >= this.limitMs && nowMs - this.lastMessageMs >= SILENCE_MAX_MS;
    if (isOverdue || nowMs - this.startMs >= LOOK_MAX_MS) {
      this.end('expired', 'the time of the look is over');
      return;
    }
    this.reply.raw.write(KEEP_ALIVE);
    void this.check();
    this.scheduleTick();
  }

  private async check(): Promise<void> {
    this.isChecking = true;
    try {
      await this.deps.check();
      this.isChecking = false;
    } catch (error) {
      const refusal: SealcamError = asSealcamError(error);
      this.end(refusal.code, refusal.code === 'internal' ? 'a fault of the cloud' : refusal.message);
    }
  }

  /** Ends the answer with a last frame that says why. */
  private end(code: string, message: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.cancelTimer();
    this.deps.counters.add(`looks.end.${code}`);
    const { raw } = this.reply;
    const reason = utf8(JSON.stringify({ code, message }));
    raw.end(Buffer.concat([frameOf(LAST_FRAME, new Uint8Array(0)), frameOf(reason.length, reason)]));
    const cancel = this.deps.clock.after(END_TIMEOUT_MS, () => raw.destroy());
    raw.once('close', cancel);
  }
}

function frameOf(length: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(KEEP_ALIVE.length + payload.length);
  frame.writeUInt32BE(length);
  frame.set(payload, KEEP_ALIVE.length);
  return frame;
}
