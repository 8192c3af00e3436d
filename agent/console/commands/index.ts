import { SealcamError } from '../../../common/errors.js';
import type { ConsoleCommand } from '../command.js';
import { closest } from '../closest.js';
import { COLUMNS, rows, wrap } from '../layout.js';
import { isOption } from '../words.js';
import { CLIP_COMMANDS } from './clips.js';
import { CONTROL_COMMANDS } from './control.js';
import { DIAGNOSTIC_COMMANDS } from './diagnostics.js';
import { LOOK_COMMANDS } from './looks.js';
import { SELFTEST } from './selftest.js';
import { STATE_COMMANDS } from './state.js';
import { LOCK_COMMANDS } from './unlock.js';

const HELP: ConsoleCommand = {
  name: 'help',
  usage: 'help [COMMAND...]',
  scope: null,
  examples: ['help', 'help uplink flap'],
  help: 'list all commands, or explain one',
  run: (_context, { positional }, output) => {
    if (positional.length > 0) {
      const name = positional.join(' ');
      const found = COMMANDS.filter((command) => command.name === name || command.name.startsWith(`${name} `));
      if (found.length === 0) throw noSuchCommand(positional);
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
      'In brackets: the scope that an unlock token must name.',
      'All accept --json and --help.',
    ]);
  },
};

/** Every command of the console, in the order of `help`. */
export const COMMANDS: readonly ConsoleCommand[] = [
  HELP,
  ...STATE_COMMANDS,
  ...CLIP_COMMANDS,
  ...LOOK_COMMANDS,
  ...LOCK_COMMANDS,
  ...DIAGNOSTIC_COMMANDS,
  SELFTEST,
  ...CONTROL_COMMANDS,
];

/**
 * Returns the command that a line names, and the words after its name. `--help` anywhere asks for the help of what is named,
 * be it one command or several that begin alike. @throws SealcamError `usage-invalid`
 */
export function findCommand(words: readonly string[]): {
  readonly command: ConsoleCommand;
  readonly rest: readonly string[];
} {
  if (words.some((word) => word === '--help' || word === '-h')) {
    return { command: HELP, rest: namedBy(words.filter((word) => !isOption(word))) };
  }
  const [first = '', second = ''] = words;
  const two = COMMANDS.find(({ name }) => name === `${first} ${second}`);
  if (two !== undefined) return { command: two, rest: words.slice(2) };
  const one = COMMANDS.find(({ name }) => name === first);
  if (one !== undefined) return { command: one, rest: words.slice(1) };
  throw noSuchCommand(words);
}

/** Returns the words that name a command, without those that would follow its name. */
function namedBy(words: readonly string[]): readonly string[] {
  const [first = '', second = ''] = words;
  if (COMMANDS.some(({ name }) => name === `${first} ${second}`)) return [first, second];
  return COMMANDS.some(({ name }) => name === first) ? [first] : words;
}

/** Only the words that can belong to a name are repeated: what follows may be an unlock token. */
function noSuchCommand([first = '', second = '']: readonly string[]): SealcamError {
  const family = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  const names = COMMANDS.map(({ name }) => name);
  if (family.length > 0) {
    const near = second === '' ? null : closest(`${first} ${second}`, family);
    return new SealcamError('usage-invalid', `which one: ${family.join(', ')}${questionOf(near)}`, { hint: LISTED });
  }
  const firsts = names.map((name) => name.split(' ')[0] ?? name);
  const near = (second === '' ? null : closest(`${first} ${second}`, names)) ?? closest(first, [...names, ...firsts]);
  const typed = first.slice(0, NAME_SHOWN_MAX);
  return new SealcamError('usage-invalid', `there is no command ${typed}${questionOf(near)}`, { hint: LISTED });
}

const LISTED = '`help` lists all commands.';
const NAME_SHOWN_MAX = 40;

function questionOf(near: string | null): string {
  return near === null ? '' : `; did you mean ${near}?`;
}

/** Returns what may follow the text typed so far, for the Tab key. */
export function completions(text: string): readonly string[] {
  const names = COMMANDS.map(({ name }) => name).filter((name) => name.startsWith(text) && name !== text);
  // Word by word: `up` becomes `uplink`, and the next Tab shows its commands.
  const endings = names.map((name) => /^\s*\S*/.exec(name.slice(text.length))?.[0] ?? '');
  return [...new Set(endings)].filter((rest) => rest !== '');
}
