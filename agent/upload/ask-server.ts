import type { IncomingMessage } from 'node:http';
import { atMost, type Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import { connectionError } from '../uplink/tls-errors.js';
import { beginPut, CLIP_SERVER, Connections, type PutSettings } from './http-put.js';

/** What a server said to a request that it must refuse. */
export interface Refusal {
  readonly status: number;
  /** Where a redirect points; nobody goes there. */
  readonly location: string | null;
  /** The code of a cloud's error; null where the answer is not one of a cloud. */
  readonly code: string | null;
}

/** No body has this path. Only the route for bodies refuses it as invalid, and it does so before it looks anything up. */
const NO_BODY = '/v1/media/none/none/none';
const ANSWER_MAX_BYTES = 16 * 1024;

/**
 * Asks the server of the clips for a refusal, over the connection and the route that bodies take. Nothing is uploaded.
 *
 * @throws SealcamError `cloud-unreachable`, `cloud-untrusted`
 */
export async function askServer(settings: PutSettings, clock: Clock): Promise<Refusal> {
  const connections = new Connections(settings, clock);
  const { answerTimeoutMs, connectTimeoutMs } = settings;
  try {
    const request = beginPut(settings.url, connections, NO_BODY, { 'content-length': 0 });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.on('error', reject);
    });
    request.end();
    const read = answered.then(readRefusal);
    if (await atMost(clock, connectTimeoutMs + answerTimeoutMs, read)) return await read;
    throw new SealcamError('cloud-unreachable', `no answer within ${String(answerTimeoutMs)} ms`);
  } catch (error) {
    throw isSealcamError(error) ? error : connectionError(error, CLIP_SERVER);
  } finally {
    connections.close();
  }
}

async function readRefusal(response: IncomingMessage): Promise<Refusal> {
  const { statusCode = 0, headers } = response;
  let text = '';
  for await (const part of response as AsyncIterable<Buffer>) {
    text += part.toString('latin1');
    if (text.length > ANSWER_MAX_BYTES) break;
  }
  return { status: statusCode, location: headers.location ?? null, code: codeIn(text) };
}

function codeIn(text: string): string | null {
  return /^\{"error":\{"code":"([a-z-]{1,40})"/.exec(text)?.[1] ?? null;
}
