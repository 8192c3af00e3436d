import { SealcamError } from '../../common/errors.js';

/** What was typed after a command's name. */
export interface Words {
  readonly positional: readonly string[];
  readonly flags: ReadonlySet<string>;
}

/**
 * Words are parted by spaces; "…" keeps them together. What starts with -- is a flag.
 * @throws SealcamError `usage-invalid`
 */
export function splitWords(line: string): readonly string[] {
  if ((line.match(/"/g)?.length ?? 0) % 2 === 1) throw new SealcamError('usage-invalid', 'a quotation mark is open');
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

export function wordsOf(words: readonly string[]): Words {
  return {
    positional: words.filter((word) => !word.startsWith('--')),
    flags: new Set(words.filter((word) => word.startsWith('--')).map((word) => word.slice(2))),
  };
}

/** A whole number in a range. @throws SealcamError `usage-invalid` */
export function wholeNumber(
  text: string | undefined,
  what: string,
  min: number,
  max: number,
  otherwise: number,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new SealcamError('usage-invalid', `${what}: a whole number from ${String(min)} to ${String(max)}`);
  }
  return value;
}
