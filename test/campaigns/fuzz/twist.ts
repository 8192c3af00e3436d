import { concat, fromHex } from '../../../common/bytes.js';
import type { Random } from '../../../common/random.js';
import type { Cbor } from '../../../protocol/wire/cbor.js';
import { encodeByLibrary } from '../../support/scanned-cbor.js';
import { below, oneOf } from './mutate.js';

const hex = (text: string): Uint8Array => fromHex(text, text.length / 2) ?? new Uint8Array(0);

/** Integers: 2^53 - 1, 2^53, 2^64 - 1, -(2^53 - 1), -2^53, -2^64. */
const INTEGERS = `1b001fffffffffffff 1b0020000000000000 1bffffffffffffffff
  3b001ffffffffffffe 3b001fffffffffffff 3bffffffffffffffff`;
/** Floats, undefined, other simple values, a break, reserved heads. */
const SIMPLE = 'f93c00 f97e00 f98000 fa47c35000 fb7e37e43c8800759c f7 f820 f815 f0 ff 1c 5d 9e fc';
/** Overlong, a surrogate, a pair of them, above U+10FFFF, cut off, a byte order mark, U+FFFD, a face. */
const TEXTS = `62c080 63eda080 66eda0bdedb880 64f4908080 62c328 61e2 63efbbbf 64efbbbf61 63efbfbd
  64f09f9880`;
/** Lengths of 2^16, 2^32 and 2^53 bytes, items and entries. */
const LENGTHS = `5a00010000 5b0000000100000000 9a00010000 9b0020000000000000 ba00010000
  bb001fffffffffffff 7b0020000000000000`;
/** Items that this protocol does not use, and the last ones that it does. */
const ODD_ITEMS = [INTEGERS, SIMPLE, TEXTS, LENGTHS].flatMap((items) => items.split(/\s+/).map(hex));

const TAGS = ['c0', 'c2', 'd2', 'd818', 'd9d9f7', 'db0000000100000000'].map(hex);

/** Encodes a value deterministically except for one item of it, which is written in a way that is not allowed. */
export function encodeTwisted(random: Random, value: Cbor): Uint8Array {
  let left = below(random, itemsIn(value));
  return item(value);

  function item(of: Cbor): Uint8Array {
    return left-- === 0 ? twisted(random, of, item) : plain(of, item);
  }
}

type Encode = (value: Cbor) => Uint8Array;

function plain(value: Cbor, item: Encode): Uint8Array {
  if (isArray(value)) return concat(head(4, value.length), ...value.map(item));
  if (isMap(value)) return concat(head(5, value.size), ...sorted(value).flatMap(([key, of]) => [item(key), item(of)]));
  return encodeByLibrary(value);
}

function twisted(random: Random, value: Cbor, item: Encode): Uint8Array {
  const bytes = plain(value, item);
  switch (below(random, 8)) {
    case 0:
      return oneOf(random, ODD_ITEMS);
    case 1:
      return concat(oneOf(random, TAGS), bytes);
    case 2:
      return indefinite(bytes, value);
    case 3:
      return bytes.slice(0, below(random, bytes.length));
    case 4:
      return concat(bytes, oneOf(random, ODD_ITEMS));
    default:
      return isMap(value) && value.size > 0 ? mixed(random, value, item) : longer(random, bytes);
  }
}

/** Writes the entries of a map in another order, one of them twice, or with a key that is not 0 to 23. */
function mixed(random: Random, map: ReadonlyMap<number, Cbor>, item: Encode): Uint8Array {
  const entries = sorted(map).map(([key, of]) => [encodeByLibrary(key), item(of)] as const);
  const at = below(random, entries.length);
  const entry = entries[at] ?? [];
  const [first, last] = [entries.slice(0, at), entries.slice(at + 1)];
  const key = encodeByLibrary(oneOf<Cbor>(random, [24, 255, -1, 'a', null, new Uint8Array(1), []]));
  const written = oneOf(random, [
    [...last, entry, ...first],
    [...first, entry, entry, ...last],
    [...first, [key, entry[1] ?? key], ...last],
    [...first, [longer(random, entry[0] ?? key), entry[1] ?? key], ...last],
  ]);
  return concat(head(5, written.length), ...written.flat());
}

/** Writes an item's argument in more bytes than it needs. */
function longer(random: Random, bytes: Uint8Array): Uint8Array {
  const first = bytes[0] ?? 0;
  const size = (first & 0x1f) < 24 ? 0 : 1 << ((first & 0x1f) - 24);
  const sizes = [1, 2, 4, 8].filter((of) => of > size);
  if (sizes.length === 0) return bytes;
  const more = oneOf(random, sizes);
  const argument = size === 0 ? Uint8Array.of(first & 0x1f) : bytes.slice(1, 1 + size);
  const padded = concat(new Uint8Array(more - argument.length), argument);
  return concat(Uint8Array.of((first & 0xe0) | (24 + Math.log2(more))), padded, bytes.slice(1 + size));
}

function indefinite(bytes: Uint8Array, value: Cbor): Uint8Array {
  const first = bytes[0] ?? 0;
  const size = (first & 0x1f) < 24 ? 0 : 1 << ((first & 0x1f) - 24);
  const start = Uint8Array.of((first & 0xe0) | 0x1f);
  const isString = typeof value === 'string' || value instanceof Uint8Array;
  return concat(start, isString ? bytes : bytes.slice(1 + size), Uint8Array.of(0xff));
}

function head(major: number, argument: number): Uint8Array {
  // The library writes an unsigned integer, of which only the major type differs.
  const bytes = encodeByLibrary(argument);
  bytes[0] = (bytes[0] ?? 0) | (major << 5);
  return bytes;
}

function itemsIn(value: Cbor): number {
  if (isArray(value)) return 1 + value.reduce<number>((sum, item) => sum + itemsIn(item), 0);
  if (isMap(value)) return sorted(value).reduce<number>((sum, [, item]) => sum + 1 + itemsIn(item), 1);
  return 1;
}

function sorted(map: ReadonlyMap<number, Cbor>): readonly (readonly [number, Cbor])[] {
  return [...map].sort(([a], [b]) => a - b);
}

function isArray(value: Cbor): value is readonly Cbor[] {
  return Array.isArray(value);
}

function isMap(value: Cbor): value is ReadonlyMap<number, Cbor> {
  return value instanceof Map;
}
