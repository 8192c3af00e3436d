import { SealcamError } from '../../common/errors.js';
import type { ConsoleCommand } from './command.js';
import { closest } from './closest.js';
import { isOption, type Words } from './words.js';

/** What a usage line accepts. */
interface Accepted {
  readonly positionalMax: number;
  /** Options by name, and whether each has a value. */
  readonly options: ReadonlyMap<string, boolean>;
}

function acceptedBy({ name, usage }: Pick<ConsoleCommand, 'name' | 'usage'>): Accepted {
  const options = new Map<string, boolean>();
  const rest = usage.slice(name.length).replace(/\[?--([a-z-]+)( [A-Z]+)?\]?/g, (_, option: string, value?: string) => {
    options.set(option, value !== undefined);
    return '';
  });
  const positional = rest.split(' ').filter((word) => word !== '');
  const isOpen = positional.some((word) => word.endsWith('...]'));
  return { positionalMax: isOpen ? Infinity : positional.length, options };
}

/**
 * Separates options from words, and refuses what the command's usage line does not name: what is not understood must not be
 * carried out as if it were. @throws SealcamError `usage-invalid`
 */
export function wordsFor(command: Pick<ConsoleCommand, 'name' | 'usage'>, words: readonly string[]): Words {
  const { positionalMax, options } = acceptedBy(command);
  const refuse = (why: string): never => {
    throw new SealcamError('usage-invalid', `${command.name} ${why}`, { hint: `Usage: ${command.usage}` });
  };
  const positional: string[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!isOption(word)) {
      positional.push(word);
      continue;
    }
    const [, name = '', joined] = /^--?([^=]*)(?:=(.*))?$/.exec(word) ?? [];
    const hasValue = word.startsWith('--') ? options.get(name) : undefined;
    if (hasValue === undefined) {
      const near = closest(name, [...options.keys()]);
      const question = near === null ? '' : `; did you mean --${near}?`;
      refuse(`has no option ${word.slice(0, OPTION_SHOWN_MAX)}${question}`);
    }
    if (hasValue !== true) {
      if (joined !== undefined) refuse(`--${name} has no value`);
      flags.add(name);
      continue;
    }
    const value = joined ?? words[++at];
    if (value === undefined || isOption(value)) return refuse(`--${name} needs a value`);
    values.set(name, value);
  }
  if (positional.length > positionalMax) {
    const count =
      positionalMax === 0 ? 'no words' : positionalMax === 1 ? 'one word' : `${String(positionalMax)} words`;
    // The words themselves are not repeated: one may be an unlock token.
    refuse(`takes ${count} after its name, not ${String(positional.length)}`);
  }
  return { positional, flags, values };
}

const OPTION_SHOWN_MAX = 20;
