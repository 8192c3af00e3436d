import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/engines/tools.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { tempFolder } from '../../support/runner/temp.js';
import { until } from '../../support/runner/wait.js';
import { repository } from '../../support/vectors.js';

/** Processes that this run started, by what they have in their environment. */
function processesOf(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const state = readFileSync(`/proc/${String(pid)}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
        const told = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${String(pid)}/${file}`, 'utf8'));
        return state !== 'Z' && told.some((text) => text.includes(folder));
      } catch {
        // It has ended, or belongs to somebody else.
        return false;
      }
    });
}

describeWith('mosquitto', 'fleet', () => {
  it.each([
    ['while its broker and workers start', 1],
    ['under load', 3],
  ])('ends at SIGTERM %s, and leaves no process and no file behind', async (_, processes) => {
    const folder = tempFolder();
    const script = join(repository, 'dist', 'test', 'campaigns', 'fleet', 'fleet.js');
    const child = spawn(process.execPath, [script, '--only', 'rates', '--cameras', '20', '--records', '1000'], {
      env: { ...process.env, TMPDIR: folder },
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    afterThisTest(() => void child.kill('SIGKILL'));
    await until('its processes run', () => processesOf(folder).length > processes, 60_000);
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
    await until('all of them have ended', () => processesOf(folder).length === 0);
    expect(readdirSync(folder)).toEqual([]);
  });
});
