import { copyOf } from '../../common/bytes.js';
import type { CryptoSuite } from './suite.js';

/**
 * Verifies an Ed25519 signature with the same result on every suite. Returns false for anything malformed; never
 * throws.
 *
 * node:crypto accepts keys of small order and tweetnacl accepts S ≥ L, so neither is strict alone (compare RFC 8032
 * §5.1.7 and "Taming the many EdDSAs", Chalkias et al. 2020). This function checks A, R and S first; after that both
 * libraries evaluate the cofactorless equation and agree.
 *
 * @param publicKey 32 bytes
 * @param signature 64 bytes
 */
export function verifyStrict(
  suite: CryptoSuite,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return isAcceptable(publicKey, signature) && suite.ed25519VerifyLoose(publicKey, message, signature);
}

/** Returns whether A, R and S pass the prechecks that stand before every library. */
export function isAcceptable(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!isAcceptablePoint(publicKey)) return false;
  if (!isAcceptablePoint(signature.subarray(0, 32))) return false;
  return isBelow(signature.subarray(32), L);
}

/** Returns whether a 32-byte encoding is canonical (y < p) and not one of the eight points of small order. */
export function isAcceptablePoint(encoded: Uint8Array): boolean {
  const y = copyOf(encoded);
  // The top bit is the sign of x, not part of y. All points with x = 0 are of small order, so "-0" is refused too.
  y[31] = (y[31] ?? 0) & 0x7f;
  if (!isBelow(y, P)) return false;
  return !SMALL_ORDER_Y.some((small) => isSame(small, y));
}

// All constants are little-endian, as on the wire.
/** p = 2^255 − 19 */
const P = littleEndian('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed');
/** L = 2^252 + 27742317777372353535851937790883648493, the order of the base point */
const L = littleEndian('1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed');
/** The y of the points of order 1, 2, 4 and 8; each except the first two belongs to two points. */
const SMALL_ORDER_Y = [
  littleEndian('0000000000000000000000000000000000000000000000000000000000000001'),
  littleEndian('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec'),
  littleEndian('0000000000000000000000000000000000000000000000000000000000000000'),
  littleEndian('05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826'),
  littleEndian('7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7'),
];

function littleEndian(bigEndianHex: string): Uint8Array {
  const out = new Uint8Array(32);
  for (let i = 0; i < 32; i++) out[31 - i] = Number.parseInt(bigEndianHex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Not constant time; the values are public. */
function isBelow(value: Uint8Array, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (value[i] ?? 0) - (bound[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}
