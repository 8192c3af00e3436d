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

/** Version 2 has two more: `key` wraps the key of a period to the household, `clip` names the segments of an event's video. */
export const RECORD_KINDS_V2 = { ...RECORD_KINDS, key: 8, clip: 9 } as const;
export type RecordKindV2 = keyof typeof RECORD_KINDS_V2;

/**
 * What a sealed object is. `detail` has no picture, only the sealed description of what was seen. Nothing has the role
 * `clip`, which version 1 reserved.
 */
export const MEDIA_ROLES = { thumbnail: 0, detail: 1, clip: 2 } as const;
/** `key` wraps a period key; `mini` is a picture that fits into a notification; a `segment` stands in a `clip` record only. */
export const MEDIA_ROLES_V2 = { ...MEDIA_ROLES, key: 3, mini: 4, segment: 5 } as const;
export type MediaRole = keyof typeof MEDIA_ROLES_V2;
/** Roles of what belongs to an event, in version 2. */
export const EVENT_MEDIA_ROLES: readonly MediaRole[] = ['thumbnail', 'detail', 'mini'];

/** Where a record stands in its event: a motion event has a start, updates and an end; `single` is all of an event. */
export const EVENT_PHASES = { start: 0, update: 1, end: 2, single: 3 } as const;
export type EventPhase = keyof typeof EVENT_PHASES;

export interface RecordKindRules {
  /** The field that a record of this kind must have; null if it needs none. */
  readonly body: 'event' | 'health' | 'command' | 'scene' | 'tombstone' | 'loss' | 'key' | 'clip' | null;
  /**
   * Phases that its event may have. Without any it has no event, and therefore no media but that of
   * {@link OWN_MEDIA_ROLES}.
   */
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

/** Rules of the kinds of version 2. Neither of the new ones stands at an end of its epoch or changes a list of cameras. */
const INNER = { phases: [], isFirst: false, mayRestartChain: false, isLast: false, isCameraNews: false } as const;
const RECORD_KIND_RULES_V2 = {
  ...RECORD_KIND_RULES,
  key: { body: 'key', ...INNER },
  clip: { body: 'clip', ...INNER },
} as const satisfies Record<RecordKindV2, RecordKindRules>;

/** Returns the rules of a kind. */
export function rulesOf(kind: RecordKindV2): RecordKindRules {
  return RECORD_KIND_RULES_V2[kind];
}

/** The media that a kind has without an event, in version 2: one object of this role. */
export const OWN_MEDIA_ROLES: Partial<Record<RecordKindV2, MediaRole>> = { key: 'key', command: 'detail' };
