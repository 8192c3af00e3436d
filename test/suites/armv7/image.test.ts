import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../support/runner/temp.js';
import { repository } from '../../support/vectors.js';
import { volume } from './camera.js';
import { built, imageConfig, inImage } from './support.js';

// With 0.2 for NotifyAccess=all: Node has no Unix datagram sockets, so that a child speaks to systemd's watchdog.
const EXPOSURE_MAX = 1.8;

interface Sbom {
  readonly bomFormat: string;
  readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
}

describe('the image', () => {
  it('runs armv7 programs as a user that is not root and can write only to its volume', async () => {
    const folder = tempFolder();
    const data = volume(folder, 'volume');
    expect(imageConfig.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    const probe = `
      const { writeFileSync } = require('node:fs');
      const refused = (path) => { try { writeFileSync(path, 'x'); return 'written'; } catch (error) { return error.code; } };
      console.log(JSON.stringify({ arch: process.arch, arm: process.config.variables.arm_version, uid: process.getuid(),
        groups: process.getgroups(), root: refused('/x'), program: refused('/usr/lib/sealcam/x'), etc: refused('/etc/x'),
        volume: refused('x'), endian: require('node:os').endianness() }));`;
    const { stdout, stderr } = await inImage(['/usr/bin/node', '-e', probe], { data });
    expect(stderr).toBe('');
    const answer = JSON.parse(stdout.toString()) as Record<string, unknown>;
    const uid = Number(imageConfig.User.split(':')[0]);
    expect(answer).toEqual({
      arch: 'arm',
      arm: '7',
      uid,
      groups: [uid],
      endian: 'LE',
      root: 'EROFS',
      program: 'EROFS',
      etc: 'EROFS',
      volume: 'written',
    });
  });

  it('writes every golden vector exactly as the repository has it', async () => {
    const folder = tempFolder();
    const work = volume(folder, 'work');
    mkdirSync(join(work, 'out'), { mode: 0o777 });
    spawnSync('chown', ['-R', imageConfig.User, work]);
    spawnSync('cp', [built.vectorWriter, join(work, 'make-vectors.mjs')]);
    const command = ['/usr/bin/node', '/tmp/share/make-vectors.mjs', '/tmp/share/out'];
    const { status, stderr } = await inImage(command, { data: volume(folder, 'volume'), work }, 120_000);
    expect([status, stderr]).toEqual([0, '']);
    const golden = join(repository, 'test', 'vectors');
    const names = readdirSync(join(work, 'out')).sort();
    expect(names).toEqual(readdirSync(golden).sort());
    for (const name of names) {
      expect(readFileSync(join(work, 'out', name)).equals(readFileSync(join(golden, name))), name).toBe(true);
    }
  });

  it('brings the compiled code of a camera, which V8 takes on the camera with the options of its launcher', async () => {
    const folder = tempFolder();
    const work = volume(folder, 'work');
    const launcher = readFileSync(join(built.rootfs, 'usr', 'bin', 'sealcam'), 'utf8');
    const other = launcher.replace('"$library/sealcam.cjs" "$@"', '-e "$PROBE"');
    expect(other).not.toBe(launcher);
    writeFileSync(join(work, 'probe'), other);
    // Without the checksum at its end.
    const probe = `
      const { readFileSync } = require('node:fs');
      const path = '/usr/lib/sealcam/camera.js';
      // What the program tells V8 before it reads the code.
      const [option] = /--interrupt-budget=[0-9]+/.exec(readFileSync('/usr/lib/sealcam/sealcam.cjs', 'latin1'));
      require('node:v8').setFlagsFromString(option);
      const cachedData = readFileSync(path + '.cache').subarray(0, -4);
      const script = new (require('node:vm').Script)(readFileSync(path, 'latin1'), { filename: path, cachedData });
      console.log(script.cachedDataRejected);`;
    const run = { data: volume(folder, 'volume'), work, environment: { PROBE: probe } };
    const isRejected = async (command: string): Promise<string> => {
      const { stdout, stderr } = await inImage(['/bin/sh', '/tmp/share/probe', command], run);
      expect(stderr).toBe('');
      return stdout.toString().trim();
    };
    expect(await isRejected('run')).toBe('false');
    // Another limit of the heap is another option: so it could be refused.
    expect(await isRejected('doctor')).toBe('true');
  });

  it('names no mirror, holds no key, and has no setuid file', () => {
    const text = ['etc', 'usr/lib/sealcam', 'usr/bin/sealcam', 'var'].map((path) => join(built.rootfs, path));
    // Packages name their documentation and issue trackers; a mirror would be in apt's own files.
    const mirrors = spawnSync('grep', ['-rlIE', '^(deb|URIs:)', join(built.rootfs, 'etc', 'apt')], {
      encoding: 'utf8',
    });
    expect(mirrors.stdout).toBe('');
    const keys = spawnSync('grep', ['-rlI', '-e', '-----BEGIN [A-Z ]*PRIVATE KEY', ...text], { encoding: 'utf8' });
    expect(keys.stdout).toBe('');
    const setuid = spawnSync('find', [built.rootfs, '-perm', '/6000', '-type', 'f'], { encoding: 'utf8' });
    expect(setuid.stdout.split('\n').filter((path) => path !== '')).toEqual([]);
    const secrets = readdirSync(join(built.rootfs, 'var', 'lib', 'sealcam'));
    expect(secrets).toEqual([]);
  });

  it('lists in its SBOM every package that it contains', () => {
    const sbom = JSON.parse(readFileSync(join(built.imageFolder, 'sbom.cdx.json'), 'utf8')) as Sbom;
    expect(sbom.bomFormat).toBe('CycloneDX');
    const npm = sbom.components.filter(({ purl }) => purl.startsWith('pkg:npm/'));
    const names = npm.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['better-sqlite3', 'sharp', '@img/sharp-linux-arm', 'mqtt', 'valibot']),
    );
    // Parts of the cloud and of the build have no place on a camera.
    for (const name of ['fastify', 'aedes', 'preact', 'esbuild', 'prebuild-install']) expect(names).not.toContain(name);
    const library = join(built.rootfs, 'usr', 'lib', 'sealcam', 'node_modules');
    const installed = spawnSync('find', [library, '-name', 'package.json', '-not', '-path', '*/dist/*'], {
      encoding: 'utf8',
    });
    for (const path of installed.stdout.trim().split('\n')) {
      const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string };
      if (name === undefined || version === undefined) continue;
      expect(
        npm.some((part) => part.name === name && part.version === version),
        `${name}@${version}`,
      ).toBe(true);
    }
    const debian = sbom.components.filter(({ purl }) => purl.startsWith('pkg:deb/debian/')).map(({ name }) => name);
    expect(debian).toEqual(expect.arrayContaining(['nodejs', 'libc6', 'libcamera0.4', 'libssl3t64']));
  });
});

describe('the Debian package', () => {
  it('holds the same program and the units, all owned by root', () => {
    const { stdout } = spawnSync('dpkg-deb', ['-c', built.deb], { encoding: 'utf8' });
    const paths = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)[5] ?? '');
    for (const path of [
      './usr/lib/sealcam/camera.js',
      './usr/lib/sealcam/wrap.mjs',
      './usr/bin/sealcam',
      './usr/share/doc/sealcam/sbom.cdx.json',
    ]) {
      expect(paths).toContain(path);
    }
    expect(paths.filter((path) => path.endsWith('.service')).sort()).toEqual([
      './usr/lib/systemd/system/sealcam.service',
      './usr/lib/systemd/system/sealcam@.service',
    ]);
    expect(stdout.split('\n').filter((line) => line !== '' && !line.includes(' root/root '))).toEqual([]);
    const inPackage = spawnSync(
      'sh',
      ['-c', `dpkg-deb --fsys-tarfile "$0" | tar -xO ./usr/lib/sealcam/camera.js`, built.deb],
      { maxBuffer: 64 * 1024 ** 2 },
    ).stdout;
    const inImageToo = readFileSync(join(built.rootfs, 'usr', 'lib', 'sealcam', 'camera.js'));
    expect(inPackage.equals(inImageToo)).toBe(true);
    expect(lstatSync(built.deb).size).toBeLessThan(12 * 1024 ** 2);
  });

  it.each(built.units)('has a unit $name that systemd accepts without complaints, exposure $exposure', (unit) => {
    expect(unit.complaints).toBe('');
    // Of 10. What remains: the network, the cameras' devices, and a just-in-time compiler.
    expect(Number(unit.exposure)).toBeLessThanOrEqual(EXPOSURE_MAX);
  });

  it('declares its architecture and the Node that it needs', () => {
    const { stdout } = spawnSync('dpkg-deb', ['-f', built.deb], { encoding: 'utf8' });
    expect(stdout).toMatch(/^Architecture: armhf$/m);
    expect(stdout).toMatch(/^Depends: .*libnode115/m);
  });
});
