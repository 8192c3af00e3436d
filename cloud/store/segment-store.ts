import type { EpochKey } from './epoch-key.js';

/** Segments of clips: of which bodies the cloud knows, which it has, and which it takes never. The bodies lie in a MediaStore. */

/** A body by the hash that a verified clip record names. */
export interface SegmentKey extends EpochKey {
  /** SHA-256 of the sealed body. */
  readonly bodyHash: Uint8Array;
}

/**
 * `expected`: the body has not come; `stored`: it lies in the MediaStore, hashed there. The others are final: `deleted` by its
 * owner or by its age, `quota`: there was no room when it came.
 */
export type SegmentState = 'expected' | 'stored' | 'deleted' | 'quota';

export interface Segment extends SegmentKey {
  /** Number that the store gave to this row. A segment that is named again after it had gone has another one. */
  readonly id: number;
  /** The clip record that named it first. */
  readonly seq: number;
  readonly eventId: Uint8Array;
  /** Number of the clip in its event. */
  readonly clip: number;
  readonly index: number;
  readonly mediaId: Uint8Array;
  /** Of the sealed body. */
  readonly length: number;
  readonly state: SegmentState;
}

/** A segment whose body may come, and how much there is already. */
export interface Upload {
  readonly segment: Segment;
  /** Bytes of stored bodies, of this camera and of its account. */
  readonly cameraBytes: number;
  readonly accountBytes: number;
}

/** A body that nothing needs any longer. */
export interface DiscardedBody extends SegmentKey {
  /** When it was removed first; null before that. */
  readonly sinceMs: number | null;
}

/**
 * A record that names segments is stored with a row for each of them, in one transaction; of two that name the same body the
 * first counts. A row whose body may lie in the MediaStore never goes without a note of it, which `discarded` returns: so no
 * body is ever left without a row or a note.
 */
export interface SegmentStore {
  /**
   * Returns the segment with this body, by one look-up. Nothing for a body that no stored record of the epoch
   * names, for one in a range or an account that its owner deleted and may restore, and while an earlier body with this
   * hash waits to be removed.
   */
  upload(key: SegmentKey): Promise<Upload | undefined>;
  /** Returns the segment with this body unless its owner deleted it. */
  find(key: SegmentKey): Promise<Segment | undefined>;
  /** Returns the segments of a record, in their order. */
  ofRecord(device: Uint8Array, epoch: number, seq: number): Promise<readonly Segment[]>;
  /**
   * Notes that the body lies in the MediaStore; durable when it resolves. Returns false, and notes nothing, unless the row is
   * still `expected`, shown, and of an epoch that is not revoked.
   */
  markStored(segment: Segment): Promise<boolean>;
  /** Refuses a body for good because there is no room for it. Does nothing unless the row is `expected`. */
  refuseForQuota(segment: Segment): Promise<void>;
  /**
   * Deletes the segments of up to `limit` clip records that were received before `beforeMs`, and returns how many records it looked
   * at. A record that its camera signed under network time at `beforeMs` or later, and not after `nowMs`, keeps its own.
   */
  expire(beforeMs: number, nowMs: number, limit: number): Promise<number>;
  /** Returns up to `limit` bodies that must be removed from the MediaStore: new ones, and those removed before `beforeMs`. */
  discarded(beforeMs: number, limit: number): Promise<readonly DiscardedBody[]>;
  /**
   * Notes that these bodies were removed. One that had been removed before is forgotten: an upload that was under way the first
   * time has ended since.
   */
  removed(bodies: readonly DiscardedBody[], nowMs: number): Promise<void>;
  /** Returns how many bodies wait to be removed, counted up to `limit`. */
  discardedCount(limit: number): Promise<number>;
}
