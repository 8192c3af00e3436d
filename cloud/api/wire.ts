import { z } from '../../common/schema.js';
import { fromBase64, fromHex, toBase64, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { VERDICTS, type Verdict } from '../../protocol/verify/verdict.js';
import type { ReadRecord } from './reader.js';

/** Bodies and answers of the HTTP API. Ids are lower-case hex, signed objects base64, times milliseconds since 1970 UTC. */

export const hexOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${String(2 * bytes)}}$`))
    .describe(`${String(bytes)} bytes in lower-case hex`);
export const base64 = z.string().max(100_000).describe('base64 with padding (RFC 4648 §4)');
export const epoch = z.coerce.number().int().min(1);
const millis = z.number().int().describe('milliseconds since 1970-01-01T00:00:00Z');

export const errorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
});

export const infoAnswer = z.object({
  version: z.literal(1),
  origin: z.string(),
  receiptKeys: z.array(hexOf(32)).describe('keys that a new claim must name: the current one and its successor'),
  timeMs: millis,
  keepsForMs: z.number().int().describe('how long this cloud promises to keep records, in milliseconds'),
});

export const challengeAnswer = z.object({ cloudOrigin: z.string(), nonce: hexOf(32), expiresAtMs: millis });
const ACCEPTED_ACCOUNTS_MAX = 64;
export const sessionBody = z.strictObject({
  session: base64.describe('signed session object'),
  accepted: z
    .array(hexOf(16))
    .max(ACCEPTED_ACCOUNTS_MAX)
    .default([])
    .describe('accounts whose invitations you accepted; of others, lists hold a few epochs only'),
});
export const sessionAnswer = z.object({ token: z.string(), key: hexOf(32), expiresAtMs: millis });

export const claimBody = z.strictObject({ claim: base64, mac: hexOf(32).nullable() });
export const acceptedBody = z.strictObject({
  claim: base64.describe('your signed claim'),
  accept: base64.describe("the camera's signed accept record of it"),
});
export const claimAnswer = z.object({ state: z.enum(['pending', 'accepted']) });
export const offerAnswer = z.object({ offer: base64, receivedAtMs: millis });

export const recordItem = z.object({
  id: z.number().int().describe('arrival number, for resuming a stream'),
  device: hexOf(32),
  epoch: z.number().int(),
  seq: z.number().int(),
  record: base64.describe('the signed record; verify it'),
  receivedAtMs: millis,
  verdict: z.enum(['intact', 'pending', 'gap']).describe("the cloud's verdict; the page computes its own"),
  missing: z.number().int().nullable(),
  media: z.array(z.object({ id: hexOf(16), available: z.boolean() })),
});
export const recordsAnswer = z.object({
  records: z.array(recordItem),
  lowestSeq: z.number().int().nullable().describe('lowest seq that is shown'),
  highestSeq: z.number().int().nullable(),
  floor: base64.nullable().describe('the newest signed floor: what retention deleted of this epoch'),
  deletions: z.array(base64).describe("the owner's signed statements of what was deleted of this epoch"),
});

export const cameraItem = z.object({
  device: hexOf(32),
  epoch: z.number().int(),
  account: hexOf(16),
  claim: base64.describe('the signed claim of this epoch'),
  state: z.enum(['open', 'closed']),
  online: z.boolean().nullable().describe('a hint of the broker, unsigned'),
  lastReceivedAtMs: millis.nullable(),
  incomplete: z.boolean().describe('silent for two health cadences'),
  highestSeq: z.number().int().nullable(),
  health: base64.nullable().describe('the newest signed health record'),
});
export const camerasAnswer = z.object({ cameras: z.array(cameraItem) });

export const accessAnswer = z.object({
  entries: z.array(
    z.object({
      atMs: millis,
      reader: hexOf(32),
      device: hexOf(32),
      epoch: z.number().int(),
      what: z.enum(['records', 'media', 'stream', 'export']),
      fromSeq: z.number().int().nullable(),
      toSeq: z.number().int().nullable(),
      mediaId: hexOf(16).nullable(),
    }),
  ),
  archivedBeforeMs: millis
    .nullable()
    .describe('the operator archived lines before this time, which are not shown here; null: all are here'),
});

const VERDICT_NAMES = Object.keys(VERDICTS) as [Verdict, ...Verdict[]];
export const alarmBody = z.strictObject({
  verdict: z.enum([...VERDICT_NAMES, 'older-history']),
  code: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,47}$/)
    .describe('error code of the page'),
  device: hexOf(32).nullable().describe('the camera that it was attributed to'),
  epoch: z.number().int().min(1).nullable(),
});
export type AlarmBody = z.output<typeof alarmBody>;

export const revocationBody = z.strictObject({ list: base64.describe('signed revocation list of scope owner') });
export const newestRevocationAnswer = z.object({
  list: base64.nullable().describe('the newest list of this key; null before the first'),
});
export const revocationAnswer = z.object({ version: z.number().int(), entries: z.number().int() });

export const headsBody = z.strictObject({
  heads: base64.describe('signed statement of heads, by the key of the session'),
});
export const headsAnswer = z.object({ statements: z.array(base64) });

const RANGES_PER_REQUEST_MAX = 64;
const EPOCHS_PER_ACCOUNT_MAX = 1024;
const deletionStatement = base64.describe("signed statement of deletion, by the epoch's owner");
const account = hexOf(16).describe('your account, as a confirmation');
export const deletionsBody = z.strictObject({
  statements: z.array(deletionStatement).min(1).max(RANGES_PER_REQUEST_MAX),
});
export const eraseAnswer = z.object({
  eraseAtMs: millis.describe('what is marked is erased then, unless it is undone'),
});
export const deleteAccountBody = z.strictObject({
  account,
  statements: z.array(deletionStatement).max(EPOCHS_PER_ACCOUNT_MAX).default([]),
});
export const accountBody = z.strictObject({ account });
export const accountAnswer = z.object({ deletion: z.object({ eraseAtMs: millis }).nullable() });

/** @throws SealcamError `request-invalid` */
export function bytesOf(hex: string, length: number): Uint8Array {
  const bytes = fromHex(hex, length);
  if (bytes === undefined) throw new SealcamError('request-invalid', `expected ${String(length)} bytes in hex`);
  return bytes;
}

/** @throws SealcamError `request-invalid` */
export function decoded(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw new SealcamError('request-invalid', 'expected base64');
  return bytes;
}

/** Returns a record as the API shows it. */
export function recordJson({ id, record, receivedAtMs, continuity, media }: ReadRecord): z.output<typeof recordItem> {
  const { value, bytes } = record;
  return {
    id,
    device: toHex(value.device),
    epoch: value.epoch,
    seq: value.seq,
    record: toBase64(bytes),
    receivedAtMs,
    verdict: continuity.verdict === 'equivocation' ? 'pending' : continuity.verdict,
    missing: continuity.verdict === 'gap' ? continuity.missing : null,
    media: media.map((item) => ({ id: toHex(item.id), available: item.isAvailable })),
  };
}
