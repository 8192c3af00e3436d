import { concat } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { ChachaOpenLater, CryptoSuite } from '../crypto/suite.js';

const TAG_BYTES = 16;
const CHUNK_BYTES = LIMITS.sealChunkBytes;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;

interface Chunk {
  readonly nonce: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Cuts data into chunks with their nonces: 11 bytes of chunk number ‖ last flag. With them chunks cannot be dropped, reordered
 * or cut off at the end: the STREAM construction, as in age.
 */
function chunksOf(data: Uint8Array, step: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0; start < data.length; start += step) {
    const nonce = new Uint8Array(12);
    // A body has far fewer than 2^32 chunks.
    new DataView(nonce.buffer).setUint32(7, chunks.length);
    nonce[11] = start + step >= data.length ? 1 : 0;
    chunks.push({ nonce, bytes: data.subarray(start, start + step) });
  }
  return chunks;
}

/** Returns how many bytes a body holds. @throws SealcamError `malformed` where it cannot be a body */
export function plaintextLength(bodyLength: number): number {
  const chunks = Math.ceil(bodyLength / SEALED_CHUNK_BYTES);
  const length = bodyLength - chunks * TAG_BYTES;
  const last = bodyLength - (chunks - 1) * SEALED_CHUNK_BYTES;
  // An empty last chunk would be a second encoding of the same content.
  if (bodyLength === 0 || last <= TAG_BYTES) throw new SealcamError('malformed', 'a body of a wrong length');
  return length;
}

/** Encrypts at least one byte in chunks of 64 KiB, each followed by its tag of 16 bytes. `key` is used once. */
export function sealStream(suite: CryptoSuite, key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const chunks = chunksOf(plaintext, CHUNK_BYTES);
  const body = new Uint8Array(plaintext.length + chunks.length * TAG_BYTES);
  // One sealed chunk at a time: a camera has little memory.
  for (const [i, { nonce, bytes }] of chunks.entries())
    body.set(suite.chachaSeal(key, nonce, bytes), i * SEALED_CHUNK_BYTES);
  return body;
}

/** Decrypts a body. @throws SealcamError `seal-refused` (altered, truncated or reordered), `malformed` */
export function openStream(suite: CryptoSuite, key: Uint8Array, body: Uint8Array): Uint8Array {
  plaintextLength(body.length);
  return concat(
    ...chunksOf(body, SEALED_CHUNK_BYTES).map(({ nonce, bytes }, i) => opened(suite.chachaOpen(key, nonce, bytes), i)),
  );
}

/** Decrypts a body as {@link openStream} does, through WebCrypto. */
export async function openStreamLater(open: ChachaOpenLater, key: Uint8Array, body: Uint8Array): Promise<Uint8Array> {
  plaintextLength(body.length);
  const chunks = chunksOf(body, SEALED_CHUNK_BYTES).map(async ({ nonce, bytes }, i) =>
    opened(await open(key, nonce, bytes), i),
  );
  return concat(...(await Promise.all(chunks)));
}

function opened(chunk: Uint8Array | undefined, index: number): Uint8Array {
  if (chunk === undefined) throw new SealcamError('seal-refused', `chunk ${String(index)} was altered`);
  return chunk;
}
