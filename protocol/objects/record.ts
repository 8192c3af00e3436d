import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
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
} from '../wire/codec.js';
import type { TypeOf } from '../wire/codec.js';
import { deviceId, HASH_BYTES, ID_BYTES } from './ids.js';
import { EVENT_PHASES, RECORD_KINDS, rulesOf } from './record-kinds.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

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

const media = struct({
  id: field(0, bytes(ID_BYTES)),
  /** `detail` has no picture, only the sealed description of what was seen. */
  role: field(1, names({ thumbnail: 0, detail: 1, clip: 2 })),
  /** Length of the sealed body in bytes. */
  length: field(2, uint()),
  bodyHash: field(3, bytes(HASH_BYTES)),
  headerHash: field(4, bytes(HASH_BYTES)),
});
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
export type LossReason = keyof typeof LOSS_REASONS;

const loss = struct({
  reason: field(0, names(LOSS_REASONS)),
  /** First and last sequence number lost, inclusive. */
  seqs: optional(1, tuple(uint(), uint())),
  /** Lost media objects whose records were kept. */
  media: optional(2, array(bytes(ID_BYTES), 1, LIMITS.lossMediaMax)),
  /** Number of lost things that have no sequence number in this epoch. */
  count: optional(3, uint()),
});
export type RecordLoss = TypeOf<typeof loss>;

/** Counts are totals of the epoch: produced = receipted + queued + quarantined + lost. */
const health = struct({
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
});
export type RecordHealth = TypeOf<typeof health>;

const command = struct({
  source: field(0, names({ owner: 0, console: 1, button: 2 })),
  action: field(
    1,
    names({ snapshot: 0, privacy: 1, zones: 2, sensitivity: 3, release: 4, unlock: 5, reset: 6, reboot: 7 }),
  ),
  result: field(2, names({ done: 0, refused: 1, failed: 2 })),
  /** Hash of the signed command or unlock token that this answers. */
  object: optional(3, bytes(HASH_BYTES)),
  /** An error code, if it was not done. */
  code: optional(4, text(48)),
  /** For an owner's order: the highest counter accepted under this claim. The next order must exceed it. */
  counter: optional(5, uint()),
});
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

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
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
  }),
);
/** A record's fields. Device ids and hashes are 32 bytes, accounts and other ids 16. */
export type SealcamRecord = TypeOf<typeof codec>;

function refuse(why: string): never {
  throw new SealcamError('malformed', `record: ${why}`);
}

/** Fields that only the kind that needs them may have. */
const EXCLUSIVE_BODIES = ['health', 'command', 'scene', 'tombstone'] as const;

function checkBody(record: SealcamRecord): void {
  const { body, phases } = rulesOf(record.kind);
  if (body !== null && record[body] === undefined) refuse(`${record.kind} without ${body}`);
  for (const other of EXCLUSIVE_BODIES) {
    if (other !== body && record[other] !== undefined) refuse(`${record.kind} with ${other}`);
  }
  if (phases.length === 0 && record.event !== undefined) refuse(`${record.kind} with an event`);
  if (record.media !== undefined && record.event === undefined) refuse('media without an event');
  if (record.event !== undefined) {
    const { phase, revision } = record.event;
    if (!phases.includes(phase)) refuse(`${record.kind} with phase ${phase}`);
    const isFirst = phase === 'single' || phase === 'start';
    if (isFirst !== (revision === 0)) refuse(`phase ${phase} with revision ${String(revision)}`);
  }
  const ids = (record.media ?? []).map(({ id }) => toHex(id));
  if (new Set(ids).size !== ids.length) refuse('a media id is listed twice');
  if ((record.time.wallMs === null) !== (record.time.quality === 'unset')) {
    refuse('wall time and clock quality disagree');
  }
}

function checkChain(record: SealcamRecord): void {
  if ((record.seq === 0) !== rulesOf(record.kind).isFirst) refuse('seq 0 is the accept record and no other record');
  if (record.seq === 0 && (record.prev === null || !equal(record.prev, record.claimHash))) {
    refuse('the first record follows the claim');
  }
  const stateLost = record.loss?.some(({ reason }) => reason === 'state-lost') === true;
  if (record.prev === null && !(rulesOf(record.kind).mayRestartChain && stateLost))
    refuse('prev is null without a lost state');
  for (const { seqs, media, count } of record.loss ?? []) {
    if ([seqs, media, count].filter((given) => given !== undefined).length !== 1) {
      refuse('a loss names seqs, media or a count, one of them');
    }
    if (seqs !== undefined && (seqs[0] > seqs[1] || seqs[1] >= record.seq)) refuse('an impossible range of lost seqs');
  }
}

/** What a camera saw or did, signed by the camera and chained to the record before it. */
export const recordKind: SignedKind<SealcamRecord> = {
  domain: 'sealcam/record/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(record, kid, suite) {
    if (!equal(record.device, deviceId(suite, kid))) {
      throw new SealcamError('foreign', 'record: signed by another device than it names');
    }
    checkChain(record);
    checkBody(record);
  },
};
