import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import { copyOf } from '../../../common/bytes.js';
import type { Random } from '../../../common/random.js';

/** Returns a random whole number from 0 to `count` - 1. */
export function below(random: Random, count: number): number {
  return Math.floor(random.uniform() * count);
}

/** Returns a random item. @throws Error for an empty list */
export function oneOf<T>(random: Random, items: readonly T[]): T {
  const item = items[below(random, items.length)];
  if (item === undefined && items.length === 0) throw new Error('nothing to choose from');
  return item as T;
}

/** Returns random bytes, fewer than `most`. */
export function noise(random: Random, most = 400): Uint8Array {
  return random.bytes(below(random, most));
}

/** CBOR heads of arrays, maps, strings and tags that announce more than follows, with lengths of 2^8 to 2^64. */
const HEADS = [
  0x98, 0x99, 0x9a, 0x9b, 0xb8, 0xb9, 0xba, 0xbb, 0x58, 0x59, 0x5a, 0x5b, 0x78, 0x7b, 0x9f, 0xbf, 0xc2, 0xd8,
];

type ByteMutation = (bytes: Uint8Array, random: Random) => Uint8Array;

function spliced(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]));
}

const BYTE_MUTATIONS: readonly ByteMutation[] = [
  (bytes, random) => {
    const out = copyOf(bytes);
    const at = below(random, out.length);
    out[at] = (out[at] ?? 0) ^ (1 << below(random, 8));
    return out;
  },
  (bytes, random) => spliced(bytes, below(random, bytes.length), 1, random.bytes(1)),
  (bytes, random) => bytes.slice(0, below(random, bytes.length)),
  (bytes, random) => spliced(bytes, below(random, bytes.length), below(random, 20), new Uint8Array(0)),
  (bytes, random) => spliced(bytes, below(random, bytes.length + 1), 0, random.bytes(1 + below(random, 12))),
  (bytes, random) => {
    const from = below(random, bytes.length);
    return spliced(bytes, below(random, bytes.length), 0, bytes.slice(from, from + below(random, 64)));
  },
  (bytes, random) => {
    const head = Uint8Array.of(oneOf(random, HEADS), ...random.bytes(below(random, 9)));
    return spliced(bytes, below(random, bytes.length), below(random, 3), head);
  },
  (bytes, random) => spliced(bytes, below(random, bytes.length), 0, new Uint8Array(below(random, 3000)).fill(0x81)),
];

/** Applies one to four mutations: flipped bits, cuts, splices, repeated pieces, inflated lengths, nesting. */
export function mutateBytes(random: Random, seed: Uint8Array): Uint8Array {
  let out = seed;
  for (let i = 1 + below(random, 4); i > 0; i--) out = oneOf(random, BYTE_MUTATIONS)(out, random);
  return out;
}

const INTEGERS = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32, 2 ** 53 - 1, -1, -24, -(2 ** 53 - 1)];

/** Returns a random value of any CBOR type. */
export function anyValue(random: Random, depth = 0): unknown {
  switch (below(random, depth > 3 ? 6 : 9)) {
    case 0:
      return oneOf(random, INTEGERS);
    case 1:
      return below(random, 2 ** 32);
    case 2:
      return random.bytes(oneOf(random, [0, 1, 15, 16, 17, 31, 32, 33, 64]));
    case 3:
      return oneOf(random, ['', 'door', '\u0000', '\ufeffx', 'é'.repeat(below(random, 40)), 'x'.repeat(300), '\ud800']);
    case 4:
      return random.uniform() < 0.5;
    case 5:
      return null;
    case 6:
      return Array.from({ length: below(random, 5) }, () => anyValue(random, depth + 1));
    case 7:
      return new Map(Array.from({ length: below(random, 5) }, (_, key) => [key, anyValue(random, depth + 1)]));
    default:
      return random.uniform();
  }
}

/** Mutates a random place in a decoded value. */
function mutateValue(random: Random, value: unknown): unknown {
  const isHere = random.uniform() < 0.25;
  if (Array.isArray(value) && value.length > 0 && !isHere) {
    const out = [...(value as readonly unknown[])];
    const at = below(random, out.length);
    const action = below(random, 4);
    if (action === 0) out.splice(at, 1);
    else if (action === 1) out.splice(at, 0, out[at]);
    else out[at] = mutateValue(random, out[at]);
    return out;
  }
  if (value instanceof Map && value.size > 0 && !isHere) {
    const out = new Map(value as ReadonlyMap<unknown, unknown>);
    const key = oneOf(random, [...out.keys()]);
    const action = below(random, 6);
    if (action === 0) out.delete(key);
    else if (action === 1) out.set(below(random, 26), anyValue(random));
    else out.set(key, mutateValue(random, out.get(key)));
    return out;
  }
  if (value instanceof Uint8Array && value.length > 0 && !isHere) return mutateBytes(random, value);
  if (typeof value === 'number' && !isHere) return oneOf(random, [value + 1, value - 1, -value, ...INTEGERS]);
  return anyValue(random);
}

/** Mutates the value and encodes it as valid deterministic CBOR, so that the code behind the CBOR decoder is reached. */
export function mutateCbor(random: Random, seed: Uint8Array): Uint8Array {
  let value: unknown = decode(seed, { useMaps: true });
  for (let i = 1 + below(random, 3); i > 0; i--) value = mutateValue(random, value);
  try {
    return encode(value, rfc8949EncodeOptions);
  } catch {
    return mutateBytes(random, seed);
  }
}

const PIECES = [
  '"',
  "'",
  '\\',
  '\n',
  '\r\n',
  '\u0000',
  '=',
  '[',
  ']',
  '[[',
  '{',
  '}',
  ':',
  ',',
  '#',
  '-',
  '+',
  '1e999',
  '0x',
  '🎥',
  '\ud800',
];

/** Mutates a text: removes and inserts syntax characters, repeats pieces, and makes it grow. */
export function mutateText(random: Random, seed: string): string {
  let out = seed;
  for (let i = 1 + below(random, 4); i > 0; i--) {
    const at = below(random, out.length + 1);
    const rest = out.slice(at);
    switch (below(random, 7)) {
      case 0:
        out = out.slice(0, at) + oneOf(random, PIECES) + rest;
        break;
      case 1:
        out = out.slice(0, at) + rest.slice(below(random, 12));
        break;
      case 2:
        out = out.slice(0, at) + String(oneOf(random, INTEGERS)) + rest;
        break;
      case 3:
        out = out.slice(0, at) + oneOf(random, PIECES).repeat(below(random, 2000)) + rest;
        break;
      case 4:
        out = out.slice(0, at) + rest.slice(0, 40) + rest;
        break;
      case 5:
        out = out.slice(0, at);
        break;
      default:
        out = out.slice(0, at) + String.fromCharCode(below(random, 0x250)) + rest.slice(1);
    }
  }
  return out;
}
