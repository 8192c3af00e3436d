/**
 * MQTT payloads: unsigned CBOR arrays `[type, …]` that carry signed objects. They are envelopes; nothing is concluded
 * from them. An unknown type is `unsupported`.
 */
import { copyOf } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { decodeCbor, encodeCbor, type Cbor } from '../wire/cbor.js';
import { array, bool, bytes, bytesUpTo, int, labelled, nullable, text, tuple, type Codec } from '../wire/codec.js';
import { KEM_KEY_BYTES } from '../objects/ids.js';
import type { SealedObject } from '../seal/seal.js';

/** A record with its media in the order the record lists them; null for an object that was dropped (a signed loss). */
export interface SentRecord {
  readonly record: Uint8Array;
  readonly media: readonly (SealedObject | null)[];
}

export type UpMessage =
  | { readonly type: 'records'; readonly records: readonly SentRecord[] }
  /** `offerV2`: the same offer in version 2, where a camera makes it in both. */
  | { readonly type: 'offer'; readonly offer: Uint8Array; readonly offerV2?: Uint8Array }
  /** The camera's answer to a claim: the claim and the accept record, sent until a receipt covers the record. */
  | { readonly type: 'accept'; readonly claim: Uint8Array; readonly record: Uint8Array };

export type DownMessage =
  | { readonly type: 'receipt'; readonly receipt: Uint8Array }
  /** A claim of version 2 has its recipients' KEM keys beside it, in its order. */
  | {
      readonly type: 'claim';
      readonly claim: Uint8Array;
      readonly mac: Uint8Array | null;
      readonly kemKeys?: readonly Uint8Array[];
    }
  /** Asks the camera for an `owner` offer. */
  | { readonly type: 'offer-request' }
  | { readonly type: 'command'; readonly command: Uint8Array }
  | { readonly type: 'revocation'; readonly revocation: Uint8Array }
  /** The versions that the cloud takes, for a camera that cannot see it in the CONNACK. A hint, which a cloud can withhold. */
  | { readonly type: 'hello'; readonly versions: readonly number[] }
  | { readonly type: 'look'; readonly order: Uint8Array };

/** Whether the camera is connected. Unsigned, and also the last will: a hint, never a verdict. */
export interface StatusMessage {
  readonly online: boolean;
  /** Version of the agent. */
  readonly agent: string;
}

const signed = bytesUpTo(LIMITS.signedMaxBytes);
const sealedPair = labelled(
  ['header', 'body'],
  tuple(bytesUpTo(LIMITS.sealedMaxBytes), bytesUpTo(LIMITS.sealedMaxBytes)),
);
const sealedObject: Codec<SealedObject> = {
  toCbor: ({ header, body }) => sealedPair.toCbor([header, body]),
  fromCbor(raw, path) {
    const [header, body] = sealedPair.fromCbor(raw, path);
    return { header, body };
  },
  schema: sealedPair.schema,
};
const sentPair = labelled(['record', 'media'], tuple(signed, array(nullable(sealedObject), 0, LIMITS.recordMediaMax)));
const sentRecord: Codec<SentRecord> = {
  toCbor: ({ record, media }) => sentPair.toCbor([record, media]),
  fromCbor(raw, path) {
    const [record, media] = sentPair.fromCbor(raw, path);
    return { record, media };
  },
  schema: sentPair.schema,
};

const records = labelled(['records'], tuple(array(sentRecord, 1, LIMITS.messageRecordsMax)));
const offer = labelled(['offer'], tuple(signed));
const offerBoth = labelled(['offer', 'offerV2'], tuple(signed, signed));
const accept = labelled(['claim', 'record'], tuple(signed, signed));
const receipt = labelled(['receipt'], tuple(signed));
const claim = labelled(['claim', 'mac'], tuple(signed, nullable(bytes(32))));
const claimV2 = labelled(
  ['claim', 'mac', 'kemKeys'],
  tuple(signed, nullable(bytes(32)), array(bytes(KEM_KEY_BYTES), 1, LIMITS.recipientsMax)),
);
/** Versions of the future are read too, and left alone. */
const hello = labelled(['versions'], tuple(array(int(1, 255), 1, LIMITS.helloVersionsMax)));
const look = labelled(['order'], tuple(bytesUpTo(LIMITS.lookOrderMaxBytes)));
const command = labelled(['command'], tuple(signed));
const revocation = labelled(['revocation'], tuple(bytesUpTo(LIMITS.revocationMaxBytes)));
const status = labelled(['online', 'agent'], tuple(bool, text(32)));

/** The parts of each message after its type; docs/protocol.cddl is generated from them. */
export const MESSAGE_SCHEMAS = {
  up: { records: records.schema, offer: offer.schema, accept: accept.schema },
  down: {
    receipt: receipt.schema,
    claim: claim.schema,
    'offer-request': tuple().schema,
    command: command.schema,
    revocation: revocation.schema,
  },
  status: { status: status.schema },
} as const;

/** The same with what version 2 adds, for docs/protocol-v2.cddl. A claim of version 1 travels as before. */
export const MESSAGE_SCHEMAS_V2 = {
  ...MESSAGE_SCHEMAS,
  up: { ...MESSAGE_SCHEMAS.up, 'offer-both': offerBoth.schema },
  down: { ...MESSAGE_SCHEMAS.down, 'claim-v2': claimV2.schema, hello: hello.schema, look: look.schema },
} as const;

/** Message types, the first item of each payload. */
export const UP = { records: 1, offer: 2, 'offer-both': 2, accept: 3 } as const;
export const DOWN = {
  receipt: 1,
  claim: 2,
  'claim-v2': 2,
  'offer-request': 3,
  command: 4,
  revocation: 5,
  hello: 6,
  look: 7,
} as const;
export const STATUS = 1;

function pack<T>(type: number, codec: Codec<T>, value: T): Uint8Array {
  const rest = codec.toCbor(value);
  return encodeCbor([type, ...(Array.isArray(rest) ? (rest as readonly Cbor[]) : [])]);
}

function unpack(payload: Uint8Array): { readonly type: number; readonly rest: readonly unknown[] } {
  const raw = decodeCbor(copyOf(payload), {
    maxBytes: LIMITS.messageMaxBytes,
    maxDepth: LIMITS.cborMaxDepth,
    maxItems: 1024,
  });
  if (!Array.isArray(raw)) throw new SealcamError('malformed', 'a message is an array');
  const [type, ...rest] = raw as readonly unknown[];
  if (typeof type !== 'number') throw new SealcamError('malformed', 'a message starts with its type');
  return { type, rest };
}

/** Encodes a message from a camera to the cloud. */
export function encodeUp(message: UpMessage): Uint8Array {
  switch (message.type) {
    case 'records':
      return pack(UP.records, records, [message.records]);
    case 'offer':
      return message.offerV2 === undefined
        ? pack(UP.offer, offer, [message.offer])
        : pack(UP.offer, offerBoth, [message.offer, message.offerV2]);
    case 'accept':
      return pack(UP.accept, accept, [message.claim, message.record]);
  }
}

/** Decodes a message from a camera to the cloud. @throws SealcamError `malformed` or `unsupported` */
export function decodeUp(payload: Uint8Array): UpMessage {
  const { type, rest } = unpack(payload);
  switch (type) {
    case UP.records:
      return { type: 'records', records: records.fromCbor(rest, 'up')[0] };
    case UP.offer: {
      if (rest.length > 1) {
        const [first, second] = offerBoth.fromCbor(rest, 'up');
        return { type: 'offer', offer: first, offerV2: second };
      }
      return { type: 'offer', offer: offer.fromCbor(rest, 'up')[0] };
    }
    case UP.accept: {
      const [signedClaim, record] = accept.fromCbor(rest, 'up');
      return { type: 'accept', claim: signedClaim, record };
    }
    default:
      throw new SealcamError('unsupported', `up message of type ${String(type)}`);
  }
}

/** Encodes a message from the cloud to a camera. */
export function encodeDown(message: DownMessage): Uint8Array {
  switch (message.type) {
    case 'receipt':
      return pack(DOWN.receipt, receipt, [message.receipt]);
    case 'claim':
      return message.kemKeys === undefined
        ? pack(DOWN.claim, claim, [message.claim, message.mac])
        : pack(DOWN.claim, claimV2, [message.claim, message.mac, message.kemKeys]);
    case 'offer-request':
      return pack(DOWN['offer-request'], tuple(), []);
    case 'command':
      return pack(DOWN.command, command, [message.command]);
    case 'revocation':
      return pack(DOWN.revocation, revocation, [message.revocation]);
    case 'hello':
      return pack(DOWN.hello, hello, [message.versions]);
    case 'look':
      return pack(DOWN.look, look, [message.order]);
  }
}

/** Claim and MAC; a third part makes it one of version 2. */
const CLAIM_PARTS = 2;

/** Decodes a message from the cloud to a camera. @throws SealcamError `malformed` or `unsupported` */
export function decodeDown(payload: Uint8Array): DownMessage {
  const { type, rest } = unpack(payload);
  switch (type) {
    case DOWN.receipt:
      return { type: 'receipt', receipt: receipt.fromCbor(rest, 'down')[0] };
    case DOWN.claim: {
      if (rest.length > CLAIM_PARTS) {
        const [signedClaim, mac, kemKeys] = claimV2.fromCbor(rest, 'down');
        return { type: 'claim', claim: signedClaim, mac, kemKeys };
      }
      const [signedClaim, mac] = claim.fromCbor(rest, 'down');
      return { type: 'claim', claim: signedClaim, mac };
    }
    case DOWN['offer-request']:
      tuple().fromCbor(rest, 'down');
      return { type: 'offer-request' };
    case DOWN.command:
      return { type: 'command', command: command.fromCbor(rest, 'down')[0] };
    case DOWN.revocation:
      return { type: 'revocation', revocation: revocation.fromCbor(rest, 'down')[0] };
    case DOWN.hello:
      return { type: 'hello', versions: hello.fromCbor(rest, 'down')[0] };
    case DOWN.look:
      return { type: 'look', order: look.fromCbor(rest, 'down')[0] };
    default:
      throw new SealcamError('unsupported', `down message of type ${String(type)}`);
  }
}

/** Encodes a status message. */
export function encodeStatus({ online, agent }: StatusMessage): Uint8Array {
  return pack(STATUS, status, [online, agent]);
}

/** Decodes a status message. @throws SealcamError `malformed` or `unsupported` */
export function decodeStatus(payload: Uint8Array): StatusMessage {
  const { type, rest } = unpack(payload);
  if (type !== STATUS) throw new SealcamError('unsupported', `status message of type ${String(type)}`);
  const [online, agent] = status.fromCbor(rest, 'status');
  return { online, agent };
}
