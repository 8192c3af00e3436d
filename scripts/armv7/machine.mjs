import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, printProgress } from '../tasks/process.mjs';

/** Debian packages that building and testing the armv7 image needs. */
const PACKAGES = [
  'qemu-user-static',
  'binfmt-support',
  'mmdebstrap',
  'arch-test',
  'debian-archive-keyring',
  'g++-arm-linux-gnueabihf',
  'libc6-dev-armhf-cross',
  'make',
  'python3',
  'buildah',
  'dpkg-dev',
  'systemd',
  'util-linux',
  'mosquitto',
];

/** The emulated processor: no 64 bits, no crypto instructions. */
export const CPU = 'cortex-a7';

/** Something outside this project is missing; the message is the remedy. */
export class Obstacle extends Error {}

/**
 * Runs a command that must succeed. Resolves with {output, seconds}.
 *
 * @throws Obstacle with its output where it fails
 */
export async function must(command, args, options = {}) {
  const { status, output, seconds } = await run(command, args, { capture: true, ...options });
  if (status !== 0) {
    // Without host names: a mirror or a registry may be private.
    const shown = output.replaceAll(/https?:\/\/[^\s/]+/g, '(host)');
    throw new Obstacle(`${command} ${args.slice(0, 2).join(' ')} … ended with ${status}:\n${shown}`);
  }
  return { output, seconds };
}

/** Installs missing packages and registers the emulator for armv7 programs. */
export async function prepareMachine() {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version') || process.getuid() !== 0) {
    throw new Obstacle('This needs root on Debian (12 or newer). In a container it must be a privileged one.');
  }
  if (process.versions.modules !== '115') {
    throw new Obstacle(`The image has Node 20 (ABI 115), this is Node ${process.versions.node}: run it with Node 20.`);
  }
  await installPackages(PACKAGES);
  await enableEmulator();
}

/** Installs those Debian packages that are missing. */
export async function installPackages(names) {
  const { output } = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names], {
    capture: true,
  });
  const missing = names.filter((name) => !output.includes(`${name} installed`));
  if (missing.length === 0) return;
  printProgress(`Installing ${missing.join(' ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-qq'];
  await must('apt-get', [...options, 'update'], { env });
  await must('apt-get', [...options, 'install', '-y', '--no-install-recommends', ...missing], { env });
}

async function enableEmulator() {
  const folder = '/proc/sys/fs/binfmt_misc';
  if (!existsSync(join(folder, 'register'))) await must('mount', ['-t', 'binfmt_misc', 'binfmt_misc', folder]);
  if (existsSync(join(folder, 'qemu-arm'))) return;
  await must('update-binfmts', ['--enable', 'qemu-arm']);
}

/** Returns the mirror of this machine's own apt sources. Never log it: it may be private. */
export function debianMirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...readdirSync(folder).map((name) => join(folder, name))];
  const text = files
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const found =
    /^URIs:\s*(\S+\/debian\/?)(?:\s|$)/m.exec(text) ?? /^deb\s+(?:\[[^\]]*\]\s+)?(\S+\/debian\/?)\s/m.exec(text);
  if (found === null) throw new Obstacle('No Debian mirror in /etc/apt/sources.list or sources.list.d; add one.');
  return found[1];
}

/** Makes a folder with its parents, and returns its path. */
export function ensureFolder(path) {
  mkdirSync(path, { recursive: true });
  return path;
}
