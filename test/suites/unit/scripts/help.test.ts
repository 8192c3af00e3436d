import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../../support/runner/temp.js';
import { repository } from '../../../support/vectors.js';

/** What each command of package.json runs, without the bootstrap that builds it first. */
function programs(): readonly (readonly [name: string, file: string])[] {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return Object.entries(scripts).flatMap(([name, command]) => {
    const [program, first = '', second] = command.split(' ');
    return program === 'node' ? [[name, second ?? first] as const] : [];
  });
}

/** Runs a program with `--help`, in an empty folder and without any tool in its path. */
function help(command: string, args: readonly string[]): { status: number | null; stdout: string; left: string[] } {
  const cwd = tempFolder();
  const env = { PATH: '', HOME: cwd, TMPDIR: cwd };
  const { status, stdout } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  return { status, stdout, left: readdirSync(cwd) };
}

describe('--help', () => {
  it.each(programs())('of npm run %s only helps', (_, file) => {
    const path = join(repository, file);
    expect(existsSync(path)).toBe(true);
    for (const more of [[], ['--no-such-option']]) {
      const { status, stdout, left } = help(process.execPath, [path, '--help', ...more]);
      expect({ status, left }).toEqual({ status: 0, left: [] });
      expect(stdout).toMatch(/npm |Usage: |usage: /);
    }
  });

  it('of setup-debian only helps', () => {
    const { status, stdout, left } = help('/bin/sh', [join(repository, 'scripts', 'setup-debian'), '--help']);
    expect({ status, left }).toEqual({ status: 0, left: [] });
    expect(stdout).toContain('test/tools.json');
  });
});
