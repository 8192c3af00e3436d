/**
 * The decoder and the encoder that protocol/wire had before it read and wrote CBOR itself: the heads are scanned, cborg
 * decodes, and the value is encoded again and compared. It stays as the second opinion of `npm run fuzz`.
 */
import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Cbor, CborLimits } from '../../protocol/wire/cbor.js';

/** The largest map key of the protocol, whose head is the key itself. */
const KEY_MAX = 23;

function refuse(why: string): never {
  throw new SealcamError('malformed', why);
}

/** Encodes deterministically, RFC 8949 §4.2.1. */
export function encodeByLibrary(value: Cbor): Uint8Array {
  // In Node the library returns a Buffer.
  return new Uint8Array(encode(value, rfc8949EncodeOptions));
}

/**
 * Decodes bytes in three passes over them.
 *
 * @throws SealcamError `malformed`
 */
export function decodeInThreePasses(bytes: Uint8Array, limits: CborLimits): unknown {
  scanCbor(bytes, limits);
  let value: unknown;
  try {
    value = decode(bytes, {
      useMaps: true,
      strict: true,
      rejectDuplicateMapKeys: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
    });
  } catch (error) {
    throw new SealcamError('malformed', 'not the CBOR of this protocol', { cause: error });
  }
  if (!isCbor(value)) refuse('a CBOR type that this protocol does not use');
  if (!equal(encodeByLibrary(value), bytes)) refuse('not the deterministic encoding');
  return value;
}

function isCbor(value: unknown): value is Cbor {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0);
    case 'string':
    case 'boolean':
      return true;
    case 'object':
      if (value === null || value instanceof Uint8Array) return true;
      if (Array.isArray(value)) return value.every(isCbor);
      if (value instanceof Map) return [...value].every(([key, item]) => Number.isSafeInteger(key) && isCbor(item));
      return false;
    default:
      return false;
  }
}

/** Checks the heads of CBOR items (RFC 8949 §3) without recursion and without allocating the lengths they announce. */
function scanCbor(bytes: Uint8Array, limits: CborLimits): void {
  if (bytes.length === 0) refuse('no bytes');
  if (bytes.length > limits.maxBytes) refuse(`${String(bytes.length)} bytes, at most ${String(limits.maxBytes)}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Items still expected at each open level, and whether it is a map, in which keys and values alternate. */
  const open: number[] = [1];
  const isMap: boolean[] = [false];
  let offset = 0;
  let items = 0;

  while (open.length > 0) {
    const level = open.length - 1;
    const expected = open[level] ?? 0;
    if (expected === 0) {
      open.pop();
      isMap.pop();
      continue;
    }
    open[level] = expected - 1;
    if (++items > limits.maxItems) refuse(`more than ${String(limits.maxItems)} items`);
    if (offset >= bytes.length) refuse('truncated');

    const head = view.getUint8(offset++);
    const major = head >> 5;
    const size = argumentBytes(head & 0x1f);
    if (offset + size > bytes.length) refuse('truncated');
    const argument = readArgument(view, offset, size, head & 0x1f);
    offset += size;
    // Keys 0 to 23 are one byte, so that both map orders of RFC 8949 are the same; no version uses others.
    if (isMap[level] === true && expected % 2 === 0 && head > KEY_MAX) refuse('a map key that is not 0 to 23');

    if (major === 2 || major === 3) {
      if (argument > bytes.length - offset) refuse('truncated');
      if (major === 3 && startsWithMark(bytes, offset, argument)) refuse('text that begins with U+FEFF');
      offset += argument;
    } else if (major === 4 || major === 5 || major === 6) {
      const children = childrenOf(major, argument);
      if (children > bytes.length - offset) refuse('truncated');
      if (open.length > limits.maxDepth) refuse(`nested deeper than ${String(limits.maxDepth)}`);
      open.push(children);
      isMap.push(major === 5);
    } else if (major === 7 && size > 0) {
      refuse('a float or an extended simple value');
    }
  }
  if (offset !== bytes.length) refuse('bytes after the end');
}

/** Decoders disagree about a leading byte order mark, EF BB BF in UTF-8: some drop it. */
function startsWithMark(bytes: Uint8Array, at: number, length: number): boolean {
  return length >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
}

/** An array has as many children as its head announces, a map twice as many, a tag one. */
function childrenOf(major: 4 | 5 | 6, argument: number): number {
  if (major === 4) return argument;
  return major === 5 ? 2 * argument : 1;
}

function argumentBytes(info: number): number {
  if (info < 24) return 0;
  if (info <= 27) return 1 << (info - 24);
  return refuse(info === 31 ? 'an indefinite length' : 'a reserved length');
}

function readArgument(view: DataView, offset: number, size: number, info: number): number {
  switch (size) {
    case 0:
      return info;
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset);
    case 4:
      return view.getUint32(offset);
    default:
      return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  }
}
