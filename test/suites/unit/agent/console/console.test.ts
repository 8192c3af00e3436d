import { afterEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../../../agent/console/commands/index.js';
import { SealcamError } from '../../../../../common/errors.js';
import { VirtualClock } from '../../../../support/runner/virtual-clock.js';
import { tempFolder } from '../../../../support/runner/temp.js';
import { until } from '../../../../support/runner/wait.js';
import { QUIET, TestAgent } from '../../../../support/worlds/test-agent.js';
import { TestConsole, type TestConsoleOptions } from '../../../../support/worlds/test-console.js';

const consoles: TestConsole[] = [];
const agents: TestAgent[] = [];

/** A console of an agent that was made and never started. */
function at(options: TestConsoleOptions = {}): TestConsole {
  const agent = new TestAgent(tempFolder(), 1, QUIET);
  agents.push(agent);
  const made = new TestConsole(agent, options);
  consoles.push(made);
  return made;
}

afterEach(async () => {
  for (const each of consoles.splice(0)) each.console.stop();
  for (const each of agents.splice(0)) await each.agent.stop();
});

const MINUTE_MS = 60_000;

describe('what is typed at the console', () => {
  it.each([
    ['an unknown option', 'status --jsno', 'status has no option --jsno'],
    ['an option of another command', 'queue --yes', 'queue has no option --yes'],
    ['an option with one dash', 'status -v', 'status has no option -v'],
    ['a mistyped option', 'log tail --folow', 'log tail has no option --folow; did you mean --follow?'],
    ['a value for a flag', 'factory-reset --yes=no', 'factory-reset --yes has no value'],
    ['an option without its value', 'selftest --min-fps', 'selftest --min-fps needs a value'],
    ['a rate that is not one', 'selftest --min-fps fast', '--min-fps: a whole number from 1 to 120'],
    ['an extra word', 'id now', 'id takes no words after its name, not 1'],
    ['two words for one', 'motion watch 5 6', 'motion watch takes one word after its name, not 2'],
    ['a word behind an option', 'factory-reset --yes please', 'factory-reset takes no words after its name'],
  ])('refuses %s, and prints the usage', async (_, typed, expected) => {
    const console = at();
    await console.unlock('diagnose', 'reset', 'network', 'capture');
    const [answer] = await console.json(typed);
    expect(answer).toMatchObject({ ok: false, code: 'usage-invalid' });
    expect(String(answer?.['message'])).toContain(expected);
    expect(console.reboots).toBe(0);
  });

  it('carries out nothing of a line that it refuses, and the same line without the mistake', async () => {
    const console = at();
    await console.unlock('reset');
    await console.json('reboot --yes now');
    await console.json('reboot --yes --force');
    expect(console.reboots).toBe(0);
    // The control.
    expect((await console.json('reboot --yes'))[0]).toMatchObject({ ok: true });
    expect(console.reboots).toBe(1);
  });

  it('never repeats a token that stands where no word belongs', async () => {
    const console = at();
    const token = 'c2VjcmV0c2VjcmV0c2VjcmV0';
    for (const line of [`lock ${token}`, `ulock ${token}`, `uplink statsu ${token}`]) {
      const answers = await console.json(line);
      expect(answers).toHaveLength(1);
      expect(JSON.stringify(answers)).not.toContain(token);
    }
  });

  it.each(COMMANDS.map(({ name, usage }) => [name, usage]))(
    'explains %s with --help, also while locked',
    async (name, usage) => {
      const console = at();
      for (const line of [`${name} --help`, `${name} -h`, `${name} --help --json 5`, `help ${name}`]) {
        expect((await console.json(line))[0]).toMatchObject({ ok: true, command: 'help', usage });
      }
    },
  );

  it('explains a family, and lists everything for --help alone', async () => {
    const console = at();
    expect((await console.json('uplink --help')).map(({ usage }) => usage)).toEqual([
      'uplink status',
      'uplink drop',
      'uplink flap N',
    ]);
    expect(await console.type('--help')).toContain('All accept --json and --help');
  });

  it.each([
    ['statsu', 'did you mean status?'],
    ['STATUS', 'did you mean status?'],
    ['slftest', 'did you mean selftest?'],
    ['uplnk status', 'did you mean uplink status?'],
    ['uplink statsu', 'did you mean uplink status?'],
    ['motoin', 'did you mean motion?'],
    ['lgo tail', 'did you mean log tail?'],
    ['help statsu', 'did you mean status?'],
  ])('asks what was meant by %s', async (typed, expected) => {
    expect((await at().type(typed)).replace(/\r\n/g, ' ')).toContain(expected);
  });

  it('asks nothing where no command is near', async () => {
    const console = at();
    for (const typed of ['xyzzy', 'please', 'x'.repeat(200)])
      expect(await console.type(typed)).not.toContain('did you mean');
  });
});

describe('a console that nobody uses', () => {
  it('locks after five minutes without input, and says so', async () => {
    const clock = new VirtualClock();
    const console = at({ clock });
    await console.unlock('diagnose');
    clock.advance(5 * MINUTE_MS - 1);
    expect(console.lock.allows('diagnose')).toBe(true);
    clock.advance(1);
    expect(console.lock.state()).toBeNull();
    await until('the notice', () => console.output.includes('[locked: no input for 5 minutes]'));
    expect(console.output.endsWith('sealcam (locked)> ')).toBe(true);
    expect((await console.json('motion why'))[0]).toMatchObject({ code: 'console-locked' });
  });

  it('stays open while somebody types, a single key too', async () => {
    const clock = new VirtualClock();
    const console = at({ clock });
    await console.unlock('diagnose');
    // The token is for 600 s.
    clock.advance(4 * MINUTE_MS);
    await console.type('\x15id');
    clock.advance(4 * MINUTE_MS);
    expect(console.lock.allows('diagnose')).toBe(true);
    clock.advance(1 * MINUTE_MS);
    expect(console.lock.state()).toBeNull();
  });

  it('ends a command that needs the lock open, and prints nothing more of it', async () => {
    const clock = new VirtualClock();
    const console = at({ clock });
    await console.unlock('diagnose');
    await console.line.write(Buffer.from('log tail 1 --follow\r'));
    await until('the command', () => console.console.isBusy);
    console.logLine('a line before');
    clock.advance(5 * MINUTE_MS);
    await until('its end', () => !console.console.isBusy);
    console.logLine('a line after');
    await until('the prompt', () => console.output.endsWith('sealcam (locked)> '));
    expect(console.output).toContain('a line before');
    expect(console.output).not.toContain('a line after');
  });
});

const ERASE_LINE = '\r\u001b[K';

/** What a terminal shows at last: erasing a line begins it again. */
function screen(output: string): string[] {
  return output.split('\r\n').map((line) => line.split(ERASE_LINE).at(-1) ?? '');
}

describe('lines that come while somebody types', () => {
  it('are printed above what is typed, which stays whole', async () => {
    const console = at();
    await console.type('id');
    await console.line.write(Buffer.from('stat'));
    await until('the echo', () => console.output.endsWith('stat'));
    console.console.printAbove('a line of the log\r\n');
    await until('the line', () => console.output.includes('a line of the log'));
    expect(screen(console.output).slice(-2)).toEqual(['a line of the log', 'sealcam (locked)> stat']);
    // What is typed further belongs to the same line.
    expect(await console.type('us')).toContain('camera ');
  });

  it('do not mix into what is typed ahead of a running command', async () => {
    const console = at();
    await console.unlock('diagnose');
    await console.line.write(Buffer.from('log tail 1 --follow\r'));
    await until('the command', () => console.console.isBusy);
    await console.line.write(Buffer.from('sta'));
    await until('the echo', () => console.output.endsWith('sta'));
    console.logLine('first');
    console.logLine('second');
    await until('the lines', () => console.output.includes('second'));
    expect(screen(console.output).slice(-3)).toEqual(['first', 'second', 'sta']);
    await console.line.write(Buffer.from('\x03'));
    await until('the end', () => !console.console.isBusy);
  });
});

describe('reboot', () => {
  it('is refused on a mock, which would restart the computer that it runs on', async () => {
    const console = at({ reboot: null });
    await console.unlock('reset');
    const [answer] = await console.json('reboot --yes');
    expect(answer).toMatchObject({ ok: false, code: 'reboot-refused' });
    expect(String(answer?.['message'])).toContain('mock');
  });

  it('prints why where the system refuses it, and no "Restarting" before', async () => {
    const why = 'the device cannot be restarted: Access denied';
    const console = at({ reboot: () => Promise.reject(new SealcamError('reboot-refused', why)) });
    await console.unlock('reset');
    const text = await console.type('reboot --yes');
    expect(text).toContain('Access denied');
    expect(text).not.toContain('Restarting');
  });
});
