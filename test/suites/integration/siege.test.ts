import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ATTACKS } from '../../campaigns/siege/attacks.js';
import { caseOf, medianPair, violationsOf, type SiegeResult } from '../../campaigns/siege/report.js';
import { jsonOf, runScript } from '../../support/engines/script.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';
import { until } from '../../support/runner/wait.js';
import { repository } from '../../support/vectors.js';

const SCRIPT = 'test/campaigns/siege/siege.js';
const RUN_MS = 180_000;
const PROBES = 3;

/** A small siege. Its ratios say nothing on a machine that is shared, so none is too large here. */
async function siege(...args: readonly string[]): Promise<SiegeResult> {
  const small = ['--json', '--scale', '0.08', '--pairs', '1', '--flood', '20', '--ratio', '1000000'];
  const ran = await runScript(SCRIPT, [...small, ...args], { limitMs: RUN_MS });
  expect(ran.status, ran.stderr).toBe(0);
  expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1);
  return jsonOf<SiegeResult>(ran);
}

function folders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('sealcam-siege-'));
}

describe('a small siege', () => {
  const timeout = limitMs(2 * RUN_MS);

  it('delivers everything to the honest beside each attack', { timeout }, async () => {
    const { cases, failures } = await siege();
    expect(failures).toEqual([]);
    expect(cases).toHaveLength(ATTACKS.length * PROBES);
    for (const one of cases) {
      expect(one.honest_delivered).toBe(true);
      expect(one.attackers).toBeGreaterThanOrEqual(4);
      expect(one.alone_ms).toBeGreaterThan(0);
      expect(Math.abs(one.ratio - one.beside_ms / one.alone_ms)).toBeLessThan(0.05 * one.ratio + 0.05);
    }
    expect(cases.filter(({ name }) => name.includes('member'))).toHaveLength(PROBES);
  });

  it('ends at SIGTERM, with its processes and its folder', { timeout }, async () => {
    const before = folders();
    const child = spawn(process.execPath, [join(repository, 'dist', SCRIPT), '--scale', '0.08', '--only', 'flood'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    // stderr closes when every process that holds it is gone: the clouds and the attackers have it too.
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    await until('the attack has begun', () => text.includes('attackers'), RUN_MS);
    child.kill('SIGTERM');
    expect(await closed).toBe(130);
    expect(folders().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('refuses wrong arguments', async () => {
    const limit = { limitMs: RUN_MS };
    expect(await runScript(SCRIPT, ['--only', 'moon'], limit)).toMatchObject({ status: 2, stdout: '' });
    expect(await runScript(SCRIPT, ['--scale', '7'], limit)).toMatchObject({ status: 2, stdout: '' });
    expect(await runScript(SCRIPT, ['--help'], limit)).toMatchObject({ status: 0 });
  });
});

describeWith('postgres', 'a small siege on PostgreSQL', () => {
  it('delivers everything to the honest', { timeout: limitMs(2 * RUN_MS) }, async () => {
    const { cases, store } = await siege('--postgres', '--only', 'epochs');
    expect(store).toBe('postgres');
    expect(cases.map(({ honest_delivered }) => honest_delivered)).toEqual([true, true, true]);
  });
});

describe('the judgement of a siege', () => {
  const pair = (aloneMs: number, besideMs: number, isDelivered = true) => ({ aloneMs, besideMs, isDelivered });

  it('takes the pair with the ratio in the middle', () => {
    expect(medianPair([pair(10, 90), pair(10, 11), pair(20, 24)])).toEqual(pair(20, 24));
    expect(medianPair([])).toBeUndefined();
  });

  it('names what was slow, and what did not arrive in any one of the pairs', () => {
    const cases = [
      caseOf('fast', 50, 0, [pair(10, 19)]),
      caseOf('slow', 50, 0, [pair(10, 21)]),
      caseOf('lost', 50, 0, [pair(10, 10), pair(10, 10, false), pair(10, 10)]),
    ];
    const result = { cases, store: 'sqlite', pairs: 1, failures: ['flood: ended'], seconds: 1, command: '' } as const;
    expect(violationsOf(result, 2)).toEqual([
      'flood: ended',
      'slow: 2.1 times as long, more than 2',
      'lost: not all of it arrived',
    ]);
  });
});
