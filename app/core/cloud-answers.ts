/**
 * The cloud's answers, parsed where they enter. A value that parses has the right shape; nothing in it is trusted yet.
 */
import { z } from '../../common/schema.js';
import { fromBase64, fromHex } from '../../common/bytes.js';

const base64 = z.string().transform((text, context) => {
  const bytes = fromBase64(text);
  if (bytes !== undefined) return bytes;
  context.addIssue('not base64');
  return z.NEVER;
});
const hex = (length: number) =>
  z.string().transform((text, context) => {
    const bytes = fromHex(text, length);
    if (bytes !== undefined) return bytes;
    context.addIssue('not hex');
    return z.NEVER;
  });

export const errorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
});
export const infoAnswer = z.object({
  version: z.literal(1),
  origin: z.string(),
  receiptKeys: z.array(hex(32)).min(1).max(4),
  /** How long records are kept, at least; a cloud of version 0.1 does not say. */
  keepsForMs: z.int().min(0).optional(),
});
export const challengeAnswer = z.object({ cloudOrigin: z.string(), nonce: hex(32), expiresAtMs: z.int() });
export const sessionAnswer = z.object({ token: z.string(), expiresAtMs: z.int() });
export const offerAnswer = z.object({ offer: base64 });
export const commandAnswer = z.object({ online: z.boolean().nullable() });
export const revocationAnswer = z.object({ list: base64.nullable() });
export const claimAnswer = z.object({ state: z.enum(['pending', 'accepted']) });

export const recordItem = z.object({
  id: z.int(),
  record: base64,
  receivedAtMs: z.int(),
  media: z.array(z.object({ id: hex(16), available: z.boolean() })),
});
export type RecordItem = z.output<typeof recordItem>;
export const recordsAnswer = z.object({
  records: z.array(recordItem),
  lowestSeq: z.int().nullable(),
  highestSeq: z.int().nullable(),
  /** The cloud's newest floor of the epoch, and the owner's statements of deletion; a cloud of version 0.1 sends neither. */
  floor: base64.nullish(),
  deletions: z.array(base64).max(1024).optional(),
});
export type RecordsAnswer = z.output<typeof recordsAnswer>;

export const cameraItem = z.object({
  device: hex(32),
  epoch: z.int().min(1),
  claim: base64,
  state: z.enum(['open', 'closed']),
  online: z.boolean().nullable(),
  lastReceivedAtMs: z.int().nullable(),
  incomplete: z.boolean(),
  highestSeq: z.int().nullable(),
  health: base64.nullable(),
});
export type CameraItem = z.output<typeof cameraItem>;
export const camerasAnswer = z.object({ cameras: z.array(cameraItem) });
export const noticeEvent = z.object({ notice: z.string().max(1000).nullable() });
export const pausedEvent = z.object({ message: z.string().max(1000), hint: z.string().max(1000) });

export const headsAnswer = z.object({ statements: z.array(base64).max(1024) });

export const accessAnswer = z.object({
  entries: z.array(
    z.object({
      atMs: z.int(),
      reader: z.string(),
      device: z.string(),
      epoch: z.int(),
      what: z.string(),
      fromSeq: z.int().nullable(),
      toSeq: z.int().nullable(),
    }),
  ),
  /** Before this time lines are missing here. An older cloud does not say it, and archives nothing. */
  archivedBeforeMs: z.int().nullable().default(null),
});
export type AccessAnswer = z.output<typeof accessAnswer>;
export type AccessEntry = AccessAnswer['entries'][number];

/** `eraseAtMs`: UTC by the cloud's clock. */
export const deletionAnswer = z.object({ eraseAtMs: z.int() });
export const accountAnswer = z.object({ deletion: deletionAnswer.nullable() });
export type AccountAnswer = z.output<typeof accountAnswer>;
