/**
 * Wraps one period key, or encapsulates to the key of one viewer, and ends: the only public-key work of a camera that seals with suite 2. It is a process of its own
 * because the memory that the work takes comes back only with the end of a process. The job comes on standard input, the body of
 * the key record leaves on standard output; nothing secret is in an argument or in the environment.
 */
import { readSync, writeSync } from 'node:fs';
import { realRandom } from '../../common/adapters/real-random.js';
import { concat } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { encapsulate } from '../../protocol/crypto/xwing.js';
import { wrapKey } from '../../protocol/seal/key-record.js';
import { decodeJob, encodeAnswer, MESSAGE_MAX_BYTES, type Job } from './job.js';

const input = new Uint8Array(MESSAGE_MAX_BYTES);
let length = 0;
for (let read = -1; read !== 0 && length < input.length; length += read) read = readSync(0, input, { offset: length });
const job = decodeJob(input.subarray(0, length));
let output: Uint8Array;
try {
  output = encodeAnswer({ body: bodyOf(job) });
} catch (error) {
  if (!isSealcamError(error)) throw error;
  output = encodeAnswer({ refusal: error.code });
} finally {
  if ('key' in job) job.key.fill(0);
  input.fill(0);
}
for (let written = 0; written < output.length;) written += writeSync(1, output, written);

function bodyOf(job: Job): Uint8Array {
  if (!('kemKey' in job)) return wrapKey(nodeSuite, realRandom, job);
  const { enc, shared } = encapsulate(nodeSuite, realRandom, job.kemKey);
  return concat(enc, shared);
}
