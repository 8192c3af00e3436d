import { ERROR_CODES, type ErrorCode } from './error-codes.js';

export interface SealcamErrorOptions {
  /** What the reader can do about it, in one sentence. Falls back to the code's own hint. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Machine-readable particulars: never a key, a picture, a user's name or a network secret. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * The one error type that crosses a folder's border.
 * It carries a code that is never reused, a hint, and whether trying again can help.
 */
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

export function isSealcamError(error: unknown): error is SealcamError {
  return error instanceof SealcamError;
}

/** Wraps whatever was thrown, so that callers above handle one type; a SealcamError passes unchanged. */
export function asSealcamError(error: unknown, code: ErrorCode = 'internal'): SealcamError {
  if (isSealcamError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SealcamError(code, message, { cause: error });
}

/** The operating system's error name (`ENOSPC`, `EACCES`, …) if the thing thrown carries one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
