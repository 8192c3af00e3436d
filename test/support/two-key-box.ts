import { createCipheriv } from 'node:crypto';
import { concat } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';

const P = (1n << 130n) - 5n;
const R_MASK = 0x0ffffffc0ffffffc0ffffffc0fffffffn;
const BLOCK = 1n << 128n;

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P;
}

/** Modular inverse by Fermat: P is prime. */
function inverse(value: bigint): bigint {
  let [base, exponent, out] = [modulo(value), P - 2n, 1n];
  for (; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) out = modulo(out * base);
    base = modulo(base * base);
  }
  return out;
}

/** The one-time key r, s of Poly1305 for a key and nonce; RFC 8439 §2.6. */
function poly1305Key(key: Uint8Array, nonce: Uint8Array): { readonly r: bigint; readonly s: bigint } {
  const counterZero = concat(new Uint8Array(4), nonce);
  const stream = new Uint8Array(createCipheriv('chacha20', key, counterZero).update(new Uint8Array(32)));
  return { r: littleEndian(stream.subarray(0, 16)) & R_MASK, s: littleEndian(stream.subarray(16)) };
}

/**
 * Returns a ciphertext with a tag that both keys accept: ChaCha20-Poly1305 does not commit to its key ("Fast Message Franking",
 * Dodis et al. 2018). Its first block is chosen so that both tags are equal.
 *
 * @param length of the plaintext, a multiple of 16
 */
export function twoKeyBox(keys: readonly [Uint8Array, Uint8Array], nonce: Uint8Array, length: number): Uint8Array {
  const text = new Uint8Array(length);
  const [one, two] = [poly1305Key(keys[0], nonce), poly1305Key(keys[1], nonce)];
  const blocks = length / 16;
  const sizes = new Uint8Array(16);
  new DataView(sizes.buffer).setUint32(8, length, true);
  /** The polynomial without the first block. */
  const restOf = (r: bigint): bigint => {
    let sum = 0n;
    for (let i = 1; i < blocks; i++) sum = modulo((sum + BLOCK + littleEndian(text.subarray(16 * i, 16 * i + 16))) * r);
    return modulo((sum + BLOCK + littleEndian(sizes)) * r);
  };
  const power = (r: bigint): bigint => {
    let out = 1n;
    for (let i = 0; i <= blocks; i++) out = modulo(out * r);
    return out;
  };
  const factor = inverse(power(one.r) - power(two.r));
  for (let filler = 1; ; filler++) {
    // The last block is free: another one is tried where no first block fits.
    new DataView(text.buffer).setUint32(length - 4, filler);
    const [restOne, restTwo] = [restOf(one.r), restOf(two.r)];
    for (let carry = -4n; carry <= 4n; carry++) {
      const first = modulo((restTwo - restOne + two.s - one.s + carry * BLOCK) * factor);
      if (first >> 128n !== 1n) continue;
      text.set(bytesOf(first - BLOCK));
      const tag = (modulo(first * power(one.r) + restOne) + one.s) % BLOCK;
      const box = concat(text, bytesOf(tag));
      if (keys.every((key) => nodeSuite.chachaOpen(key, nonce, box) !== undefined)) return box;
    }
  }
}
