/**
 * CBOR as this protocol uses it: the core deterministic encoding of RFC 8949 §4.2.1 and nothing else. One pass, without
 * a library: what another encoder would write differently is refused while it is read, so an accepted value encodes to
 * the same bytes again.
 */
import { utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';

/** The CBOR types this protocol uses: no floats, no undefined, no tags inside a payload. */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[] | ReadonlyMap<number, Cbor>;

/** Limits on CBOR from outside. */
export interface CborLimits {
  readonly maxBytes: number;
  /** Nested arrays and maps. */
  readonly maxDepth: number;
  /** All items, those inside of others included. */
  readonly maxItems: number;
}

/** Major types, the upper three bits of a head; RFC 8949 §3.1. */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const SIMPLE = 7;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
/** The largest map key. Keys of one byte make both map orders of RFC 8949 the same; no version uses others. */
const KEY_MAX = 23;

/** Encodes deterministically: shortest heads, definite lengths, keys sorted. */
export function encodeCbor(value: Cbor): Uint8Array {
  const writer = new CborWriter(FIRST_CAPACITY_BYTES);
  writer.write(value);
  return writer.written();
}

/**
 * Decodes bytes from outside. The value shares no memory with them.
 *
 * Lengths are compared with the bytes that are left, depth and number of items with the limits, before anything is allocated
 * for them: 20,000 nested arrays or a string of 2^53 bytes cost nothing.
 *
 * @throws SealcamError `malformed`
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): unknown {
  return new CborReader(bytes, limits, true).readAll();
}

/** Decodes as {@link decodeCbor} does, but byte strings in the value are views of `bytes`. @throws SealcamError `malformed` */
export function decodeCborInPlace(bytes: Uint8Array, limits: CborLimits): unknown {
  return new CborReader(bytes, limits, false).readAll();
}

/**
 * Decodes a CBOR sequence (RFC 8742), whose byte strings are views of `bytes`. The limits are those of all its items together.
 * @throws SealcamError `malformed`
 */
export function decodeCborSequence(bytes: Uint8Array, limits: CborLimits): readonly unknown[] {
  return new CborReader(bytes, limits, false).readSequence();
}

/** Returns the head of a byte string of this length, which stands before its content. */
export function byteStringHead(length: number): Uint8Array {
  const writer = new CborWriter(HEAD_MAX_BYTES);
  writer.head(BYTES, length);
  return writer.written();
}

function refuse(why: string): never {
  throw new SealcamError('malformed', why);
}

// A leading byte order mark is kept here and refused below: decoders disagree about it, and some drop it.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = '\ufeff';

class CborReader {
  private readonly bytes: Uint8Array;
  private readonly limits: CborLimits;
  private readonly copies: boolean;
  private offset = 0;
  private items = 0;

  constructor(bytes: Uint8Array, limits: CborLimits, copies: boolean) {
    // Not a Buffer, whose slice() is a view.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.limits = limits;
    this.copies = copies;
  }

  readAll(): unknown {
    this.checkSize();
    const value = this.read(0);
    return this.offset === this.bytes.length ? value : refuse('bytes after the end');
  }

  readSequence(): unknown[] {
    this.checkSize();
    const items: unknown[] = [];
    while (this.offset < this.bytes.length) items.push(this.read(0));
    return items;
  }

  private checkSize(): void {
    const { bytes, limits } = this;
    if (bytes.length === 0) refuse('no bytes');
    if (bytes.length > limits.maxBytes) refuse(`${String(bytes.length)} bytes, at most ${String(limits.maxBytes)}`);
  }

  /** Reads one item inside of `depth` arrays and maps. */
  private read(depth: number): unknown {
    this.countItem();
    const head = this.byte();
    const major = head >> 5;
    if (major === SIMPLE) return simpleValue(head);
    const argument = this.argument(head & 0x1f);
    switch (major) {
      case UNSIGNED:
        return argument;
      case NEGATIVE:
        return argument < Number.MAX_SAFE_INTEGER ? -1 - argument : refuse('an integer below -(2^53-1)');
      case BYTES:
        return this.byteString(argument);
      case TEXT:
        return this.text(argument);
      case ARRAY:
        this.open(depth, argument);
        return this.array(depth + 1, argument);
      case MAP:
        this.open(depth, 2 * argument);
        return this.map(depth + 1, argument);
      default:
        return refuse('a tag');
    }
  }

  private countItem(): void {
    if (++this.items > this.limits.maxItems) refuse(`more than ${String(this.limits.maxItems)} items`);
  }

  private byte(): number {
    return this.bytes[this.offset++] ?? refuse('truncated');
  }

  private uint16(): number {
    return this.byte() * 0x100 + this.byte();
  }

  private uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  /** Reads the rest of a head; a value that fits into a shorter one is refused. */
  private argument(info: number): number {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return shortest(this.byte(), 24);
      case 25:
        return shortest(this.uint16(), 0x100);
      case 26:
        return shortest(this.uint32(), 0x1_0000);
      case 27: {
        const argument = this.uint32() * 2 ** 32 + this.uint32();
        if (argument > Number.MAX_SAFE_INTEGER) refuse('a number above 2^53-1');
        return shortest(argument, 2 ** 32);
      }
      default:
        return refuse(info === 31 ? 'an indefinite length' : 'a reserved length');
    }
  }

  /** Passes over the content of a string; returns its start. */
  private skip(length: number): number {
    if (length > this.bytes.length - this.offset) refuse('truncated');
    const start = this.offset;
    this.offset += length;
    return start;
  }

  private byteString(length: number): Uint8Array {
    const start = this.skip(length);
    return this.copies ? this.bytes.slice(start, start + length) : this.bytes.subarray(start, start + length);
  }

  private text(length: number): string {
    const start = this.skip(length);
    let text: string;
    try {
      text = strictUtf8.decode(this.bytes.subarray(start, start + length));
    } catch {
      return refuse('text that is not UTF-8');
    }
    return text.startsWith(BYTE_ORDER_MARK) ? refuse('text that begins with U+FEFF') : text;
  }

  /** Each child takes a byte at least, so more of them than bytes cannot follow. */
  private open(depth: number, children: number): void {
    if (depth >= this.limits.maxDepth) refuse(`nested deeper than ${String(this.limits.maxDepth)}`);
    if (children > this.bytes.length - this.offset) refuse('truncated');
  }

  private array(depth: number, length: number): unknown[] {
    const out: unknown[] = [];
    for (let i = 0; i < length; i++) out.push(this.read(depth));
    return out;
  }

  private map(depth: number, size: number): Map<number, unknown> {
    const out = new Map<number, unknown>();
    let last = -1;
    for (let i = 0; i < size; i++) {
      this.countItem();
      const key = this.byte();
      if (key > KEY_MAX) refuse('a map key that is not 0 to 23');
      if (key <= last) refuse(key === last ? 'a map key twice' : 'unsorted map keys');
      last = key;
      out.set(key, this.read(depth));
    }
    return out;
  }
}

function shortest(argument: number, min: number): number {
  return argument < min ? refuse('a head that is longer than it must be') : argument;
}

function simpleValue(head: number): boolean | null {
  switch (head) {
    case FALSE:
      return false;
    case TRUE:
      return true;
    case NULL:
      return null;
    default:
      return refuse('a float, undefined or another simple value');
  }
}

const FIRST_CAPACITY_BYTES = 512;
/** A type and an argument of 64 bits. */
const HEAD_MAX_BYTES = 9;

class CborWriter {
  private bytes: Uint8Array;
  private length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  write(value: Cbor): void {
    if (typeof value === 'number') this.integer(value);
    else if (value instanceof Uint8Array) this.string(BYTES, value);
    else if (typeof value === 'string') this.string(TEXT, utf8(value));
    else if (typeof value === 'boolean') this.push(value ? TRUE : FALSE);
    else if (value === null) this.push(NULL);
    else if (value instanceof Map) this.map(value as ReadonlyMap<number, Cbor>);
    else this.array(value as readonly Cbor[]);
  }

  written(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** Writes a major type and its argument in the shortest form. */
  head(major: number, argument: number): void {
    const type = major << 5;
    if (argument < 24) this.push(type | argument);
    else if (argument < 0x100) this.push(type | 24, argument);
    else if (argument < 0x1_0000) this.push(type | 25, argument >> 8, argument);
    else if (argument < 2 ** 32) this.push(type | 26, ...octets(argument));
    else this.push(type | 27, ...octets(Math.floor(argument / 2 ** 32)), ...octets(argument));
  }

  private integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new SealcamError('internal', 'a number that is not an integer of CBOR');
    if (value < 0) this.head(NEGATIVE, -1 - value);
    else this.head(UNSIGNED, value);
  }

  private string(major: number, content: Uint8Array): void {
    this.head(major, content.length);
    this.reserve(content.length);
    this.bytes.set(content, this.length);
    this.length += content.length;
  }

  private array(items: readonly Cbor[]): void {
    this.head(ARRAY, items.length);
    for (const item of items) this.write(item);
  }

  private map(entries: ReadonlyMap<number, Cbor>): void {
    this.head(MAP, entries.size);
    for (const [key, item] of [...entries].sort(([a], [b]) => a - b)) {
      if (!Number.isInteger(key) || key < 0 || key > KEY_MAX) throw new SealcamError('internal', 'not a map key');
      this.push(key);
      this.write(item);
    }
  }

  private push(...octets: readonly number[]): void {
    this.reserve(octets.length);
    for (const octet of octets) this.bytes[this.length++] = octet;
  }

  private reserve(length: number): void {
    const needed = this.length + length;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Returns the lowest four bytes of a number, most significant first. */
function octets(value: number): readonly [number, number, number, number] {
  return [value >>> 24, value >>> 16, value >>> 8, value];
}
