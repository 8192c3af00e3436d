import { equal } from '../../common/bytes.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { NewSegment, Outbox } from '../outbox/outbox.js';
import type { Sealer } from '../record/sealer.js';
import type { ClipName, ClipPart } from './clip.js';

export interface ClipWriterDependencies {
  readonly outbox: Pick<Outbox, 'appendClip' | 'countLoss'>;
  readonly sealer: Pick<Sealer, 'sealSegment' | 'ready'>;
  readonly counters: Counters;
  readonly log: Log;
  /** Record time of a unit. */
  readonly timeOf: (monotonicMs: number) => RecordTime;
  /** Segments that wait for a period may take so much memory. */
  readonly waitingMaxBytes: number;
  /** A clip was lost: nothing more of it is taken. */
  readonly onLost: (name: ClipName) => void;
}

interface WaitingPart {
  readonly part: ClipPart;
  readonly claim: Verified<AnyClaim>;
}

/** Returns the memory that parts of clips may wait in: a whole ring, and the next seconds. */
export function waitingMaxBytes(ringBytes: number): number {
  return ringBytes + 2 * LIMITS.segmentMaxBytes;
}

/**
 * Seals the parts of clips and stores their records, in order. They wait in memory while there is no period to seal in, or the event
 * itself is not recorded yet: its picture comes first. A clip for which there is no room is lost, and counted.
 */
export class ClipWriter {
  private readonly deps: ClipWriterDependencies;
  /** In the order in which they came. */
  private waiting: WaitingPart[] = [];
  private bytes = 0;
  private readonly holds = new Set<Promise<unknown>>();
  private isWaitingForPeriod = false;
  private lossReason: string | null = null;
  /** Losses that could not be stored yet. */
  private unsaid = 0;

  constructor(deps: ClipWriterDependencies) {
    this.deps = deps;
  }

  /** Bytes that wait now. */
  get waitingBytes(): number {
    return this.bytes;
  }

  /** Why the last clip was lost; null while none was. */
  get lastLoss(): string | null {
    return this.lossReason;
  }

  /** Keeps parts back until something is done: the record of the event to which they belong. */
  holdUntil(done: Promise<unknown>): void {
    this.holds.add(done);
    const release = (): void => {
      this.holds.delete(done);
      this.writeWaiting();
    };
    done.then(release, release);
  }

  /** Writes a part, or lets it wait. */
  write(part: ClipPart, claim: Verified<AnyClaim>): void {
    const bytes = part.segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
    this.waiting.push({ part, claim });
    this.bytes += bytes;
    this.writeWaiting();
    if (this.bytes > this.deps.waitingMaxBytes) this.lose(part, 'its segments waited for a key to seal with');
  }

  /** Writes what waits now: the claim it is sealed for is about to end. What cannot be sealed is lost. */
  writeNow(): void {
    this.holds.clear();
    this.writeWaiting();
    this.loseWaiting('the ownership or the agent ended before there was a key to seal with');
  }

  private writeWaiting(): void {
    for (let next = this.waiting[0]; next !== undefined && this.holds.size === 0; next = this.waiting[0]) {
      const { part, claim } = next;
      try {
        if (!this.append(part, claim)) {
          this.waitForPeriod(claim);
          return;
        }
        this.remove(next);
      } catch (error) {
        const { code, message, hint } = asSealcamError(error);
        this.deps.counters.add(`clips.${code}`);
        this.deps.log.error({ code, hint }, `a clip could not be stored: ${message}`);
        this.lose(part, message);
      }
    }
  }

  /** Returns false where there is no period to seal in yet. */
  private append({ eventId, number, phase, firstIndex, segments, atMs }: ClipPart, claim: Verified<AnyClaim>): boolean {
    const { outbox, sealer, counters, timeOf } = this.deps;
    const sealed: NewSegment[] = [];
    for (const [i, { bytes, isSync, durationMs }] of segments.entries()) {
      const object = sealer.sealSegment(claim, eventId, bytes);
      // An index that was taken for what is discarded is gone.
      if (object === null) return false;
      const { mediaId, header, body, bodyHash, periodId } = object;
      const entry = [firstIndex + i, mediaId, body.length, bodyHash, header, isSync, durationMs] as const;
      sealed.push({ entry, body, periodId });
    }
    const record = outbox.appendClip({ time: timeOf(atMs), clip: { eventId, number, phase } }, sealed, claim.hash);
    if (record === null) {
      counters.add('clips.claim-changed');
      return true;
    }
    if (phase === 'start') counters.add('clips.started');
    counters.add('clips.segments', segments.length);
    return true;
  }

  private waitForPeriod(claim: Verified<AnyClaim>): void {
    if (this.isWaitingForPeriod) return;
    this.isWaitingForPeriod = true;
    const again = (isReady: boolean): void => {
      this.isWaitingForPeriod = false;
      if (isReady) this.writeWaiting();
      else this.loseWaiting('there was no key to seal with');
    };
    this.deps.sealer.ready(claim).then(again, () => {
      again(false);
    });
  }

  private loseWaiting(why: string): void {
    for (let [next] = this.waiting; next !== undefined; [next] = this.waiting) this.lose(next.part, why);
  }

  /** Loses a clip whole: what of it was stored stays, and nothing more comes. */
  private lose(name: ClipName, why: string): void {
    const isOf = ({ part }: WaitingPart): boolean => part.number === name.number && equal(part.eventId, name.eventId);
    for (const part of this.waiting.filter(isOf)) this.remove(part);
    const { counters, log, onLost } = this.deps;
    this.lossReason = why;
    counters.add('clips.lost');
    log.warn({}, `a clip was lost: ${why}`);
    this.unsaid++;
    this.countUnsaid();
    onLost(name);
  }

  private countUnsaid(): void {
    guard(this.deps.log, 'a loss could not be stored either; it is tried again', () => {
      this.deps.outbox.countLoss('failed', this.unsaid);
      this.unsaid = 0;
    });
  }

  private remove(waiting: WaitingPart): void {
    this.waiting = this.waiting.filter((each) => each !== waiting);
    this.bytes -= waiting.part.segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
