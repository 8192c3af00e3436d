import type { RecordKindV2 } from '../../protocol/objects/record-kinds.js';

/**
 * Which kinds of records the page shows as events of the timeline. The others appear elsewhere, or only count for the
 * history: health and tombstone on the camera's card, command as the answer to an order, key in the pictures that it opens, clip in its event. A new kind does not compile
 * until it is listed here, and a kind that is not shown as an event never appears as one of another kind.
 */
const IS_EVENT = {
  accept: false,
  motion: true,
  scene: true,
  snapshot: true,
  command: false,
  health: false,
  gap: false,
  tombstone: false,
  key: false,
  clip: false,
} as const satisfies Record<RecordKindV2, boolean>;

type EventKindOf<T extends Readonly<Record<string, boolean>>> = {
  [K in keyof T]: T[K] extends true ? K : never;
}[keyof T];

/** A kind of record that the timeline shows. */
export type EventKind = EventKindOf<typeof IS_EVENT>;

/** Returns whether the timeline shows records of this kind as events. */
export function isEventKind(kind: RecordKindV2): kind is EventKind {
  return IS_EVENT[kind];
}

/** The kinds that the timeline shows. */
export const EVENT_KINDS: readonly EventKind[] = (Object.keys(IS_EVENT) as RecordKindV2[]).filter(isEventKind);
