import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VERSION } from '../../../common/version.js';
import { freePort } from '../../../scripts/free-port.js';
import { embedded } from '../../support/engines/brokers.js';
import { start } from '../../support/engines/command.js';
import { ptyPair } from '../../support/engines/pty-pair.js';
import { limitMs } from '../../support/runner/speed.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { repository } from '../../support/vectors.js';
import { until } from '../../support/runner/wait.js';

interface Ended {
  readonly status: number;
  readonly out: string;
}

/** Runs a script without blocking this process, which runs the broker. */
function run(name: string, ...args: readonly string[]): Promise<Ended> {
  const path = join(repository, 'dist', 'scripts', `${name}.js`);
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [path, ...args], { timeout: limitMs(120_000) }, (_, stdout, stderr) => {
      resolve({ status: child.exitCode ?? -1, out: stdout + stderr });
    });
  });
}

describeWith('socat', 'a production line on a real tty', () => {
  it('tests a camera and writes a report with every step, and names the step that fails', async () => {
    const folder = tempFolder();
    const pty = await ptyPair();
    const broker = embedded(folder, await freePort());
    await broker.start();
    const camera = start('sealcam', ['run'], {
      SEALCAM_DATA_FOLDER: join(folder, 'camera'),
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(broker.port)}`,
      SEALCAM_UPLINK_INITIAL_WINDOW: '300 ms',
      SEALCAM_SERIAL_PATH: pty.a,
    });
    try {
      await until('the console', () => camera.lines.some(({ msg }) => msg === 'the console is ready'));
      const report = join(folder, 'report.xml');
      // The broker runs in this process, so nothing here may block while the self-test waits for a connection.
      await until('a connection', () => camera.lines.some(({ phase }) => phase === 'probation'));
      // A loaded machine renders fewer frames: the rate is not what this test is about.
      const place = ['--station', 'bench <7>', '--min-fps', '1'];
      const { status, out } = await run('qa-console', '--port', pty.b, '--report', report, ...place);
      expect({ status, out: status === 0 ? '' : out }).toEqual({ status: 0, out: '' });
      const xml = readFileSync(report, 'utf8');
      for (const step of [
        'answers',
        'is locked',
        'unlocks',
        'keys',
        'storage',
        'camera',
        'picture',
        'seal',
        'uplink',
      ]) {
        expect(xml).toContain(`name="${step}"`);
      }
      expect(xml).toContain('failures="0"');
      expect(xml).toContain(`hostname="${hostname()}"`);
      expect(xml).toMatch(/ timestamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"/);
      expect(xml).toContain(`<property name="version" value="${VERSION}"/>`);
      expect(xml).toContain(`<property name="qa-console" value="${VERSION}"/>`);
      expect(xml).toContain('<property name="station" value="bench &lt;7&gt;"/>');

      // A limit that no camera keeps: the camera step fails, and only that one.
      const strict = await run('qa-console', '--port', pty.b, '--report', report, '--min-fps', '120');
      expect(strict.status).toBe(1);
      expect(strict.out).toMatch(/FAIL +camera +.*fewer than 120\.0/);
      expect(readFileSync(report, 'utf8')).toContain('failures="1"');

      // The control: without its broker the same camera fails, at that step only.
      await broker.stop();
      const again = await run('qa-console', '--port', pty.b, '--report', report, '--json', '--min-fps', '1');
      expect(again.status).toBe(1);
      const failed = again.out
        .split('\n')
        .filter((line) => line.includes('"FAIL"'))
        .map((line) => (JSON.parse(line) as { test: string }).test);
      expect(failed).toEqual(['uplink']);

      // A key that the camera does not trust unlocks nothing.
      const key = join(folder, 'other.key');
      expect((await run('qa-token', '--make-key', key)).out).toMatch(/^[0-9a-f]{64}\n$/);
      const stranger = await run('qa-console', '--port', pty.b, '--report', report, '--key', key);
      expect(stranger.status).toBe(1);
      expect(stranger.out).toMatch(/FAIL +unlocks +.*unlock-refused/);
    } finally {
      camera.signal('SIGTERM');
      expect(await camera.ended).toBe(0);
      await pty.stop();
    }
  });

  it('explains what is wrong with a port, a key file or a scope', async () => {
    expect((await run('qa-console', '--port', '/dev/no-such-tty')).status).toBe(4);
    expect((await run('qa-console')).status).toBe(2);
    const bad = join(tempFolder(), 'bad.key');
    writeFileSync(bad, 'zz');
    const base = ['--device', '0'.repeat(64), '--nonce', '0'.repeat(32)];
    expect((await run('qa-token', ...base, '--key', bad)).out).toContain('is no QA key');
    expect((await run('qa-token', ...base, '--scope', 'everything')).out).toContain('there are diagnose, capture');
    expect((await run('qa-token', ...base)).out).toMatch(/^[A-Za-z0-9+/=]+\n$/);
  });
});
