/**
 * Wraps one period key and ends: the only public-key work of a camera that seals with suite 2. It is a process of its own
 * because the memory that the work takes comes back only with the end of a process. The job comes on standard input, the body of
 * the key record leaves on standard output; nothing secret is in an argument or in the environment.
 */
import { readSync, writeSync } from 'node:fs';
import { realRandom } from '../../common/adapters/real-random.js';
import { isSealcamError } from '../../common/errors.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { wrapKey } from '../../protocol/seal/key-record.js';
import { decodeJob, encodeAnswer, MESSAGE_MAX_BYTES } from './job.js';

const input = new Uint8Array(MESSAGE_MAX_BYTES);
let length = 0;
for (let read = -1; read !== 0 && length < input.length; length += read) read = readSync(0, input, { offset: length });
const job = decodeJob(input.subarray(0, length));
let output: Uint8Array;
try {
  output = encodeAnswer({ body: wrapKey(nodeSuite, realRandom, job) });
} catch (error) {
  if (!isSealcamError(error)) throw error;
  output = encodeAnswer({ refusal: error.code });
} finally {
  job.key.fill(0);
  input.fill(0);
}
for (let written = 0; written < output.length;) written += writeSync(1, output, written);
