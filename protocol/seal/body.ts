import { concat } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { secretbox } from '../crypto/tweetnacl.js';

const TAG_BYTES = 16;
const CHUNK = LIMITS.sealChunkBytes;

/** 15 zero bytes ‖ u64be counter ‖ last flag: chunks cannot be dropped, swapped or cut off at the end (STREAM). */
function chunkNonce(counter: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(24);
  new DataView(nonce.buffer).setBigUint64(15, BigInt(counter));
  nonce[23] = isLast ? 1 : 0;
  return nonce;
}

/** Plaintext of at least one byte, in chunks of 64 KiB, each with its own tag in front. */
export function sealBody(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < plaintext.length; start += CHUNK) {
    const isLast = start + CHUNK >= plaintext.length;
    chunks.push(secretbox.seal(plaintext.subarray(start, start + CHUNK), chunkNonce(chunks.length, isLast), key));
  }
  return concat(...chunks);
}

/** @throws SealcamError `seal-refused` (altered, cut or in another order), `malformed` */
export function openBody(key: Uint8Array, body: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  const step = CHUNK + TAG_BYTES;
  for (let start = 0; start < body.length; start += step) {
    const isLast = start + step >= body.length;
    const chunk = secretbox.open(body.subarray(start, start + step), chunkNonce(chunks.length, isLast), key);
    if (chunk === undefined) throw new SealcamError('seal-refused', `chunk ${String(chunks.length)} was altered`);
    // The last chunk is cut where the plaintext ends; an empty one would be a second spelling of the same content.
    if (chunk.length === 0) throw new SealcamError('malformed', 'an empty chunk');
    chunks.push(chunk);
  }
  return concat(...chunks);
}
