/** What the agent and the process that wraps period keys, and encapsulates to the key of a viewer, say to each other: CBOR on its standard input and output. */
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { XWING, type Encapsulation } from '../../protocol/crypto/xwing.js';
import type { WrapJob } from '../../protocol/seal/key-record.js';
import { decodeCbor, encodeCbor } from '../../protocol/wire/cbor.js';
import { array, bytes, bytesUpTo, text, tuple } from '../../protocol/wire/codec.js';

/** More than a job or an answer ever has. */
export const MESSAGE_MAX_BYTES = 32 * 1024;
const SHARED_BYTES = 32;
const CBOR_LIMITS = { maxBytes: MESSAGE_MAX_BYTES, maxDepth: 3, maxItems: 32 };

const wrapJob = tuple(bytes(32), bytes(32), array(bytes(XWING.publicKeyBytes), 1, LIMITS.recipientsMax));
const kemJob = tuple(bytes(XWING.publicKeyBytes));
/** What the child does: it wraps a key, or makes a shared secret for the owner of a KEM key. */
export type Job = WrapJob | { readonly kemKey: Uint8Array };

/** [error code, body]: one of them is empty. */
const answer = tuple(text(32), bytesUpTo(MESSAGE_MAX_BYTES));

export function encodeJob(job: Job): Uint8Array {
  if ('kemKey' in job) return encodeCbor(kemJob.toCbor([job.kemKey]));
  return encodeCbor(wrapJob.toCbor([job.info, job.key, job.recipients]));
}

export function decodeJob(message: Uint8Array): Job {
  const raw = decodeCbor(message, CBOR_LIMITS);
  if (Array.isArray(raw) && raw.length === 1) {
    const [kemKey] = kemJob.fromCbor(raw, 'job');
    return { kemKey };
  }
  const [info, key, recipients] = wrapJob.fromCbor(raw, 'job');
  return { info, key, recipients };
}

/** `refusal`: a key must not be used. */
export function encodeAnswer(result: { readonly body: Uint8Array } | { readonly refusal: string }): Uint8Array {
  return encodeCbor(answer.toCbor('body' in result ? ['', result.body] : [result.refusal, new Uint8Array(0)]));
}

/** Returns the body of the key record, or encapsulation and shared secret in a row. @throws SealcamError `kem-key` for a key that was refused; `malformed` */
export function decodeAnswer(message: Uint8Array): Uint8Array {
  const [refusal, body] = answer.fromCbor(decodeCbor(message, CBOR_LIMITS), 'answer');
  if (refusal !== '') throw new SealcamError('kem-key', `a KEM key cannot be used: ${refusal}`);
  return body;
}

/** Splits the answer to a KEM job. @throws SealcamError `malformed` */
export function encapsulationOf(body: Uint8Array): Encapsulation {
  if (body.length !== XWING.encBytes + SHARED_BYTES)
    throw new SealcamError('malformed', 'an encapsulation of a wrong length');
  return { enc: body.slice(0, XWING.encBytes), shared: body.slice(XWING.encBytes) };
}
