/**
 * What a push message carries once the browser has opened it (RFC 8291): the signed record of something new with the sealed
 * picture that fits, or a few words of what the cloud says itself. Only a record can be verified; the other two are a hint.
 * All are of one length, with a byte 0x80 and zeros behind the CBOR, so that the push service cannot tell them apart.
 */
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { HASH_BYTES } from '../objects/ids.js';
import type { SealedObject } from '../seal/seal.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { bytes, bytesBetween, int, labelled, nullable, tuple, uint } from '../wire/codec.js';

export type Notice =
  /** A record, with its object of role `mini`; null where it has none, or none that fits. */
  | { readonly type: 'record'; readonly record: Uint8Array; readonly mini: SealedObject | null }
  /** How many things a camera brought at once that nobody was woken for, as the cloud counts. */
  | { readonly type: 'summary'; readonly device: Uint8Array; readonly count: number }
  /** A camera of which nothing has come since then, in milliseconds since 1970 by the cloud's clock. */
  | { readonly type: 'silent'; readonly device: Uint8Array; readonly sinceMs: number };

const VERSION = 1;
/** Follows the CBOR; after it there are zeros only. */
const END = 0x80;
const COUNT_MAX = 4_294_967_295;
const KINDS = { record: 0, summary: 1, silent: 2 } as const;

const version = int(VERSION, VERSION);
const kindOf = (kind: number) => int(kind, kind);
const signed = bytesBetween(1, LIMITS.signedMaxBytes);
const header = nullable(bytesBetween(1, LIMITS.sealHeaderMaxBytes));
const body = nullable(bytesBetween(1, LIMITS.noticeBytes));

const record = labelled(
  ['version', 'kind', 'record', 'header', 'body'],
  tuple(version, kindOf(KINDS.record), signed, header, body),
);
const summary = labelled(
  ['version', 'kind', 'device', 'count'],
  tuple(version, kindOf(KINDS.summary), bytes(HASH_BYTES), int(1, COUNT_MAX)),
);
const silent = labelled(
  ['version', 'kind', 'device', 'since-ms'],
  tuple(version, kindOf(KINDS.silent), bytes(HASH_BYTES), uint()),
);

/** The payload of each kind; docs/protocol-v2.cddl is generated from them. */
export const NOTICE_SCHEMAS = { record: record.schema, summary: summary.schema, silent: silent.schema } as const;

/** Encodes a notice. @throws SealcamError `malformed` for a value out of range, `too-large` above the limit */
export function encodeNotice(notice: Notice): Uint8Array {
  const encoded = encodeCbor(partsOf(notice));
  if (encoded.length >= LIMITS.noticeBytes) {
    throw new SealcamError('too-large', `a notice over ${String(LIMITS.noticeBytes - 1)} bytes`);
  }
  const padded = new Uint8Array(LIMITS.noticeBytes);
  padded.set(encoded);
  padded[encoded.length] = END;
  return padded;
}

function partsOf(notice: Notice) {
  switch (notice.type) {
    case 'record': {
      const { header: of = null, body: sealed = null } = notice.mini ?? {};
      return record.toCbor([VERSION, KINDS.record, notice.record, of, sealed]);
    }
    case 'summary':
      return summary.toCbor([VERSION, KINDS.summary, notice.device, notice.count]);
    case 'silent':
      return silent.toCbor([VERSION, KINDS.silent, notice.device, notice.sinceMs]);
  }
}

/** Returns whether a record fits with this picture, or without one. */
export function fitsNotice(record: Uint8Array, mini: SealedObject | null): boolean {
  const { header: of = null, body: sealed = null } = mini ?? {};
  if (record.length > LIMITS.noticeBytes || (of?.length ?? 0) > LIMITS.sealHeaderMaxBytes) return false;
  return encodeCbor([VERSION, KINDS.record, record, of, sealed]).length < LIMITS.noticeBytes;
}

/** Returns the CBOR before the padding. @throws SealcamError `malformed` */
function unpadded(payload: Uint8Array): Uint8Array {
  if (payload.length > LIMITS.noticeBytes) throw new SealcamError('malformed', 'a notice that is too long');
  let end = payload.length - 1;
  while (payload[end] === 0) end--;
  if (payload[end] !== END) throw new SealcamError('malformed', 'a notice without its end');
  return payload.slice(0, end);
}

/** Decodes a notice. @throws SealcamError `malformed`, or `unsupported` for another version or kind */
export function decodeNotice(payload: Uint8Array): Notice {
  const raw = decodeCbor(unpadded(payload), { maxBytes: LIMITS.noticeBytes, maxDepth: 1, maxItems: 16 });
  if (!Array.isArray(raw)) throw new SealcamError('malformed', 'a notice is an array');
  const [found, kind] = raw as readonly unknown[];
  if (typeof found !== 'number') throw new SealcamError('malformed', 'a notice starts with its version');
  if (found !== VERSION) throw new SealcamError('unsupported', `a notice of version ${String(found)}`);
  switch (kind) {
    case KINDS.record: {
      const [, , ofRecord, of, sealed] = record.fromCbor(raw, 'notice');
      if ((of === null) !== (sealed === null)) throw new SealcamError('malformed', 'a notice with half a picture');
      return {
        type: 'record',
        record: ofRecord,
        mini: of === null || sealed === null ? null : { header: of, body: sealed },
      };
    }
    case KINDS.summary: {
      const [, , device, count] = summary.fromCbor(raw, 'notice');
      return { type: 'summary', device, count };
    }
    case KINDS.silent: {
      const [, , device, sinceMs] = silent.fromCbor(raw, 'notice');
      return { type: 'silent', device, sinceMs };
    }
    default:
      if (typeof kind !== 'number') throw new SealcamError('malformed', 'a notice names its kind');
      throw new SealcamError('unsupported', `a notice of kind ${String(kind)}`);
  }
}
