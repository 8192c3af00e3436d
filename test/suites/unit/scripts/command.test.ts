import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkout } from '../../../../scripts/checkout.js';
import { commandLine, numberIn, throttled, wholeNumber } from '../../../../scripts/command.js';
import { inParallel } from '../../../../scripts/in-parallel.js';

describe('options of a command', () => {
  it('are numbers within their bounds', () => {
    expect(numberIn('minutes', '0.5', 0.5, 10)).toBe(0.5);
    expect(wholeNumber('seeds', '3', 1, 10)).toBe(3);
  });

  it.each(['', ' ', 'many', 'NaN', '11', '-1', '0x'])('are refused by name: "%s"', (text) => {
    expect(() => numberIn('seeds', text, 0, 10)).toThrow('--seeds takes a number from 0 to 10');
  });

  it('may have to be whole', () => {
    expect(() => wholeNumber('seeds', '1.5', 0, 10)).toThrow('--seeds takes a whole number');
  });
});

describe('the command of a result', () => {
  const typed = process.argv;
  afterEach(() => (process.argv = typed));

  it.each([
    [[], 'npm run crash'],
    [['--kills', '300', '--save'], 'npm run crash -- --kills 300 --save'],
  ] as const)('is what was typed: %j', (args, command) => {
    process.argv = ['node', 'crash.js', ...args];
    expect(commandLine('crash')).toBe(command);
  });
});

describe('the frame of a command', () => {
  // The compiled script: its imports need no store and no camera.
  const run = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(checkout, 'dist', 'scripts', 'release.js'), ...args], { encoding: 'utf8' });

  it('prints help and does nothing else, whatever other options there are', () => {
    const { status, stdout, stderr } = run('--no-such-option', '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('npm run release');
  });

  it('refuses an unknown option and a surplus argument with 2, and leaves stdout empty', () => {
    const unknown = run('--no-such-option');
    expect(unknown).toMatchObject({ status: 2, stdout: '' });
    expect(unknown.stderr).toBe("release: Unknown option '--no-such-option'; see --help\n");
    expect(run('1.2.3', 'now')).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('throttled progress', () => {
  it('makes no line that it does not print', () => {
    const printed: string[] = [];
    const sometimes = throttled((line) => printed.push(line), 60_000);
    sometimes(() => {
      throw new Error('made too early');
    });
    expect(printed).toEqual([]);
  });
});

describe('work in parallel', () => {
  it('starts items in order, and no more at a time than its width', async () => {
    const started: number[] = [];
    let active = 0;
    let most = 0;
    await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
      started.push(item);
      most = Math.max(most, ++active);
      await Promise.resolve();
      active--;
    });
    expect(started).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it('rejects with the error of its work', async () => {
    await expect(inParallel([1], 1, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  });
});
