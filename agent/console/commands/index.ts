import { SealcamError } from '../../../common/errors.js';
import type { ConsoleCommand } from '../command.js';
import { COLUMNS, rows, wrap } from '../layout.js';
import { ACTS } from './act.js';
import { DIAGNOSES } from './diagnose.js';
import { LOOKS } from './look.js';
import { SELFTEST } from './selftest.js';
import { LOCKING } from './unlock.js';

const HELP: ConsoleCommand = {
  name: 'help',
  usage: 'help [COMMAND]',
  scope: null,
  examples: ['help', 'help uplink flap'],
  help: 'all commands, or one with examples',
  run: (_context, { positional }, output) => {
    if (positional.length > 0) {
      const name = positional.join(' ');
      const found = COMMANDS.filter((command) => command.name === name || command.name.startsWith(`${name} `));
      if (found.length === 0) throw new SealcamError('usage-invalid', `there is no command ${name}`);
      for (const { usage, help, scope, examples } of found) {
        output.print({ usage, help, scope, examples }, [
          ...rows([
            ['usage', usage],
            ['', help],
            ['needs', scope === null ? 'nothing' : `unlock with scope ${scope}`],
            ...examples.map((example) => ['example', example] as const),
          ]),
          '',
        ]);
      }
      return;
    }
    const width = Math.max(...COMMANDS.map(({ usage }) => usage.length)) + 2;
    output.print({ commands: COMMANDS.map(({ name, usage, help, scope }) => ({ name, usage, help, scope })) }, [
      ...COMMANDS.flatMap(({ usage, help, scope }) =>
        wrap(`${help}${scope === null ? '' : ` (${scope})`}`, COLUMNS - width).map(
          (line, i) => `${(i === 0 ? usage : '').padEnd(width)}${line}`,
        ),
      ),
      '',
      'In brackets: the scope that an unlock token must name. All take --json.',
    ]);
  },
};

/** Every command of the console, in the order of `help`. */
export const COMMANDS: readonly ConsoleCommand[] = [HELP, ...LOOKS, ...LOCKING, ...DIAGNOSES, SELFTEST, ...ACTS];

/** The command that a line begins with, and the words after its name. @throws SealcamError `usage-invalid` */
export function findCommand(words: readonly string[]): {
  readonly command: ConsoleCommand;
  readonly rest: readonly string[];
} {
  const [first = '', second = ''] = words;
  const two = COMMANDS.find(({ name }) => name === `${first} ${second}`);
  if (two !== undefined) return { command: two, rest: words.slice(2) };
  const one = COMMANDS.find(({ name }) => name === first);
  if (one !== undefined) return { command: one, rest: words.slice(1) };
  const family = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  throw new SealcamError(
    'usage-invalid',
    family.length > 0 ? `say which: ${family.join(', ')}` : `there is no command ${first.slice(0, 40)}`,
    { hint: 'help lists all commands.' },
  );
}

/** What may follow what is typed so far, for the tab key. */
export function completions(text: string): readonly string[] {
  const names = COMMANDS.map(({ name }) => name).filter((name) => name.startsWith(text) && name !== text);
  // Word by word: `up` becomes `uplink`, and the next tab shows what it can do.
  const rests = names.map((name) => /^\s*\S*/.exec(name.slice(text.length))?.[0] ?? '');
  return [...new Set(rests)].filter((rest) => rest !== '');
}
