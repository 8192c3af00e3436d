import { equal, toHex } from '../../common/bytes.js';
import { atMost, sleep, type CancelTimer, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { mediaReceiptKind, type MediaReceipt } from '../../protocol/objects/media-receipt.js';
import { checkReceiptAgainstClaim } from '../../protocol/objects/receipt.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import type { Outbox, QueuedSegment } from '../outbox/outbox.js';
import { Held } from './held.js';
import { begin, emptied, measure, startPace, waitOf, type PaceState } from './pace.js';
import type { PutBody, UploadAnswer } from './put.js';
import { afterFailure, READY, type BackoffState, type UploadFailure } from './upload-backoff.js';

/** What the loop needs of the uplink. */
export interface UplinkView {
  readonly isConnected: boolean;
  readonly isSendingLive: boolean;
  readonly windowMs: number;
}

export interface UploadLoopDependencies {
  readonly outbox: Pick<Outbox, 'segmentsToSend' | 'applyMediaReceipt' | 'claimOf'>;
  readonly put: PutBody;
  readonly uplink: () => UplinkView;
  readonly suite: CryptoSuite;
  readonly device: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  /** Null: half of what is measured. */
  readonly bytesPerSecond: number | null;
  readonly counters: Counters;
  readonly log: Log;
}

export interface UploadStatus {
  /** `waiting`: after a failure. `offline`: the uplink is not connected. */
  readonly state: 'idle' | 'sending' | 'waiting' | 'offline';
  /** Until uploads begin again after a failure; null otherwise. */
  readonly nextAttemptMs: number | null;
  /** Bodies that the cloud did not expect, and that wait. */
  readonly held: number;
}

/** Bodies under way at once: while one waits for its receipt the next one leaves. */
const UPLOADS_MAX = 2;
/** Bodies in a row that are not wanted: then it is the cloud that lacks something, and all wait. */
const UNWANTED_MAX = 4;
/** How long a part of a body waits for a live record. A cloud cuts what comes under 4 KiB a second. */
const GIVE_WAY_MAX_MS = 1000;
const GIVE_WAY_POLL_MS = 20;

/**
 * Brings the bodies of clips to the cloud while the uplink is connected: newest clip first, behind live records, through a bucket
 * of its own. Only a verified media receipt lets the outbox delete one; whatever else a server answers, the body stays and is
 * brought again.
 */
export class UploadLoop {
  private readonly deps: UploadLoopDependencies;
  private readonly held = new Held();
  private readonly underWay = new Set<string>();
  private pace: PaceState;
  private backoff: BackoffState = READY;
  private unwanted = 0;
  private isLieLogged = false;
  private isStopped = false;
  private cancel: CancelTimer = () => undefined;

  constructor(deps: UploadLoopDependencies) {
    this.deps = deps;
    this.pace = startPace(deps.clock.monotonicMs(), deps.bytesPerSecond);
  }

  /** The uplink is connected: the bucket starts empty, so that a returning fleet causes no peak. */
  connected(): void {
    this.pace = emptied(this.pace, this.deps.clock.monotonicMs());
    this.wake();
  }

  /** Begins what may begin now, and sets a timer for what may begin later. Never throws. */
  wake(): void {
    guard(this.deps.log, 'clips cannot be uploaded', () => {
      this.beginNext();
    });
  }

  /** Cuts what is under way. The bodies stay in the outbox. */
  stop(): void {
    this.isStopped = true;
    this.cancel();
    this.deps.put.close();
  }

  status(): UploadStatus {
    const leftMs = this.backoff.dueMs - this.deps.clock.monotonicMs();
    const waiting = leftMs > 0 ? 'waiting' : 'idle';
    const resting = this.deps.uplink().isConnected ? waiting : 'offline';
    return {
      state: this.underWay.size > 0 ? 'sending' : resting,
      nextAttemptMs: leftMs > 0 ? leftMs : null,
      held: this.held.size,
    };
  }

  private beginNext(): void {
    const { clock, uplink } = this.deps;
    this.cancel();
    if (this.isStopped || !uplink().isConnected) return;
    while (this.underWay.size < UPLOADS_MAX) {
      const nowMs = clock.monotonicMs();
      const waitMs = Math.max(this.backoff.dueMs - nowMs, waitOf(this.pace, nowMs));
      const { segment, heldUntilMs } = this.next(nowMs);
      if (segment === null && heldUntilMs === null) return;
      const dueMs = segment === null ? (heldUntilMs ?? 0) - nowMs : 0;
      if (waitMs > 0 || segment === null) {
        this.cancel = clock.after(Math.max(1, waitMs, dueMs), () => {
          this.wake();
        });
        return;
      }
      this.pace = begin(this.pace, nowMs, segment.length);
      void this.upload(segment);
    }
  }

  /** Returns the first body that is neither under way nor held back; else when the first of the held ones may be tried. */
  private next(nowMs: number): { readonly segment: QueuedSegment | null; readonly heldUntilMs: number | null } {
    let heldUntilMs: number | null = null;
    const count = 1 + this.underWay.size + this.held.size;
    const segments = this.deps.outbox.segmentsToSend(count);
    if (segments.length < count) this.held.keepOnly(segments.map(({ bodyHash }) => bodyHash));
    for (const segment of segments) {
      if (this.underWay.has(toHex(segment.bodyHash))) continue;
      const dueMs = this.held.dueMs(segment.bodyHash);
      if (dueMs <= nowMs) return { segment, heldUntilMs };
      heldUntilMs = Math.min(dueMs, heldUntilMs ?? dueMs);
    }
    return { segment: null, heldUntilMs };
  }

  /** Never rejects. */
  private async upload(segment: QueuedSegment): Promise<void> {
    const { put, device, log, counters, clock } = this.deps;
    const hash = toHex(segment.bodyHash);
    this.underWay.add(hash);
    let sentFromMs: number | null = null;
    try {
      const answer = await put.put({
        path: `/v1/media/${toHex(device)}/${String(segment.epoch)}/${hash}`,
        length: segment.length,
        read: () => segment.read(),
        giveWay: () => {
          sentFromMs ??= clock.monotonicMs();
          return this.giveWay();
        },
      });
      if (this.isStopped) return;
      if (answer === null) log.warn({ code: 'store-corrupt' }, 'a body is damaged; a gap names it');
      else this.applyAnswer(segment, answer, sentFromMs);
    } catch (error) {
      if (this.isStopped) return;
      const { code, message, hint } = asSealcamError(error, 'cloud-unreachable');
      counters.add(`uploads.${code}`);
      this.fail('failed', { code, reason: message, hint });
    } finally {
      this.underWay.delete(hash);
    }
    // In its own turn: an answer that needs no wait must not nest.
    this.cancel = clock.after(0, () => {
      this.wake();
    });
  }

  /** @throws SealcamError for a 200 without a receipt that counts */
  private applyAnswer(segment: QueuedSegment, answer: UploadAnswer, sentFromMs: number | null): void {
    const { counters, clock, outbox } = this.deps;
    if (answer.status === 200) {
      const claim = outbox.claimOf(segment.epoch);
      // The epoch ended meanwhile, and the body with it.
      if (claim === null) return;
      const { stored, refused } = outbox.applyMediaReceipt(this.verify(segment, claim, answer.receipt));
      counters.add('uploads.stored', stored);
      counters.add('uploads.refused', refused);
      counters.add('uploads.bytes', segment.length);
      const nowMs = clock.monotonicMs();
      if (sentFromMs !== null) this.pace = measure(this.pace, nowMs, segment.length, nowMs - sentFromMs);
      this.succeed(segment);
      return;
    }
    counters.add(`uploads.status-${String(answer.status)}`);
    switch (answer.status) {
      case 400:
      case 404:
      case 411:
      case 413:
        this.holdBack(segment, answer.status);
        return;
      case 429:
      case 503:
        this.fail('busy', { code: 'cloud-unreachable', status: answer.status }, answer.retryAfterMs);
        return;
      default:
        this.fail('failed', { code: 'cloud-unreachable', status: answer.status }, answer.retryAfterMs);
    }
  }

  /** Verifies a receipt for this body. @throws SealcamError `cloud-lied` */
  private verify(segment: QueuedSegment, claim: Verified<AnyClaim>, bytes: Uint8Array | null): Verified<MediaReceipt> {
    const { suite, counters, log } = this.deps;
    try {
      if (bytes === null) throw new SealcamError('malformed', 'not a receipt');
      const receipt = openSigned(mediaReceiptKind, suite, bytes);
      checkReceiptAgainstClaim(receipt, claim);
      if (!receipt.value.entries.some(([hash]) => equal(hash, segment.bodyHash))) {
        throw new SealcamError('foreign', 'of another body');
      }
      return receipt;
    } catch (error) {
      const { code, message } = asSealcamError(error);
      counters.add('uploads.receipts-refused');
      // Once: a server can repeat it as often as it likes.
      if (!this.isLieLogged) log.error({ code: 'cloud-lied', reason: `${code}: ${message}` }, 'not a receipt; ignored');
      this.isLieLogged = true;
      throw new SealcamError('cloud-lied', `no receipt: ${message}`, { cause: error });
    }
  }

  private succeed({ bodyHash }: QueuedSegment): void {
    this.held.release(bodyHash);
    this.unwanted = 0;
    if (this.backoff.failures > 0) this.deps.log.info({}, 'clips are uploaded again');
    this.backoff = READY;
  }

  /** A body that the cloud does not expect: its record may not have reached this worker's store, or was restored away. */
  private holdBack({ bodyHash }: QueuedSegment, status: number): void {
    const { clock, random, uplink } = this.deps;
    this.held.hold(bodyHash, clock.monotonicMs(), uplink().windowMs, random.uniform());
    this.unwanted++;
    if (this.unwanted >= UNWANTED_MAX) this.fail('busy', { code: 'not-found', status });
  }

  private fail(failure: UploadFailure, fields: Parameters<Log['warn']>[0], retryAfterMs?: number): void {
    const { clock, random, uplink, log } = this.deps;
    const nowMs = clock.monotonicMs();
    const context = { nowMs, windowMs: uplink().windowMs, uniform: random.uniform() };
    const isFirst = this.backoff.failures === 0;
    this.backoff = afterFailure(this.backoff, failure, context, retryAfterMs);
    if (isFirst) {
      log.warn({ ...fields, waitMs: Math.round(this.backoff.dueMs - nowMs) }, 'clips cannot be uploaded; they wait');
    }
  }

  /** Waits while a live record is on its way, and goes on before the cloud would cut the body. */
  private async giveWay(): Promise<void> {
    const { clock, uplink } = this.deps;
    const stop = new AbortController();
    const free = async (): Promise<void> => {
      while (uplink().isSendingLive && !stop.signal.aborted) await sleep(clock, GIVE_WAY_POLL_MS, stop.signal);
    };
    if (!uplink().isSendingLive) return;
    await atMost(clock, GIVE_WAY_MAX_MS, free());
    stop.abort();
  }
}
