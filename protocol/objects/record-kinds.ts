/**
 * The kinds of records, one table entry each. This is the file to edit for a new kind: give it a number in
 * {@link RECORD_KINDS} and rules in {@link RECORD_KIND_RULES}; every table that lists the kinds (the page has one, in
 * app/core/timeline-kinds.ts) then fails to compile until it has the new kind too.
 */

/** Numbers on the wire. A number is never reused; a verifier that does not know one answers `unsupported`. */
export const RECORD_KINDS = {
  accept: 0,
  motion: 1,
  scene: 2,
  snapshot: 3,
  command: 4,
  health: 5,
  gap: 6,
  tombstone: 7,
} as const;
export type RecordKind = keyof typeof RECORD_KINDS;

/** Where a record stands in its event: a motion event has a start, updates and an end; `single` is all of an event. */
export const EVENT_PHASES = { start: 0, update: 1, end: 2, single: 3 } as const;
export type EventPhase = keyof typeof EVENT_PHASES;

export interface RecordKindRules {
  /** The field that a record of this kind must have; null if it needs none. */
  readonly body: 'event' | 'health' | 'command' | 'scene' | 'tombstone' | 'loss' | null;
  /** Phases that its event may have. Without any it has no event, and therefore no media. */
  readonly phases: readonly EventPhase[];
  /** Whether it is the first record of an epoch (seq 0) and stands nowhere else. */
  readonly isFirst: boolean;
  /** Whether it may have no `prev`, because the camera lost its state; it then signs that loss. */
  readonly mayRestartChain: boolean;
  /** Whether it closes its epoch: a record with a higher seq is `revoked`. */
  readonly isLast: boolean;
  /** Whether it changes what a list of cameras shows, so that open pages receive the camera again. */
  readonly isCameraNews: boolean;
}

export const RECORD_KIND_RULES = {
  accept: {
    body: null,
    phases: [],
    isFirst: true,
    mayRestartChain: false,
    isLast: false,
    isCameraNews: true,
  },
  motion: {
    body: 'event',
    phases: ['start', 'update', 'end'],
    isFirst: false,
    mayRestartChain: false,
    isLast: false,
    isCameraNews: false,
  },
  scene: {
    body: 'scene',
    phases: ['single'],
    isFirst: false,
    mayRestartChain: false,
    isLast: false,
    isCameraNews: false,
  },
  snapshot: {
    body: 'event',
    phases: ['single'],
    isFirst: false,
    mayRestartChain: false,
    isLast: false,
    isCameraNews: false,
  },
  command: {
    body: 'command',
    phases: [],
    isFirst: false,
    mayRestartChain: false,
    isLast: false,
    isCameraNews: false,
  },
  health: {
    body: 'health',
    phases: [],
    isFirst: false,
    mayRestartChain: false,
    isLast: false,
    isCameraNews: true,
  },
  gap: {
    body: 'loss',
    phases: [],
    isFirst: false,
    mayRestartChain: true,
    isLast: false,
    isCameraNews: false,
  },
  tombstone: {
    body: 'tombstone',
    phases: [],
    isFirst: false,
    mayRestartChain: false,
    isLast: true,
    isCameraNews: false,
  },
} as const satisfies Record<RecordKind, RecordKindRules>;

/** Returns the rules of a kind. */
export function rulesOf(kind: RecordKind): RecordKindRules {
  return RECORD_KIND_RULES[kind];
}
