import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../../common/version.js';
import { installProgram, lineOf } from '../../../scripts/bench/packaged-camera.js';
import { checkout } from '../../../scripts/checkout.js';
import { freePort } from '../../../scripts/free-port.js';
import { tempFolder } from '../../support/runner/temp.js';

/** Tells with the launcher's own options of Node whether V8 takes the code cache of a program. */
const PROBE = `
import { loadCompiled } from '${join(checkout, 'dist', 'agent', 'cli', 'code-cache.js')}';
process.stdout.write(String(loadCompiled(process.argv[2]).isCached));
`;

describe('the packaged program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-packaged-'));
  let program = '';
  let camera = '';
  let cache = '';

  beforeAll(async () => {
    program = await installProgram(join(folder, 'usr'), '');
    camera = join(folder, 'usr', 'lib', 'sealcam', 'camera.js');
    cache = `${camera}.cache`;
  }, 120_000);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function ran(args: readonly string[], environment: Record<string, string> = {}) {
    return spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...environment } });
  }

  /** Whether V8 takes the cache in a program that is started as `run` is. */
  function isTaken(nodeOptions = ''): boolean {
    const probe = join(tempFolder(), 'probe.mjs');
    writeFileSync(probe, PROBE);
    const launcher = join(tempFolder(), 'sealcam');
    const text = readFileSync(program, 'utf8');
    const other = text.replace('"$library/sealcam.cjs" "$@"', `"${probe}" "${camera}"`);
    expect(other).not.toBe(text);
    writeFileSync(launcher, other, { mode: 0o755 });
    const { stdout, stderr } = spawnSync(launcher, ['run'], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: nodeOptions },
    });
    expect(stderr).toBe('');
    return stdout === 'true';
  }

  /** Starts a mock camera, and stops it once it is armed. */
  async function startAndStop(nodeOptions = ''): Promise<number | null> {
    const child = spawn(program, ['run'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        NODE_OPTIONS: nodeOptions,
        SEALCAM_DATA_FOLDER: join(tempFolder(), 'data'),
        SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(await freePort())}`,
      },
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await lineOf(child, (line) => line.includes('the camera is armed'));
    child.kill('SIGTERM');
    return ended;
  }

  it('answers the version, its help and wrong usage like the command', () => {
    expect(ran(['--version'])).toMatchObject({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
    const help = ran(['--help']);
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('sealcam doctor');
    expect(ran(['run', '--no-such-option']).status).toBe(2);
  });

  it('reports wrong settings of a plain run, and its exit status', () => {
    const { status, stderr } = ran(['run', '--config', '/nowhere/camera.toml']);
    expect(status).toBe(2);
    expect(stderr).toContain('[config-unreadable]');
  });

  it('starts with compiled code that V8 takes under the options of the launcher, and not under others', async () => {
    expect(statSync(cache).mode & 0o777).toBe(0o644);
    expect(isTaken()).toBe(true);
    expect(await startAndStop()).toBe(0);
    expect(isTaken('--max-old-space-size=48')).toBe(false);
    expect(await startAndStop('--max-old-space-size=48')).toBe(0);
  });

  it('starts without it: damaged, cut off or missing', async () => {
    const whole = readFileSync(cache);
    const damaged = Buffer.from(whole);
    // Somewhere in the code itself.
    damaged.fill(0x5a, whole.length >> 1, (whole.length >> 1) + 64);
    for (const bytes of [damaged, whole.subarray(0, whole.length >> 1), Buffer.alloc(0)]) {
      writeFileSync(cache, bytes);
      expect(isTaken()).toBe(false);
      expect(await startAndStop()).toBe(0);
    }
    rmSync(cache);
    expect(await startAndStop()).toBe(0);
    expect(existsSync(cache)).toBe(false);
    expect(ran(['run', '--write-code-cache'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(isTaken()).toBe(true);
  });
});
