import { ERROR_CODES, type ErrorCode } from './error-codes.js';

export interface SealcamErrorOptions {
  /** What the reader can do about it, in one sentence; defaults to the hint of the code. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Machine-readable details: never a key, a picture, a user's name or a network secret. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** The only error type that crosses folders: a code that is never reused, a hint, and whether a retry can help. */
export class SealcamError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly recoverable: boolean;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;

  constructor(code: ErrorCode, message: string, options: SealcamErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SealcamError';
    this.code = code;
    this.hint = options.hint ?? ERROR_CODES[code].hint;
    this.recoverable = ERROR_CODES[code].recoverable;
    this.details = options.details ?? {};
  }
}

/** Returns whether an error has a code. */
export function isSealcamError(error: unknown): error is SealcamError {
  return error instanceof SealcamError;
}

/** Wraps any thrown value in a SealcamError, so that callers handle one type. A SealcamError is returned unchanged. */
export function asSealcamError(error: unknown, code: ErrorCode = 'internal'): SealcamError {
  if (isSealcamError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SealcamError(code, message, { cause: error });
}

/** Returns the operating system's error name (`ENOSPC`, `EACCES`, …) if the thrown value has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Returns the number of a protocol's reason code if the thrown value has one. */
export function codeNumber(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}
