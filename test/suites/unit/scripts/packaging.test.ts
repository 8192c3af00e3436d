import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../../support/runner/temp.js';
import { repository } from '../../../support/vectors.js';

/** Returns a script of the package whose absolute paths lie below a folder. */
function below(folder: string, script: string): string {
  const text = readFileSync(join(repository, 'packaging', script), 'utf8');
  const moved = text.replaceAll(/(?<=^|[\s="[(])\/(etc|var|run|usr\/lib\/sealcam)\//gm, `${folder}/$1/`);
  // A path that was missed would be the one of the machine that runs this test.
  const missed = moved
    .split('\n')
    .filter((line) => !line.startsWith('#') && / \/(etc|var|run)\b/.test(line.replaceAll(folder, '')));
  if (missed.length > 0 && !missed.every((line) => line.includes(folder))) throw new Error(missed.join('\n'));
  const path = join(folder, 'script');
  writeFileSync(path, moved);
  return path;
}

function put(folder: string, path: string, text = ''): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Puts a program on the path that prints its arguments to a file. */
function standIn(folder: string, name: string, body: string): void {
  put(folder, `bin/${name}`, `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, 'bin', name), 0o755);
}

function all(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

function run(folder: string, script: string, args: readonly string[], environment: Record<string, string> = {}) {
  const path = `${join(folder, 'bin')}:/usr/bin:/bin:/usr/sbin`;
  return spawnSync('/bin/sh', [below(folder, script), ...args], {
    env: { PATH: path, ...environment },
    encoding: 'utf8',
  });
}

describe('configuring the package', () => {
  function configured(
    args: readonly string[],
    status: number,
  ): { readonly status: number | null; readonly called: string } {
    const folder = tempFolder();
    for (const name of ['systemd-sysusers', 'systemd-tmpfiles', 'systemctl']) standIn(folder, name, 'true');
    standIn(folder, 'sealcam', `echo "$* $SEALCAM_DATA_FOLDER" >>"${folder}/called"\nexit ${String(status)}`);
    const ran = run(folder, 'debian/postinst', args);
    const path = join(folder, 'called');
    return { status: ran.status, called: existsSync(path) ? readFileSync(path, 'utf8') : '' };
  }

  it('leaves compiled code, also when another Node was installed, and does without where that fails', () => {
    // A folder is named, so that the launcher does not step down to a user who may not write there.
    const called = 'run --write-code-cache /nonexistent\n';
    expect(configured(['configure', '0.1.0'], 0)).toEqual({ status: 0, called });
    expect(configured(['triggered', '/usr/bin/node'], 0)).toEqual({ status: 0, called });
    expect(configured(['configure', '0.1.0'], 1)).toEqual({ status: 0, called });
    expect(configured(['abort-upgrade'], 0)).toEqual({ status: 0, called: '' });
  });
});

describe('removing the package', () => {
  const WANTS = 'etc/systemd/system/multi-user.target.wants';

  function installed(): string {
    const folder = tempFolder();
    put(folder, 'etc/sealcam/front.toml', '[uplink]\n');
    put(folder, 'etc/sealcam/camera.toml', '');
    put(folder, 'etc/systemd/system/sealcam@front.service.d/override.conf');
    put(folder, 'etc/systemd/system/other.service.d/override.conf');
    put(folder, `${WANTS}/other.service`);
    put(folder, 'usr/lib/sealcam/camera.js.cache');
    put(folder, 'var/log/journal/0123.sealcam/system.journal');
    put(folder, 'var/log/journal/0123/system.journal');
    put(folder, 'var/lib/sealcam/front/device.seed', 'seed');
    mkdirSync(join(folder, 'run/systemd/system'), { recursive: true });
    for (const unit of ['sealcam.service', 'sealcam@front.service', 'sealcam@yard.service'])
      symlinkSync('/usr/lib/systemd/system/sealcam@.service', join(folder, WANTS, unit));
    const links = join(folder, WANTS);
    // Disables as systemctl does: the link goes.
    standIn(folder, 'systemctl', `echo "$*" >>"${folder}/called"\n[ "$1" != disable ] || rm -f "${links}/$2"`);
    return folder;
  }

  it('disables every camera, also one that does not run, and stops them', () => {
    const folder = installed();
    expect(run(folder, 'debian/prerm', ['remove']).status).toBe(0);
    expect(readdirSync(join(folder, WANTS))).toEqual(['other.service']);
    const called = readFileSync(join(folder, 'called'), 'utf8');
    for (const unit of ['sealcam.service', 'sealcam@front.service', 'sealcam@yard.service'])
      expect(called).toContain(`disable ${unit}\n`);
    expect(called).toContain('stop sealcam.service sealcam@*.service');
    expect(readdirSync(join(folder, 'usr/lib/sealcam'))).toEqual([]);
  });

  it('keeps every camera as it is in an upgrade', () => {
    const folder = installed();
    const before = all(folder);
    expect(run(folder, 'debian/prerm', ['upgrade', '9']).status).toBe(0);
    expect(all(folder).filter((path) => path !== 'script')).toEqual(before);
  });

  it('removes links where systemctl fails, as without a running systemd', () => {
    const folder = installed();
    standIn(folder, 'systemctl', 'exit 1');
    expect(run(folder, 'debian/prerm', ['remove']).status).toBe(0);
    expect(readdirSync(join(folder, WANTS))).toEqual(['other.service']);
  });

  it('purges settings, drop-ins, links and log of every camera, and nothing else; the identity stays and is named', () => {
    const folder = installed();
    const { status, stderr } = run(folder, 'debian/postrm', ['purge']);
    expect(status).toBe(0);
    const left = all(folder).filter((path) => path.includes('sealcam') && !path.startsWith('usr/lib/'));
    expect(left).toEqual(['var/lib/sealcam', 'var/lib/sealcam/front', 'var/lib/sealcam/front/device.seed']);
    expect(existsSync(join(folder, 'var/log/journal/0123/system.journal'))).toBe(true);
    expect(existsSync(join(folder, 'etc/systemd/system/other.service.d/override.conf'))).toBe(true);
    expect(stderr).toContain('keys and outbox stay');
  });

  it('keeps settings at a removal that is no purge', () => {
    const folder = installed();
    expect(run(folder, 'debian/postrm', ['remove']).status).toBe(0);
    expect(existsSync(join(folder, 'etc/sealcam/front.toml'))).toBe(true);
  });
});

describe('the installed command', () => {
  /** Returns the settings that the program gets, and through which program it was started. */
  function started(args: readonly string[], environment: Record<string, string> = {}, uid = '1000'): string[] {
    const folder = tempFolder();
    put(folder, 'etc/sealcam/camera.toml');
    put(folder, 'etc/sealcam/front.toml');
    standIn(folder, 'node', 'echo "${SEALCAM_CONFIG:-none} ${SEALCAM_DATA_FOLDER:-none}"');
    standIn(folder, 'setpriv', 'echo "$1"; while [ "$1" != node ]; do shift; done; exec "$@"');
    standIn(folder, 'id', `echo ${uid}`);
    // What is named by its installed path lies below the folder, like everything here.
    const moved = (text: string): string => text.replace('/etc/', `${folder}/etc/`);
    const variables = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, moved(value)]));
    const { stdout } = run(folder, 'bin/sealcam', args.map(moved), variables);
    return stdout.replaceAll(folder, '').trim().split('\n');
  }
  const INSTALLED = '/etc/sealcam/camera.toml /var/lib/sealcam';

  it('means the camera that is installed', () => {
    for (const args of [['run'], ['keygen', '--json'], ['doctor'], ['replay', 'clip.mp4'], []])
      expect(started(args)).toEqual([INSTALLED]);
  });

  it('runs as the user of the camera where root starts what touches its keys, and only that', () => {
    for (const args of [['run'], ['keygen'], ['doctor']])
      expect(started(args, {}, '0')).toEqual(['--reuid=sealcam', INSTALLED]);
    expect(started(['verify', 'export.jsonl'], {}, '0')).toEqual([INSTALLED]);
  });

  it('means an installed camera that is named by its settings, in every spelling', () => {
    const front = '/etc/sealcam/front.toml';
    for (const named of [['--config', front], [`--config=${front}`], ['-c', front], [`-c${front}`]])
      expect(started(['keygen', ...named], {}, '0')).toEqual(['--reuid=sealcam', 'none /var/lib/sealcam/front']);
    expect(started(['run'], { SEALCAM_CONFIG: front }, '0')).toEqual([
      '--reuid=sealcam',
      '/etc/sealcam/front.toml /var/lib/sealcam/front',
    ]);
    expect(started(['run', '--config', '/etc/sealcam/camera.toml'])).toEqual(['none /var/lib/sealcam']);
  });

  it('leaves alone what names its own settings or folder', () => {
    expect(started(['run', '--config', 'mine.toml'], {}, '0')).toEqual(['none none']);
    expect(started(['run', '-c', 'mine.toml'])).toEqual(['none none']);
    expect(started(['run'], { SEALCAM_DATA_FOLDER: '/data' }, '0')).toEqual(['/etc/sealcam/camera.toml /data']);
    expect(started(['run'], { SEALCAM_CONFIG: '/mine.toml' }, '0')).toEqual(['/mine.toml none']);
  });
});

describe('the health check of a container', () => {
  function isHealthy(...lines: readonly object[]): boolean {
    const folder = tempFolder();
    const running = { check: 'queue', ok: true, detail: 'in use by a running agent' };
    put(folder, 'report', [running, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
    standIn(folder, 'sealcam', `cat '${folder}/report'`);
    return run(folder, 'bin/healthy', []).status === 0;
  }

  it('is not about a cloud that is away, for records or for clips', () => {
    expect(isHealthy({ check: 'broker', ok: false }, { check: 'clip server', ok: false })).toBe(true);
    expect(isHealthy({ check: 'camera', ok: false })).toBe(false);
    expect(isHealthy({ check: 'video', ok: false })).toBe(false);
  });
});
