import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { scanCbor, type ScanLimits } from './cbor-scan.js';

/** The CBOR types this protocol uses: no floats, no undefined, no tags inside a payload. */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[] | ReadonlyMap<number, Cbor>;

/** Encodes deterministically, RFC 8949 §4.2.1: shortest heads, definite lengths, keys sorted bytewise. */
export function encodeCbor(value: Cbor): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/**
 * Decodes bytes from outside.
 *
 * Size, depth and number of items are checked before the library sees the bytes. Afterwards the value is encoded again
 * and compared, because the library's strict mode accepts unsorted keys, long heads and invalid UTF-8.
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
    throw new SealcamError('malformed', 'not the CBOR of this protocol', { cause: error });
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
