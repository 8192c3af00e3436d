/** What a record is made of in version 1. Version 2 is the same and more: record-fields-v2.ts. */
import { LIMITS } from '../../common/limits.js';
import {
  array,
  bool,
  bytes,
  epochNumber,
  field,
  int,
  names,
  nullable,
  optional,
  struct,
  text,
  tuple,
  uint,
  versioned,
  type TypeOf,
} from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';
import { EVENT_PHASES, MEDIA_ROLES, RECORD_KINDS } from './record-kinds.js';
import { PROTOCOL_VERSION } from './signed-object.js';

/** Time of the frame or fact recorded, in milliseconds. `wallMs` is UTC; null while the clock was never set. */
const time = struct({
  /** Random id of this run of the device: monotonic times compare only within one boot. */
  boot: field(0, bytes(ID_BYTES)),
  monotonicMs: field(1, uint()),
  wallMs: field(2, nullable(uint())),
  quality: field(3, names({ unset: 0, rtc: 1, ntp: 2 })),
});
export type RecordTime = TypeOf<typeof time>;

const event = struct({
  id: field(0, bytes(ID_BYTES)),
  phase: field(1, names(EVENT_PHASES)),
  /** 0 in the event's first record, above 0 in every later one. */
  revision: field(2, uint(65_535)),
  /** Id of the media object that is still the event's best picture, if this record brings no better one. */
  picture: optional(3, bytes(ID_BYTES)),
});
export type RecordEvent = TypeOf<typeof event>;

export const mediaFields = {
  id: field(0, bytes(ID_BYTES)),
  role: field(1, names(MEDIA_ROLES)),
  /** Length of the sealed body in bytes. */
  length: field(2, uint()),
  bodyHash: field(3, bytes(HASH_BYTES)),
  headerHash: field(4, bytes(HASH_BYTES)),
};
const media = struct(mediaFields);
export type RecordMedia = TypeOf<typeof media>;

export const LOSS_REASONS = {
  full: 0,
  age: 1,
  'too-large': 2,
  'state-lost': 3,
  corrupt: 4,
  'claim-changed': 5,
  'rate-limit': 6,
  quarantined: 7,
  failed: 8,
  erased: 9,
} as const;

export const lossFields = {
  reason: field(0, names(LOSS_REASONS)),
  /** First and last sequence number lost, inclusive. */
  seqs: optional(1, tuple(uint(), uint())),
  /** Lost media objects whose records were kept. */
  media: optional(2, array(bytes(ID_BYTES), 1, LIMITS.lossMediaMax)),
  /** Number of lost things that have no sequence number in this epoch. */
  count: optional(3, uint()),
};
const loss = struct(lossFields);

/** Counts are totals of the epoch: produced = receipted + queued + quarantined + lost. */
export const healthFields = {
  agent: field(0, text(32)),
  uptimeS: field(1, uint()),
  temperatureDeciC: optional(2, int(-1000, 2000)),
  freeBytes: field(3, uint()),
  produced: field(4, uint()),
  receipted: field(5, uint()),
  queued: field(6, uint()),
  quarantined: field(7, uint()),
  lost: field(8, uint()),
  framesSeen: field(9, uint()),
  framesDropped: field(10, uint()),
  framesCorrupt: field(11, uint()),
  camera: field(12, names({ ok: 0, starting: 1, stalled: 2, absent: 3 })),
  privacy: field(13, bool),
  connects: field(14, uint()),
};
const health = struct(healthFields);
export type RecordHealth = TypeOf<typeof health>;

export const ORDER_SOURCES = { owner: 0, console: 1, button: 2 } as const;
/** Numbers up to 4 are those of the order itself. */
export const ANSWERED_ACTIONS = {
  snapshot: 0,
  privacy: 1,
  zones: 2,
  sensitivity: 3,
  release: 4,
  unlock: 5,
  reset: 6,
  reboot: 7,
} as const;

export const commandFields = {
  source: field(0, names(ORDER_SOURCES)),
  action: field(1, names(ANSWERED_ACTIONS)),
  result: field(2, names({ done: 0, refused: 1, failed: 2 })),
  /** Hash of the signed command or unlock token that this answers. */
  object: optional(3, bytes(HASH_BYTES)),
  /** An error code, if it was not done. */
  code: optional(4, text(48)),
  /** For an owner's order: the highest counter accepted under this claim. The next order must exceed it. */
  counter: optional(5, uint()),
};
const command = struct(commandFields);
export type RecordCommand = TypeOf<typeof command>;

const scene = struct({
  class: field(
    0,
    names({
      startup: 0,
      illumination: 1,
      'ir-cut': 2,
      tamper: 3,
      overlay: 4,
      stall: 5,
      'clock-jump': 6,
      'rate-limit': 7,
    }),
  ),
  /** How long it lasted, where that is known. */
  durationMs: optional(1, uint()),
});
export type RecordScene = TypeOf<typeof scene>;

const tombstone = struct({
  reason: field(0, names({ superseded: 0, release: 1, reset: 2 })),
});

export const recordFields = {
  kind: field(1, names(RECORD_KINDS)),
  device: field(2, bytes(HASH_BYTES)),
  account: field(3, bytes(ID_BYTES)),
  epoch: field(4, epochNumber),
  claimHash: field(5, bytes(HASH_BYTES)),
  /** 0, 1, 2 … in the epoch. */
  seq: field(6, uint()),
  /** Hash of the previous record; the claim hash for seq 0; null only if the state before was lost. */
  prev: field(7, nullable(bytes(HASH_BYTES))),
  time: field(8, time),
  event: optional(9, event),
  media: optional(10, array(media, 1, LIMITS.recordMediaMax)),
  loss: optional(11, array(loss, 1, LIMITS.recordLossMax)),
  health: optional(12, health),
  command: optional(13, command),
  scene: optional(14, scene),
  tombstone: optional(15, tombstone),
};

export const recordCodec = versioned(PROTOCOL_VERSION, struct(recordFields));
/** A record's fields. Device ids and hashes are 32 bytes, accounts and other ids 16. */
export type SealcamRecord = TypeOf<typeof recordCodec>;
