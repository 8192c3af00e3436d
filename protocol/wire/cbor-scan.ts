import { SealcamError } from '../../common/errors.js';

/** Limits on CBOR from outside. */
export interface ScanLimits {
  readonly maxBytes: number;
  /** Nested arrays, maps and tags. */
  readonly maxDepth: number;
  /** All items, those inside of others included. */
  readonly maxItems: number;
}

/** The largest map key of the protocol, whose head is the key itself. */
const KEY_MAX = 23;

function refuse(why: string): never {
  throw new SealcamError('malformed', why);
}

/**
 * Checks the heads of CBOR items (RFC 8949 §3) without recursion and without allocating the lengths they announce, so
 * that 20,000 nested arrays or a string of 2^53 bytes cost nothing. It does not check for the deterministic encoding;
 * `decodeCbor` does.
 *
 * @throws SealcamError `malformed`
 */
export function scanCbor(bytes: Uint8Array, limits: ScanLimits): void {
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
