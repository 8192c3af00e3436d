import { readdirSync } from 'node:fs';
import { realRandom } from '../../../common/adapters/real-random.js';
import type { NewSegment } from '../../../agent/outbox/outbox.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { ClipSegment } from '../../../protocol/objects/clip.js';
import type { MediaReceipt } from '../../../protocol/objects/media-receipt.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { letPromisesRun, PeriodWorld } from './period-world.js';

export type Phase = 'start' | 'more' | 'end';

/** A clip of one event that goes on. */
export interface GoingClip {
  readonly eventId: Uint8Array;
  next: number;
}

/** A camera whose outbox holds clips: PeriodWorld with segments, really sealed. */
export class SegmentWorld extends PeriodWorld {
  newClip(): GoingClip {
    return { eventId: realRandom.bytes(16), next: 0 };
  }

  /** Waits until the keeper has made the period that it makes. */
  untilPeriod(): Promise<void> {
    return letPromisesRun();
  }

  /** Seals segments of a clip in the period in use. */
  segments(clip: GoingClip, count: number, bytes = 1000): NewSegment[] {
    return Array.from({ length: count }, () => {
      const period = this.keeper.usable(this.claim);
      if (period === null) throw new Error('no period');
      const mediaId = realRandom.bytes(16);
      const { header, body } = period.seal(
        { eventId: clip.eventId, mediaId, role: 'segment' },
        realRandom.bytes(bytes),
      );
      const place = clip.next++;
      const entry: ClipSegment = [place, mediaId, body.length, nodeSuite.sha256(body), header, true, 1000];
      return { entry, body, periodId: period.context.periodId };
    });
  }

  /** Appends a clip record with `count` new segments. */
  clip(clip: GoingClip, phase: Phase, count: number, bytes = 1000): Verified<AnyRecord> {
    const record = this.outbox.appendClip(
      { time: this.time(), clip: { eventId: clip.eventId, number: 0, phase } },
      this.segments(clip, count, bytes),
      this.claim.hash,
    );
    if (record === null) throw new Error('not appended');
    return record;
  }

  /** Gives the outbox a receipt for all that is queued. */
  receiptAll(): void {
    const seqs = this.records().map(({ value }) => value.seq);
    if (seqs.length > 0) this.receipt(seqs[0] ?? 0, seqs.at(-1) ?? 0);
  }

  mediaReceipt(
    hashes: readonly Uint8Array[],
    result: MediaReceipt['entries'][number][1] = 'stored',
    claim = this.claim,
  ): Verified<MediaReceipt> {
    return this.camera.mediaReceipt(
      claim,
      hashes.map((hash) => [hash, result] as const),
    );
  }

  /** Names of the body files. */
  files(): string[] {
    return readdirSync(this.folder).filter((name) => name.startsWith('segment-'));
  }

  /** Losses that the queued records name. */
  namedLosses(): NonNullable<AnyRecord['loss']>[number][] {
    this.outbox.flushLosses(this.time());
    return this.records().flatMap(({ value }) => value.loss ?? []);
  }
}

/** The hashes that a clip record names, in order. */
export function hashesOf({ value }: Verified<AnyRecord>): Uint8Array[] {
  return (value.clip?.segments ?? []).map(([, , , hash]) => hash);
}

export function mediaIdsOf({ value }: Verified<AnyRecord>): Uint8Array[] {
  return (value.clip?.segments ?? []).map(([, id]) => id);
}
