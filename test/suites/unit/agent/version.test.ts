import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainRun } from '../../../../agent/cli/plain-run.js';
import { VERSION } from '../../../../common/version.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { repository } from '../../../support/vectors.js';

/** Runs the compiled command where nothing but its first file and what it imports is there to be loaded. */
function alone(args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const folder = tempFolder();
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const path of ['agent/cli/cli.js', 'agent/cli/version.js', 'common/version.js'])
    cpSync(join(repository, 'dist', path), join(folder, path), { recursive: true });
  const { status, stdout } = spawnSync(process.execPath, [join(folder, 'agent/cli/cli.js'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout };
}

describe('the version', () => {
  it('is answered before anything else is loaded', () => {
    for (const option of ['--version', '-V']) expect(alone([option])).toEqual({ status: 0, stdout: `${VERSION}\n` });
  });

  it('of a camera that runs is not in the way: a plain run is started without the other commands', () => {
    expect(plainRun(['run'])).toEqual({});
    expect(plainRun(['run', '--json', '-c', 'camera.toml'])).toEqual({ json: true, config: 'camera.toml' });
    expect(plainRun(['run', '--config=camera.toml'])).toEqual({ config: 'camera.toml' });
    for (const args of [[], ['doctor'], ['run', '--help'], ['run', '--no-such-option'], ['run', 'more'], ['run', '-c']])
      expect(plainRun(args)).toBeNull();
  });

  it('is all that can be answered so', () => {
    expect(alone(['--help'])).toEqual({ status: 1, stdout: '' });
    expect(alone(['run', '--version'])).toEqual({ status: 1, stdout: '' });
  });
});
