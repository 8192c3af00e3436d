import { concat } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { secretbox } from '../crypto/tweetnacl.js';

const TAG_BYTES = 16;
const CHUNK_BYTES = LIMITS.sealChunkBytes;

/**
 * Returns 15 zero bytes ‖ u64be counter ‖ last flag. With it chunks cannot be dropped, reordered or cut off at the end:
 * the STREAM construction ("Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", Hoang et al. 2015).
 */
function chunkNonce(counter: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(24);
  new DataView(nonce.buffer).setBigUint64(15, BigInt(counter));
  nonce[23] = isLast ? 1 : 0;
  return nonce;
}

/**
 * Encrypts at least one byte of plaintext in chunks of 64 KiB, each preceded by its 16-byte tag. `key` is used once.
 */
export function sealBody(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < plaintext.length; start += CHUNK_BYTES) {
    const isLast = start + CHUNK_BYTES >= plaintext.length;
    chunks.push(secretbox.seal(plaintext.subarray(start, start + CHUNK_BYTES), chunkNonce(chunks.length, isLast), key));
  }
  return concat(...chunks);
}

/** Decrypts a body. @throws SealcamError `seal-refused` (altered, truncated or reordered), `malformed` */
export function openBody(key: Uint8Array, body: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  const step = CHUNK_BYTES + TAG_BYTES;
  for (let start = 0; start < body.length; start += step) {
    const isLast = start + step >= body.length;
    const chunk = secretbox.open(body.subarray(start, start + step), chunkNonce(chunks.length, isLast), key);
    if (chunk === undefined) throw new SealcamError('seal-refused', `chunk ${String(chunks.length)} was altered`);
    // An empty last chunk would be a second encoding of the same content.
    if (chunk.length === 0) throw new SealcamError('malformed', 'an empty chunk');
    chunks.push(chunk);
  }
  return concat(...chunks);
}
