import { SealcamError } from '../../common/errors.js';

/** Limits on CBOR from outside. */
export interface ScanLimits {
  readonly maxBytes: number;
  /** Nested arrays, maps and tags. */
  readonly maxDepth: number;
  /** All items, those inside of others included. */
  readonly maxItems: number;
}

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
  /** Items still expected at each open level. */
  const open: number[] = [1];
  let offset = 0;
  let items = 0;

  while (open.length > 0) {
    const level = open.length - 1;
    const expected = open[level] ?? 0;
    if (expected === 0) {
      open.pop();
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

    if (major === 2 || major === 3) {
      if (argument > bytes.length - offset) refuse('truncated');
      offset += argument;
    } else if (major === 4 || major === 5 || major === 6) {
      const children = childrenOf(major, argument);
      if (children > bytes.length - offset) refuse('truncated');
      if (open.length > limits.maxDepth) refuse(`nested deeper than ${String(limits.maxDepth)}`);
      open.push(children);
    } else if (major === 7 && size > 0) {
      refuse('a float or an extended simple value');
    }
  }
  if (offset !== bytes.length) refuse('bytes after the end');
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
