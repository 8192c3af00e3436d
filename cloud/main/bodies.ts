import type { MediaStore } from '../media/media-store.js';
import type { CloudStore } from '../store/store.js';

export interface BodiesDependencies {
  readonly segments: CloudStore['segments'];
  readonly bodies: MediaStore;
  /** How long segments are kept; they go with their record at the latest. */
  readonly periodMs: number;
}

/** A body is removed once more after this time: no upload that was under way the first time takes as long. */
const SECOND_REMOVAL_MS = 600_000;

/** Deletes the segments of clips by their age, and removes the bodies that nothing needs from the MediaStore. */
export class Bodies {
  private readonly deps: BodiesDependencies;

  constructor(deps: BodiesDependencies) {
    this.deps = deps;
  }

  /**
   * Deletes the segments of up to `limit` records that are older than the period at `nowMs`; returns how many records it looked
   * at. A signed time after `laterThanMs` cannot be.
   *
   * @throws SealcamError `store-unavailable`
   */
  expire(nowMs: number, laterThanMs: number, limit: number): Promise<number> {
    return this.deps.segments.expire(nowMs - this.deps.periodMs, laterThanMs, limit);
  }

  /**
   * Removes up to `limit` bodies from the MediaStore, and only then notes it; returns how many.
   *
   * @throws SealcamError `store-unavailable`
   */
  async removeDiscarded(nowMs: number, limit: number): Promise<number> {
    const { segments, bodies } = this.deps;
    const discarded = await segments.discarded(nowMs - SECOND_REMOVAL_MS, limit);
    for (const body of discarded) await bodies.remove(body);
    await segments.removed(discarded, nowMs);
    return discarded.length;
  }
}
