/**
 * The cloud's answers, parsed where they enter. A value that parses has the right shape; nothing in it is trusted yet.
 */
import * as v from '../../common/schema.js';

export const errorAnswer = v.object({
  error: v.object({ code: v.string(), message: v.string(), hint: v.string() }),
});
export const infoAnswer = v.object({
  version: v.literal(1),
  origin: v.string(),
  receiptKeys: v.pipe(v.array(v.hexBytes(32)), v.minLength(1), v.maxLength(4)),
  /** How long records are kept, at least; a cloud of version 0.1 does not say. */
  keepsForMs: v.optional(v.int(0)),
  /** Whether it takes the KEM keys of people and hands them out by their hash. */
  takesKemKeys: v.optional(v.boolean()),
});
export const challengeAnswer = v.object({ cloudOrigin: v.string(), nonce: v.hexBytes(32), expiresAtMs: v.int() });
/** `offerV2`: the same offer in version 2, of a camera that takes a claim of either. */
export const offerAnswer = v.object({ offer: v.base64Bytes, offerV2: v.optional(v.base64Bytes) });
export type OfferAnswer = v.InferOutput<typeof offerAnswer>;
export const commandAnswer = v.object({ online: v.nullable(v.boolean()) });
export const revocationAnswer = v.object({ list: v.nullable(v.base64Bytes) });
export const kemKeyAnswer = v.object({ kemKey: v.base64Bytes });
export const claimAnswer = v.object({ state: v.picklist(['pending', 'accepted']) });

export const recordItem = v.object({
  id: v.int(),
  record: v.base64Bytes,
  receivedAtMs: v.int(),
  media: v.array(v.object({ id: v.hexBytes(16), available: v.boolean() })),
});
export type RecordItem = v.InferOutput<typeof recordItem>;
export const periodAnswer = v.object({ record: recordItem, body: v.base64Bytes });
export type PeriodAnswer = v.InferOutput<typeof periodAnswer>;
export const recordsAnswer = v.object({
  records: v.array(recordItem),
  lowestSeq: v.nullable(v.int()),
  highestSeq: v.nullable(v.int()),
  /** The cloud's newest floor of the epoch, and the owner's statements of deletion; a cloud of version 0.1 sends neither. */
  floor: v.nullish(v.base64Bytes),
  deletions: v.optional(v.pipe(v.array(v.base64Bytes), v.maxLength(1024))),
});
export type RecordsAnswer = v.InferOutput<typeof recordsAnswer>;

export const cameraItem = v.object({
  device: v.hexBytes(32),
  epoch: v.int(1),
  claim: v.base64Bytes,
  state: v.picklist(['open', 'closed']),
  online: v.nullable(v.boolean()),
  lastReceivedAtMs: v.nullable(v.int()),
  incomplete: v.boolean(),
  highestSeq: v.nullable(v.int()),
  health: v.nullable(v.base64Bytes),
});
export type CameraItem = v.InferOutput<typeof cameraItem>;
export const camerasAnswer = v.object({ cameras: v.array(cameraItem) });

/** What a page shows first, with the session that it opened. */
const firstAnswer = v.object({
  newestId: v.int(),
  heads: v.pipe(v.array(v.base64Bytes), v.maxLength(1024)),
  cameras: v.array(v.object({ camera: cameraItem, page: v.nullable(recordsAnswer) })),
});
export type FirstAnswer = v.InferOutput<typeof firstAnswer>;
/** `first` is missing from a cloud of version 0.1. */
export const sessionAnswer = v.object({ token: v.string(), expiresAtMs: v.int(), first: v.nullish(firstAnswer) });
export const noticeEvent = v.object({ notice: v.nullable(v.pipe(v.string(), v.maxLength(1000))) });
export const pausedEvent = v.object({
  message: v.pipe(v.string(), v.maxLength(1000)),
  hint: v.pipe(v.string(), v.maxLength(1000)),
});

export const headsAnswer = v.object({ statements: v.pipe(v.array(v.base64Bytes), v.maxLength(1024)) });

export const accessAnswer = v.object({
  entries: v.array(
    v.object({
      atMs: v.int(),
      reader: v.string(),
      device: v.string(),
      epoch: v.int(),
      what: v.string(),
      fromSeq: v.nullable(v.int()),
      toSeq: v.nullable(v.int()),
    }),
  ),
  /** Before this time lines are missing here. An older cloud does not say it, and archives nothing. */
  archivedBeforeMs: v.optional(v.nullable(v.int()), null),
});
export type AccessAnswer = v.InferOutput<typeof accessAnswer>;
export type AccessEntry = AccessAnswer['entries'][number];

/** `eraseAtMs`: UTC by the cloud's clock. */
export const deletionAnswer = v.object({ eraseAtMs: v.int() });
export const accountAnswer = v.object({ deletion: v.nullable(deletionAnswer) });
export type AccountAnswer = v.InferOutput<typeof accountAnswer>;
