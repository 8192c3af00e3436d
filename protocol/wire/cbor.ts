import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { scanCbor, type ScanLimits } from './cbor-scan.js';

/** What the protocol's CBOR may hold: no floats, no undefined, no tags inside a payload. */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[] | ReadonlyMap<number, Cbor>;

/** Deterministic encoding, RFC 8949 §4.2.1: shortest heads, definite lengths, keys sorted bytewise. */
export function encodeCbor(value: Cbor): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/**
 * Decodes bytes that came from outside.
 * Size, depth and number of items are checked before the library sees them; afterwards the value is encoded
 * again and compared, because a library's strict mode lets unsorted keys, long heads and bad UTF-8 through.
 *
 * @throws SealcamError `malformed`
 */
export function decodeCbor(bytes: Uint8Array, limits: ScanLimits): unknown {
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
    throw new SealcamError('malformed', 'not CBOR of this protocol', { cause: error });
  }
  if (!isCbor(value)) throw new SealcamError('malformed', 'a CBOR type that this protocol does not use');
  if (!equal(encodeCbor(value), bytes)) throw new SealcamError('malformed', 'not the deterministic encoding');
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
