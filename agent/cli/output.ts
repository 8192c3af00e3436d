import { ERROR_CODES } from '../../common/error-codes.js';
import { asSealcamError } from '../../common/errors.js';

/** Where a command prints; tests and the console put others in. */
export interface Output {
  readonly json: boolean;
  /** One line for people; left out with --json. */
  printLine(text: string): void;
  /** One JSON object a line; left out without --json. */
  emit(value: Readonly<Record<string, unknown>>): void;
}

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

/** Prints an error the way the command was asked to print, and gives the exit status for it. */
export function reportError(error: unknown, json: boolean): number {
  const { code, message, hint } = asSealcamError(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else process.stderr.write(`sealcam: ${message} [${code}]\n  ${hint}\n`);
  return ERROR_CODES[code].exit;
}
