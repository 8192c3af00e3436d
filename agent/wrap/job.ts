/** What the agent and the process that wraps period keys say to each other: CBOR on its standard input and output. */
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { XWING } from '../../protocol/crypto/xwing.js';
import type { WrapJob } from '../../protocol/seal/key-record.js';
import { decodeCbor, encodeCbor } from '../../protocol/wire/cbor.js';
import { array, bytes, bytesUpTo, text, tuple } from '../../protocol/wire/codec.js';

/** More than a job or an answer ever has. */
export const MESSAGE_MAX_BYTES = 32 * 1024;
const CBOR_LIMITS = { maxBytes: MESSAGE_MAX_BYTES, maxDepth: 3, maxItems: 32 };

const job = tuple(bytes(32), bytes(32), array(bytes(XWING.publicKeyBytes), 1, LIMITS.recipientsMax));
/** [error code, body]: one of them is empty. */
const answer = tuple(text(32), bytesUpTo(MESSAGE_MAX_BYTES));

export function encodeJob({ info, key, recipients }: WrapJob): Uint8Array {
  return encodeCbor(job.toCbor([info, key, recipients]));
}

export function decodeJob(message: Uint8Array): WrapJob {
  const [info, key, recipients] = job.fromCbor(decodeCbor(message, CBOR_LIMITS), 'job');
  return { info, key, recipients };
}

/** `refusal`: a key must not be used. */
export function encodeAnswer(result: { readonly body: Uint8Array } | { readonly refusal: string }): Uint8Array {
  return encodeCbor(answer.toCbor('body' in result ? ['', result.body] : [result.refusal, new Uint8Array(0)]));
}

/** Returns the body of the key record. @throws SealcamError `kem-key` for a key that was refused; `malformed` */
export function decodeAnswer(message: Uint8Array): Uint8Array {
  const [refusal, body] = answer.fromCbor(decodeCbor(message, CBOR_LIMITS), 'answer');
  if (refusal !== '') throw new SealcamError('kem-key', `a KEM key cannot be used: ${refusal}`);
  return body;
}
