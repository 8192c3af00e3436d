import { SealcamError } from '../../common/errors.js';

/** The words after a command's name. */
export interface Words {
  readonly positional: readonly string[];
  readonly flags: ReadonlySet<string>;
  /** Options that have a value, by name. */
  readonly values: ReadonlyMap<string, string>;
}

/** Splits a line at spaces, except within "…". @throws SealcamError `usage-invalid` */
export function splitWords(line: string): readonly string[] {
  if ((line.match(/"/g)?.length ?? 0) % 2 === 1)
    throw new SealcamError('usage-invalid', 'a quotation mark is not closed');
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** An option of the command, not a negative number or a lone dash. */
export function isOption(word: string): boolean {
  return /^--?[a-zA-Z]/.test(word);
}

interface NumberArgument {
  /** What the usage line calls it. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Returned if the argument is absent. */
  readonly fallback: number;
}

/** Parses a whole number within its bounds. @throws SealcamError `usage-invalid` */
export function parseWholeNumber(text: string | undefined, { name, min, max, fallback }: NumberArgument): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new SealcamError('usage-invalid', `${name}: a whole number from ${String(min)} to ${String(max)}`);
  }
  return value;
}
