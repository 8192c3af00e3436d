import type { SegmentKey } from '../store/segment-store.js';
import type { StagedBody } from './staging.js';

/**
 * Where the sealed bodies of clips lie, keyed by (device, epoch, hash of the body), never by a hash alone. Which of them exist is
 * the CloudStore's to say: a body without a row of state `stored` is shown to nobody. Every call may reject with
 * `store-unavailable`.
 */
export interface MediaStore {
  /**
   * Stores a body in place of what may lie there, durable when it resolves, and returns the SHA-256 of what is stored: read
   * back, or as the engine itself checked it. A receipt needs that hash, not the one of what was sent.
   */
  put(key: SegmentKey, body: StagedBody): Promise<Uint8Array>;
  /** Returns a body; undefined where it is missing. Its caller compares the hash. */
  get(key: SegmentKey): Promise<Uint8Array | undefined>;
  /** Removes a body. Does nothing where it is missing. */
  remove(key: SegmentKey): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
}
