import { blake2b } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { sha3_256, shake256 as nobleShake256 } from '@noble/hashes/sha3.js';
import type * as Scrypt from '@noble/hashes/scrypt.js';
import { utf8 } from '../../common/bytes.js';

/** SHA-256, 32 bytes; FIPS 180-4. */
export function sha256(data: Uint8Array): Uint8Array {
  return nobleSha256(data);
}

/** HMAC-SHA-256, 32 bytes; RFC 2104. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(nobleSha256, key, data);
}

/** SHA3-256, 32 bytes; FIPS 202. */
export function sha3(data: Uint8Array): Uint8Array {
  return sha3_256(data);
}

/** SHAKE256 with `length` bytes of output; FIPS 202. */
export function shake256(data: Uint8Array, length: number): Uint8Array {
  return nobleShake256(data, { dkLen: length });
}

/** BLAKE2b with 24 bytes of output (RFC 7693): the nonce of libsodium's sealed box. */
export function blake2b24(data: Uint8Array): Uint8Array {
  return blake2b(data, { dkLen: 24 });
}

/** BLAKE2b with 64 bytes of output (RFC 7693): what minisign signs. */
export function blake2b64(data: Uint8Array): Uint8Array {
  return blake2b(data, { dkLen: 64 });
}

/** Work factor of scrypt; memory is 128 · n · r bytes. */
export interface ScryptCost {
  /** A power of two. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/**
 * scrypt, 32 bytes; RFC 7914. The passphrase is normalised to NFKC, so that keyboards agree on it. Yields to the event
 * loop, so that a page can show progress (`fraction` from 0 to 1). In the page it is a file of its own: only a recovery file
 * needs it.
 */
export async function scrypt(
  passphrase: string,
  salt: Uint8Array,
  cost: ScryptCost,
  onProgress: (fraction: number) => void = () => undefined,
): Promise<Uint8Array> {
  const { scryptAsync } = await loadScrypt();
  return scryptAsync(utf8(passphrase.normalize('NFKC')), salt, {
    N: cost.n,
    r: cost.r,
    p: cost.p,
    dkLen: 32,
    onProgress,
  });
}

/** Loads what {@link scrypt} needs before it is needed, so that it is there when the connection is gone. */
export function loadScrypt(): Promise<typeof Scrypt> {
  return import('@noble/hashes/scrypt.js');
}
