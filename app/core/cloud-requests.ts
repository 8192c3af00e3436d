import { concat } from '../../common/bytes.js';
import { ERROR_CODES, type ErrorCode } from '../../common/error-codes.js';
import { SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { errorAnswer } from './cloud-answers.js';

/** What the operator learns of a refusal: the camera and the reason, never the content. */
export interface AlarmReport {
  readonly verdict: Verdict | 'older-history';
  readonly code: string;
  /** Hex of the device id; null if it cannot be read. */
  readonly device: string | null;
  readonly epoch: number | null;
}

/** The global `fetch`, with the option that Node's types lack. */
export type PageFetch = (url: string, init: PageRequest) => Promise<Response>;
export type PageRequest = RequestInit & { readonly cache?: 'no-store' };

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sends no session token: for the requests that open a session, and for what anyone may read. */
  readonly isAnonymous?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The body may take long: only its beginning has a limit. */
  readonly isLong?: boolean;
}

/** Returns the body of an answer, cut off where it is longer than it may be. */
export async function readUpTo({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0);
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  for (let length = 0; length <= maxBytes;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    parts.push(value);
    length += value.length;
  }
  await reader.cancel();
  return concat(...parts).subarray(0, maxBytes + 1);
}

/** Returns the error in an answer that refuses. */
export async function refusalOf(response: Response): Promise<SealcamError> {
  const answer = v.safeParse(errorAnswer, await response.json().catch(() => null));
  if (!answer.success) return new SealcamError('cloud-unreachable', `the cloud answered ${String(response.status)}`);
  const { code, message, hint } = answer.output.error;
  const known: ErrorCode = code in ERROR_CODES ? (code as ErrorCode) : 'request-invalid';
  return new SealcamError(known, message, { hint });
}
