/** The decoders of protocol/wire beside those that were there before: both must refuse the same, and read the same. */
import { isDeepStrictEqual } from 'node:util';
import { concat, equal } from '../../../../common/bytes.js';
import { isSealcamError, type SealcamError } from '../../../../common/errors.js';
import { LIMITS } from '../../../../common/limits.js';
import type { Random } from '../../../../common/random.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { decodeCbor, encodeCbor, type Cbor, type CborLimits } from '../../../../protocol/wire/cbor.js';
import { parseSign1 } from '../../../../protocol/wire/cose.js';
import { messageVectors } from '../../../../scripts/vectors/messages.js';
import { sealVectors } from '../../../../scripts/vectors/seals.js';
import { signedVectorsV2 } from '../../../../scripts/vectors/signed-v2.js';
import { signedVectors } from '../../../../scripts/vectors/signed.js';
import { decodeInThreePasses, encodeByLibrary } from '../../../support/scanned-cbor.js';
import { parseInThreePasses } from '../../../support/scanned-cose.js';
import type { Target } from '../harness.js';
import { anyValue, below, mutateBytes, mutateCbor, noise, oneOf } from '../mutate.js';
import { encodeTwisted } from '../twist.js';

const objects = [...signedVectors(nodeSuite), ...signedVectorsV2(nodeSuite)];
/** Valid CBOR of every kind: payloads, objects without their tag, protected headers, messages, seal headers. */
const seeds: readonly Uint8Array[] = [
  ...objects.map(({ payload }) => payload),
  ...objects.map(({ object }) => object.subarray(1)),
  ...objects.slice(0, 2).map(({ object }) => object.slice(4, 42)),
  ...messageVectors(nodeSuite).good.map(({ payload }) => payload),
  ...sealVectors(nodeSuite).good.map(({ header }) => header),
].filter(({ length }) => length < 4096);
const values = seeds.map(
  (bytes) => decodeInThreePasses(bytes, { maxBytes: 1 << 17, maxDepth: 8, maxItems: 16_384 }) as Cbor,
);

const MESSAGE_LIMITS: CborLimits = { maxBytes: LIMITS.messageMaxBytes, maxDepth: LIMITS.cborMaxDepth, maxItems: 1024 };
/** The limits of messages, of sealed headers and of COSE headers. */
const LIMITS_USED: readonly CborLimits[] = [
  MESSAGE_LIMITS,
  { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 3, maxItems: 16 },
  { maxBytes: 64, maxDepth: 2, maxItems: 8 },
];

function cborInput(random: Random): Uint8Array {
  switch (below(random, 8)) {
    case 0:
      return noise(random, 60);
    case 1:
      return oneOf(random, seeds);
    case 2:
    case 3:
      return mutateBytes(random, oneOf(random, seeds));
    case 4:
      return mutateCbor(random, oneOf(random, seeds));
    case 5:
      return encodeTwisted(random, oneOf(random, values));
    default:
      return below(random, 4) === 0 ? encodeByLibrary(structured(random)) : encodeTwisted(random, structured(random));
  }
}

/** Returns a random value without a float, which the library would not write as an item of this protocol. */
function structured(random: Random): Cbor {
  const value = anyValue(random);
  return hasNoFloat(value) ? (value as Cbor) : 0;
}

function hasNoFloat(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.every(hasNoFloat);
  return value instanceof Map ? [...value.values()].every(hasNoFloat) : true;
}

/** Runs both; returns what both read. @throws SealcamError where both refuse; Error where they disagree */
function bothRead<T>(before: () => T, now: () => T): T {
  const [old, mine] = [outcomeOf(before), outcomeOf(now)];
  if ('error' in old && 'error' in mine) {
    if (old.error.code !== mine.error.code) throw new Error(`${old.error.code} before, ${mine.error.code} now`);
    throw mine.error;
  }
  if ('error' in old) throw new Error(`refused before (${old.error.message}), accepted now`);
  if ('error' in mine) throw new Error(`accepted before, refused now (${mine.error.message})`);
  if (!isDeepStrictEqual(old.value, mine.value)) throw new Error('another value than before');
  return mine.value;
}

type Outcome<T> = { readonly value: T } | { readonly error: SealcamError };

function outcomeOf<T>(read: () => T): Outcome<T> {
  try {
    return { value: read() };
  } catch (error) {
    if (!isSealcamError(error)) throw error;
    return { error };
  }
}

/** Compares a decoder with the one before: the decoder of protocol/wire, or a broken one that must be caught. */
export function besideOldDecoder(decode: typeof decodeCbor): Target {
  return {
    name: 'CBOR, old and new decoder',
    input: cborInput,
    run: (input) => {
      const limits = LIMITS_USED[input.length % LIMITS_USED.length] ?? MESSAGE_LIMITS;
      const value = bothRead(
        () => decodeInThreePasses(input, limits),
        () => decode(input, limits),
      ) as Cbor;
      const bytes = encodeCbor(value);
      if (!equal(encodeByLibrary(value), bytes)) throw new Error('another encoding than before');
      return bytes;
    },
  };
}

const DOMAINS = ['', ...new Set(objects.map(({ domain }) => domain)), 'x'.repeat(300)];

/** The parts of a COSE_Sign1, one or two of them altered. Nothing is signed: parsing does not look at the signature. */
function coseInput(random: Random): Uint8Array {
  const { object, payload } = oneOf(random, objects);
  if (below(random, 3) === 0) return mutateBytes(random, object);
  const header = object.slice(4, 42);
  const altered = (bytes: Uint8Array): Uint8Array =>
    below(random, 2) === 0 ? mutateCbor(random, bytes) : mutateBytes(random, bytes);
  const parts: Cbor[] = [
    below(random, 2) === 0 ? header : altered(header),
    below(random, 8) === 0 ? structured(random) : new Map(),
    below(random, 8) === 0 ? structured(random) : random.bytes(below(random, 600)),
    random.bytes(below(random, 8) === 0 ? below(random, 80) : 64),
  ];
  if (below(random, 16) === 0) parts.splice(below(random, 4), 1);
  if (below(random, 16) === 0) parts.push(payload);
  const written = below(random, 8) === 0 ? encodeTwisted(random, parts) : encodeByLibrary(parts);
  return concat(Uint8Array.of(0xd2), written);
}

const coseTarget: Target = {
  name: 'COSE_Sign1, old and new decoder',
  input: coseInput,
  run: (input) => {
    const domain = DOMAINS[input.length % DOMAINS.length] ?? '';
    bothRead(
      () => parseInThreePasses(input, domain, LIMITS.signedMaxBytes),
      () => parseSign1(input, domain, LIMITS.signedMaxBytes),
    );
    return undefined;
  },
};

export const DECODER_TARGETS: readonly Target[] = [besideOldDecoder(decodeCbor), coseTarget];
