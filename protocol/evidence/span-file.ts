/**
 * A span: evidence files of several events of one camera, one after another in one file. Encoding and decoding; nothing in here
 * verifies, which `span.ts` does.
 */
import { concat } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { byteStringHead, decodeCborSequence, encodeCbor } from '../wire/cbor.js';
import { EVIDENCE_HEAD, looksLikeEvidence, refuse } from './evidence-file.js';

/** A reader that knows files of one event alone finds a newer version. */
const FORMAT_VERSION = 2;
/** The head is an array of three; every value after it is a byte string. */
const ITEMS_MAX = LIMITS.evidenceSpanEventsMax + 4;

export const SPAN_HEAD = { magic: EVIDENCE_HEAD.magic, version: FORMAT_VERSION } as const;

/**
 * Returns what a span is made of, in order: parts that a caller need not hold in one piece.
 * @throws SealcamError `too-large` over one of the limits
 */
export function encodeSpan(files: readonly Uint8Array[]): readonly Uint8Array[] {
  const parts = [
    encodeCbor([EVIDENCE_HEAD.magic, FORMAT_VERSION, files.length]),
    ...files.flatMap((file) => [byteStringHead(file.length), file]),
  ];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  if (files.length > LIMITS.evidenceSpanEventsMax || size > LIMITS.evidenceSpanMaxBytes) {
    throw new SealcamError('too-large', `evidence of ${String(files.length)} events and ${String(size)} bytes`);
  }
  return parts;
}

const SPAN_START = concat(encodeCbor([EVIDENCE_HEAD.magic, FORMAT_VERSION, 1]).subarray(0, -1));

/** Returns whether bytes begin as a span does. */
export function looksLikeSpan(file: Uint8Array): boolean {
  return looksLikeEvidence(file) && SPAN_START.every((byte, i) => file[i] === byte);
}

/** Returns the files in a span, views of `untrusted`, none of them looked at. @throws SealcamError `malformed`, `unsupported` */
export function decodeSpan(untrusted: Uint8Array): readonly Uint8Array[] {
  const limits = { maxBytes: LIMITS.evidenceSpanMaxBytes, maxDepth: 1, maxItems: ITEMS_MAX };
  const [head, ...files] = decodeCborSequence(untrusted, limits);
  if (!Array.isArray(head) || head[0] !== EVIDENCE_HEAD.magic) return refuse('not an evidence file');
  const [, version, count] = head as readonly unknown[];
  if (version !== FORMAT_VERSION) throw new SealcamError('unsupported', `evidence of version ${String(version)}`);
  if (head.length !== 3 || count !== files.length) refuse(`${String(files.length)} events, not as many as it names`);
  if (files.length === 0) refuse('a span without an event');
  return files.map((file) => (file instanceof Uint8Array ? file : refuse('an event that is not bytes')));
}
