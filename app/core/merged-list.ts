import type { HistoryMark } from './camera-log.js';
import type { CameraView, SessionView } from './session-view.js';
import { sortMs, type TimelineEvent } from './timeline.js';

/** The part of the timeline that is complete. */
export interface MergedList {
  /** Newest first. */
  readonly events: readonly TimelineEvent[];
  /** Places between them without a record, newest first. */
  readonly marks: readonly HistoryMark[];
  /** Whether there may be older events, here or in the cloud. */
  readonly hasOlder: boolean;
}

/**
 * Merges the events of all cameras, or of one. Each camera is loaded page by page, so the list ends where the first of
 * them ends: further down, events of that camera would be missing between the others as if there were none.
 *
 * @param device hex of a device id; null for all
 */
export function mergedList(view: Pick<SessionView, 'cameras' | 'events' | 'marks'>, device: string | null): MergedList {
  const isChosen = (of: { readonly device: string }): boolean => device === null || of.device === device;
  const partial = view.cameras.filter((camera) => isChosen(camera) && camera.hasOlder);
  const fromMs = Math.max(-Infinity, ...partial.map(loadedFromMs));
  const chosen = view.events.filter(isChosen);
  return {
    events: chosen.filter((event) => sortMs(event) >= fromMs),
    marks: view.marks.filter((mark) => isChosen(mark) && mark.atMs >= fromMs),
    hasOlder: partial.length > 0,
  };
}

function loadedFromMs({ loadedFromMs: fromMs }: CameraView): number {
  return fromMs ?? -Infinity;
}
