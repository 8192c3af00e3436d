/** What version 2 adds to a record. */
import { LIMITS } from '../../common/limits.js';
import {
  array,
  bool,
  bytes,
  bytesUpTo,
  field,
  names,
  nullable,
  optional,
  struct,
  text,
  uint,
  versionTwo,
  type TypeOf,
} from '../wire/codec.js';
import { clip } from './clip.js';
import { HASH_BYTES, ID_BYTES, KEM_CIPHERTEXT_BYTES, KEY_BYTES } from './ids.js';
import { keyRecord } from './key-record.js';
import {
  ANSWERED_ACTIONS,
  commandFields,
  healthFields,
  LOSS_REASONS,
  lossFields,
  mediaFields,
  ORDER_SOURCES,
  recordFields,
  type RecordHealth,
} from './record-fields.js';
import { MEDIA_ROLES_V2, RECORD_KINDS_V2 } from './record-kinds.js';

const media = struct({ ...mediaFields, role: field(1, names(MEDIA_ROLES_V2)) });
export type RecordMediaV2 = TypeOf<typeof media>;

/** `refused`: the cloud signed that it takes a clip's segment never. */
export const LOSS_REASONS_V2 = { ...LOSS_REASONS, refused: 10 } as const;
export type LossReason = keyof typeof LOSS_REASONS_V2;
const loss = struct({ ...lossFields, reason: field(0, names(LOSS_REASONS_V2)) });
export type RecordLoss = TypeOf<typeof loss>;

const health = struct({
  ...healthFields,
  /** The agent's own memory, resident, without its children. */
  memoryBytes: field(15, uint()),
  /** Starts of the agent since the camera booted, not counting the first. */
  restarts: field(16, uint()),
  /** Length of video that the ring held at least; absent without clips. */
  ringSeconds: optional(17, uint(3600)),
  /** Bytes that the agent wrote to the flash in the last day. */
  flashBytesPerDay: optional(18, uint()),
  /** Whether the camera has a light that shows that somebody looks. */
  light: field(19, bool),
  /** Name of the system's boot slot, where it has several. */
  slot: optional(20, text(32)),
  /** SHA-256 of the build, where the image says it. */
  buildHash: optional(21, bytes(HASH_BYTES)),
});
export type RecordHealthV2 = TypeOf<typeof health>;

/** The camera's answer to a look: with it every member of the household sees who looks. */
const look = struct({
  /** The whole signed order, `sealcam/look/v1`. */
  order: field(0, bytesUpTo(LIMITS.lookOrderMaxBytes)),
  /** What the camera's encapsulation to the order's key gave; null for a renewal, which keeps the session's key. */
  ciphertext: field(1, nullable(bytes(KEM_CIPHERTEXT_BYTES))),
  /** When the session ends unless it is renewed, on the monotonic clock of the record's boot. */
  expiresMs: field(2, uint()),
});

/** The end of a look. What was sent and not received then shows. */
const lookEnd = struct({
  session: field(0, bytes(ID_BYTES)),
  framesSent: field(1, uint()),
  framesDropped: field(2, uint()),
  seconds: field(3, uint()),
  reason: field(
    4,
    names({
      expired: 0,
      'viewer-left': 1,
      privacy: 2,
      schedule: 3,
      'claim-changed': 4,
      'camera-failed': 5,
      disconnected: 6,
    }),
  ),
});

const command = struct({
  ...commandFields,
  source: field(0, names({ ...ORDER_SOURCES, member: 3 })),
  action: field(1, names({ ...ANSWERED_ACTIONS, look: 8, masks: 9, schedules: 10 })),
  /** The Ed25519 key whose order this answers. `counter` is the highest that the camera accepted from it under this claim. */
  signer: optional(6, bytes(KEY_BYTES)),
  look: optional(7, look),
  lookEnd: optional(8, lookEnd),
});

export const recordCodecV2 = versionTwo(
  struct({
    ...recordFields,
    kind: field(1, names(RECORD_KINDS_V2)),
    media: optional(10, array(media, 1, LIMITS.recordMediaMax)),
    loss: optional(11, array(loss, 1, LIMITS.recordLossMax)),
    health: optional(12, health),
    command: optional(13, command),
    key: optional(16, keyRecord),
    clip: optional(17, clip),
  }),
);
export type RecordV2 = TypeOf<typeof recordCodecV2>;
/** A record of either version: of version 1 if it says none. A `SealcamRecord` is one. */
export type AnyRecord = Omit<RecordV2, 'version' | 'health'> & {
  readonly version?: 2;
  readonly health?: RecordHealth | RecordHealthV2;
};
