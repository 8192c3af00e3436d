import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';
import { fromBase64, fromHex, toBase64, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { VERDICTS, type Verdict } from '../../protocol/verify/verdict.js';
import { pushChoices } from '../push/choices.js';
import { ENDPOINT_MAX_BYTES } from '../push/endpoint.js';
import type { AccessEntry } from '../store/store.js';
import type { ReadRecord } from './reader.js';

/** Bodies and answers of the HTTP API. Ids are lower-case hex, signed objects base64, times milliseconds since 1970 UTC. */

export const hexOf = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^[0-9a-f]{${String(2 * bytes)}}$`)),
    v.description(`${String(bytes)} bytes in lower-case hex`),
  );
export const base64 = v.pipe(v.string(), v.maxLength(100_000), v.description('base64 with padding (RFC 4648 §4)'));
/** A whole number in a path or query, where everything is text. */
export const integerInText = (min: number, max?: number) => v.pipe(v.unknown(), v.transform(Number), v.int(min, max));
export const epoch = integerInText(1);
/** The same form with a sentence of its own in the API's description. */
export const described = <const S extends v.GenericSchema>(schema: S, text: string) =>
  v.pipe(schema, v.description(text));
const millis = described(v.int(), 'milliseconds since 1970-01-01T00:00:00Z');

export const errorAnswer = v.object({
  error: v.object({ code: v.string(), message: v.string(), hint: v.string() }),
});

export const infoAnswer = v.object({
  version: v.picklist([1]),
  origin: v.string(),
  receiptKeys: described(v.array(hexOf(32)), 'keys that a new claim must name: the current one and its successor'),
  timeMs: millis,
  keepsForMs: described(v.int(), 'how long this cloud promises to keep records, in milliseconds'),
  /** Pages leave the KEM key of a browser here, for claims of version 2. A cloud of version 0.1 says nothing of it. */
  takesKemKeys: v.literal(true),
});

export const challengeAnswer = v.object({ cloudOrigin: v.string(), nonce: hexOf(32), expiresAtMs: millis });
const ACCEPTED_ACCOUNTS_MAX = 64;
const FIRST_RECORDS_MAX = 50;
export const sessionBody = v.strictObject({
  session: described(base64, 'signed session object'),
  accepted: v.optional(
    described(
      v.pipe(v.array(hexOf(16)), v.maxLength(ACCEPTED_ACCOUNTS_MAX)),
      'accounts whose invitations you accepted; of others, lists hold a few epochs only',
    ),
    [],
  ),
  first: v.optional(
    described(v.int(0, FIRST_RECORDS_MAX), 'answer too with the cameras and this many of the newest records of each'),
    0,
  ),
});
const kemKeysBeside = v.optional(
  described(
    v.pipe(v.array(base64), v.maxLength(LIMITS.recipientsMax)),
    "beside a claim of version 2: its recipients' KEM keys, in its order",
  ),
);
export const claimBody = v.strictObject({ claim: base64, mac: v.nullable(hexOf(32)), kemKeys: kemKeysBeside });
export const acceptedBody = v.strictObject({
  claim: described(base64, 'your signed claim'),
  accept: described(base64, "the camera's signed accept record of it"),
  kemKeys: kemKeysBeside,
});
const kemKeyList = v.array(v.nullable(base64));
export const kemKeysAnswer = v.object({
  kemKeys: described(
    v.nullable(kemKeyList),
    'in the order of the claim, null for one that is missing; null for a claim of version 1',
  ),
});
export const claimAnswer = v.object({ state: v.picklist(['pending', 'accepted']) });
export const kemKeyBody = v.strictObject({
  kemKey: described(base64, 'the X-Wing public key with this hash'),
});
export const kemKeyAnswer = v.object({ kemKey: base64 });
export const offerAnswer = v.object({
  offer: described(base64, 'in the lowest version that the camera takes'),
  offerV2: v.optional(described(base64, 'the same in version 2, from a camera that takes both')),
  receivedAtMs: millis,
});

export const recordItem = v.object({
  id: described(v.int(), 'arrival number, for resuming a stream'),
  device: hexOf(32),
  epoch: v.int(),
  seq: v.int(),
  record: described(base64, 'the signed record; verify it'),
  receivedAtMs: millis,
  verdict: described(v.picklist(['intact', 'pending', 'gap']), "the cloud's verdict; the page computes its own"),
  missing: v.nullable(v.int()),
  media: v.array(v.object({ id: hexOf(16), available: v.boolean() })),
  segments: described(
    v.array(v.object({ id: hexOf(16), available: v.boolean() })),
    'of a clip record, in its order: whether the body is here',
  ),
});
export const periodAnswer = v.object({
  record: described(recordItem, 'the key record of the period'),
  body: described(base64, 'the body of its object: the wrapped key of the period, once for each recipient'),
});
export const recordsAnswer = v.object({
  records: v.array(recordItem),
  lowestSeq: described(v.nullable(v.int()), 'lowest seq that is shown'),
  highestSeq: v.nullable(v.int()),
  floor: described(v.nullable(base64), 'the newest signed floor: what retention deleted of this epoch'),
  deletions: described(v.array(base64), "the owner's signed statements of what was deleted of this epoch"),
});

export const receiptsAnswer = v.object({
  receipts: described(v.array(base64), 'signed receipts; none where the claim names no key of this cloud'),
});

export const cameraItem = v.object({
  device: hexOf(32),
  epoch: v.int(),
  account: hexOf(16),
  claim: described(base64, 'the signed claim of this epoch'),
  kemKeys: described(
    v.nullable(kemKeyList),
    'KEM keys of an open epoch of version 2, in the order of its claim, null for one that is missing; else null',
  ),
  state: v.picklist(['open', 'closed']),
  online: described(v.nullable(v.boolean()), 'a hint of the broker, unsigned'),
  lastReceivedAtMs: v.nullable(millis),
  incomplete: described(v.boolean(), 'silent for two health cadences'),
  highestSeq: described(v.nullable(v.int()), 'null too in an invitation that was not accepted, as all the rest is'),
  health: described(v.nullable(base64), 'the newest signed health record'),
});
export const camerasAnswer = v.object({ cameras: v.array(cameraItem) });

export const firstAnswer = v.object({
  newestId: described(v.int(), 'arrival number before which every record is in here; resume a stream from it'),
  heads: described(v.array(base64), 'as GET /v1/heads answers'),
  cameras: v.array(
    v.object({
      camera: cameraItem,
      page: described(v.nullable(recordsAnswer), 'the newest records; null where they must be asked for'),
    }),
  ),
});
export const sessionAnswer = v.object({
  token: v.string(),
  key: hexOf(32),
  expiresAtMs: millis,
  first: described(v.nullable(firstAnswer), 'null unless it was asked for, and where nothing may be read now'),
});

export const accessAnswer = v.object({
  entries: v.array(
    v.object({
      atMs: millis,
      reader: hexOf(32),
      device: hexOf(32),
      epoch: v.int(),
      what: v.picklist(['records', 'media', 'stream', 'export', 'look', 'push']),
      fromSeq: v.nullable(v.int()),
      toSeq: v.nullable(v.int()),
      mediaId: v.nullable(hexOf(16)),
      look: v.nullable(
        v.object({
          session: hexOf(16),
          end: described(
            v.nullable(v.object({ bytes: v.int(), seconds: v.int() })),
            'what was relayed of live pictures, and for how long; null in the line with which the look begins',
          ),
        }),
      ),
    }),
  ),
  archivedBeforeMs: described(
    v.nullable(millis),
    'the operator archived lines before this time, which are not shown here; null: all are here',
  ),
});

const VERDICT_NAMES = Object.keys(VERDICTS) as [Verdict, ...Verdict[]];
export const alarmBody = v.strictObject({
  verdict: v.picklist([...VERDICT_NAMES, 'older-history']),
  code: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,47}$/), v.description('error code of the page')),
  device: described(v.nullable(hexOf(32)), 'the camera that it was attributed to'),
  epoch: v.nullable(v.int(1)),
});
export type AlarmBody = v.InferOutput<typeof alarmBody>;

export const revocationBody = v.strictObject({ list: described(base64, 'signed revocation list of scope owner') });
export const newestRevocationAnswer = v.object({
  list: described(v.nullable(base64), 'the newest list of this key; null before the first'),
});
export const revocationAnswer = v.object({ version: v.int(), entries: v.int() });

export const headsBody = v.strictObject({
  heads: described(base64, 'signed statement of heads, by the key of the session'),
});
export const headsAnswer = v.object({ statements: v.array(base64) });

export const settingsBody = v.strictObject({
  account: described(hexOf(16), 'the household'),
  settings: described(base64, 'signed settings object, by the key of the session'),
});
export const settingsAnswer = v.object({
  households: v.array(
    v.object({
      account: hexOf(16),
      settings: described(v.array(base64), 'signed settings objects that no other one names as a parent'),
    }),
  ),
});

const base64url = (bytes: number) => {
  const letters = String(Math.ceil((bytes * 4) / 3));
  return v.pipe(
    v.string(),
    v.regex(new RegExp(`^[A-Za-z0-9_-]{${letters}}$`)),
    v.description(`${String(bytes)} bytes in base64url, without padding`),
  );
};
const POINT_BYTES = 65;
const AUTH_BYTES = 16;
export const pushBody = v.strictObject({
  subscription: described(
    v.object({
      endpoint: described(v.pipe(v.string(), v.maxLength(ENDPOINT_MAX_BYTES)), 'https URL of a push service'),
      keys: v.object({ p256dh: base64url(POINT_BYTES), auth: base64url(AUTH_BYTES) }),
    }),
    'as the browser gives it (PushSubscription.toJSON)',
  ),
  choices: pushChoices,
});
export const pushIdAnswer = v.object({ id: hexOf(16) });
export const pushAnswer = v.object({
  key: described(
    v.nullable(v.string()),
    'public key for which a browser subscribes, base64url; null where the operator has not set notifications up',
  ),
  subscriptions: v.array(
    v.object({
      id: hexOf(16),
      endpointHost: v.string(),
      createdAtMs: millis,
      lastOkMs: described(v.nullable(millis), 'when the push service last took a message, to the hour'),
      choices: pushChoices,
    }),
  ),
});

const RANGES_PER_REQUEST_MAX = 64;
const EPOCHS_PER_ACCOUNT_MAX = 1024;
const deletionStatement = described(base64, "signed statement of deletion, by the epoch's owner");
const account = described(hexOf(16), 'your account, as a confirmation');
export const deletionsBody = v.strictObject({
  statements: v.pipe(v.array(deletionStatement), v.minLength(1), v.maxLength(RANGES_PER_REQUEST_MAX)),
});
export const eraseAnswer = v.object({
  eraseAtMs: described(millis, 'what is marked is erased then, unless it is undone'),
});
export const deleteAccountBody = v.strictObject({
  account,
  statements: v.optional(v.pipe(v.array(deletionStatement), v.maxLength(EPOCHS_PER_ACCOUNT_MAX)), []),
});
export const accountBody = v.strictObject({ account });
export const accountAnswer = v.object({ deletion: v.nullable(v.object({ eraseAtMs: millis })) });

/** @throws SealcamError `request-invalid` */
export function bytesOf(hex: string, length: number): Uint8Array {
  const bytes = fromHex(hex, length);
  if (bytes === undefined) throw new SealcamError('request-invalid', `expected ${String(length)} bytes in hex`);
  return bytes;
}

/** Returns a list as an answer has it. */
export function base64List(items: readonly (Uint8Array | null)[] | null): (string | null)[] | null {
  return items?.map((item) => (item === null ? null : toBase64(item))) ?? null;
}

/** @throws SealcamError `request-invalid` */
export function decoded(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw new SealcamError('request-invalid', 'expected base64');
  return bytes;
}

/** Returns a record as the API shows it. */
export function recordJson({
  id,
  record,
  receivedAtMs,
  continuity,
  media,
  segments,
}: ReadRecord): v.InferOutput<typeof recordItem> {
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
    segments: segments.map((item) => ({ id: toHex(item.id), available: item.isAvailable })),
  };
}

/** Returns a line of the access log as the API shows it. */
export function accessJson({
  reader,
  device,
  mediaId,
  look,
  ...rest
}: AccessEntry): v.InferOutput<typeof accessAnswer>['entries'][number] {
  return {
    ...rest,
    reader: toHex(reader),
    device: toHex(device),
    mediaId: mediaId === null ? null : toHex(mediaId),
    look: look === undefined ? null : { session: toHex(look.session), end: look.end },
  };
}
