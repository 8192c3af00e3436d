import { ERROR_CODES } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';

/** Where a command prints. Tests pass one of their own. */
export interface Output {
  readonly json: boolean;
  /** Prints a line for a person; does nothing with --json. */
  printLine(text: string): void;
  /** Prints an object as a line of JSON; does nothing without --json. */
  emit(value: Readonly<Record<string, unknown>>): void;
}

/** Returns an output that prints to stdout. */
export function processOutput(json: boolean): Output {
  return {
    json,
    printLine: (text) => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    emit: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

/** Prints an error, as JSON with --json, and returns its exit status. */
export function reportError(error: unknown, json: boolean): number {
  const { code, message, hint } = asSealcamError(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else process.stderr.write(`sealcam: ${message} [${code}]\n  ${hint}\n`);
  return ERROR_CODES[code].exit;
}
