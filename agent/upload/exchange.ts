import type { ClientRequest, IncomingMessage } from 'node:http';
import { atMost, type Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Upload, UploadAnswer } from './put.js';

/** How long a server may take to say that it wants the body. One that does not know the question gets it anyway. */
const CONTINUE_TIMEOUT_MS = 5000;
const PART_BYTES = 16 * 1024;
/** A cloud cuts what comes slower, so no answer needs a longer wait than this. */
const BYTES_PER_MS_MIN = 4;

/**
 * Sends one body over a request that was just made, and returns the answer; null if the body is damaged. Every wait has a limit.
 * The caller destroys the request after an error.
 */
export async function exchange(
  request: ClientRequest,
  upload: Upload,
  clock: Clock,
  answerTimeoutMs: number,
): Promise<UploadAnswer | null> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
  const continued = new Promise((resolve) => request.once('continue', resolve));
  const connected = new Promise((resolve) => request.once('socket', resolve));
  request.flushHeaders();
  await Promise.race([connected, answered]);
  let isAnswered = await isFirst(answered, clock, CONTINUE_TIMEOUT_MS, continued);
  if (!isAnswered) {
    const body = upload.read();
    if (body === null) {
      request.destroy();
      return null;
    }
    for (let at = 0; at < body.length && !isAnswered; at += PART_BYTES) {
      await upload.giveWay();
      const written = new Promise<void>((resolve) => {
        // An error is reported by the request.
        request.write(body.subarray(at, at + PART_BYTES), () => {
          resolve();
        });
      });
      const progress = Promise.race([written, answered]);
      if (!(await atMost(clock, answerTimeoutMs, progress))) throw late('takes no more of a body');
      isAnswered = await isFirst(answered, clock, 0, Promise.resolve());
    }
    if (!isAnswered) request.end();
  }
  let answer: UploadAnswer | null = null;
  const read = answered.then(async (response) => {
    answer = await readAnswer(response);
  });
  if (!(await atMost(clock, answerTimeoutMs + upload.length / BYTES_PER_MS_MIN, read))) throw late('does not answer');
  // A connection on which a body was not read to its end cannot be used again.
  if (!request.writableFinished) request.destroy();
  return answer;
}

/** Whether the answer is there before the other thing, which has a time limit. */
async function isFirst(
  answered: Promise<unknown>,
  clock: Clock,
  limitMs: number,
  other: Promise<unknown>,
): Promise<boolean> {
  let isAnswered = false;
  await atMost(clock, limitMs, Promise.race([answered.then(() => (isAnswered = true)), other]));
  return isAnswered;
}

async function readAnswer(response: IncomingMessage): Promise<UploadAnswer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > LIMITS.signedMaxBytes) throw new SealcamError('too-large', 'an answer longer than any receipt');
    parts.push(part);
  }
  const { 'content-type': type, 'retry-after': retryAfter = '' } = response.headers;
  const status = response.statusCode ?? 0;
  return {
    status,
    receipt: status === 200 && type === 'application/cose' ? new Uint8Array(Buffer.concat(parts)) : null,
    // As seconds only: a date would be a delay by the wall clock.
    retryAfterMs: /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined,
  };
}

function late(what: string): SealcamError {
  return new SealcamError('cloud-unreachable', `the server of the clips ${what} in time`);
}
