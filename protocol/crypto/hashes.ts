import { blake2b } from '@noble/hashes/blake2.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { utf8 } from '../../common/bytes.js';

export function sha256(data: Uint8Array): Uint8Array {
  return nobleSha256(data);
}

export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(nobleSha256, key, data);
}

/** HKDF-SHA-256 without salt, 32 bytes out; RFC 5869. */
export function hkdfSha256(key: Uint8Array, info: string): Uint8Array {
  return hkdf(nobleSha256, key, undefined, utf8(info), 32);
}

/** The 24-byte nonce of libsodium's sealed box: BLAKE2b(ephemeral key ‖ recipient key). */
export function blake2b24(data: Uint8Array): Uint8Array {
  return blake2b(data, { dkLen: 24 });
}

export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** scrypt, 32 bytes out; RFC 7914. Yields to the event loop, so that a page can show progress. */
export function scrypt(
  passphrase: string,
  salt: Uint8Array,
  cost: ScryptCost,
  onProgress: (fraction: number) => void = () => undefined,
): Promise<Uint8Array> {
  return scryptAsync(utf8(passphrase.normalize('NFKC')), salt, {
    N: cost.n,
    r: cost.r,
    p: cost.p,
    dkLen: 32,
    onProgress,
  });
}
