import { SealcamError } from '../../../common/errors.js';
import type { ConsoleCommand } from '../command.js';
import { COLUMNS, rows, wrap } from '../layout.js';
import { CONTROL_COMMANDS } from './control.js';
import { DIAGNOSTIC_COMMANDS } from './diagnostics.js';
import { SELFTEST } from './selftest.js';
import { STATE_COMMANDS } from './state.js';
import { LOCK_COMMANDS } from './unlock.js';

const HELP: ConsoleCommand = {
  name: 'help',
  usage: 'help [COMMAND]',
  scope: null,
  examples: ['help', 'help uplink flap'],
  help: 'list all commands, or explain one',
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
      'In brackets: the scope that an unlock token must name. All accept --json.',
    ]);
  },
};

/** Every command of the console, in the order of `help`. */
export const COMMANDS: readonly ConsoleCommand[] = [
  HELP,
  ...STATE_COMMANDS,
  ...LOCK_COMMANDS,
  ...DIAGNOSTIC_COMMANDS,
  SELFTEST,
  ...CONTROL_COMMANDS,
];

/** Returns the command that a line names, and the words after its name. @throws SealcamError `usage-invalid` */
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
    family.length > 0 ? `which one: ${family.join(', ')}` : `there is no command ${first.slice(0, 40)}`,
    { hint: '`help` lists all commands.' },
  );
}

/** Returns what may follow the text typed so far, for the Tab key. */
export function completions(text: string): readonly string[] {
  const names = COMMANDS.map(({ name }) => name).filter((name) => name.startsWith(text) && name !== text);
  // Word by word: `up` becomes `uplink`, and the next Tab shows its commands.
  const endings = names.map((name) => /^\s*\S*/.exec(name.slice(text.length))?.[0] ?? '');
  return [...new Set(endings)].filter((rest) => rest !== '');
}
