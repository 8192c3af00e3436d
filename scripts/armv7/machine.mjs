import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, say } from '../tasks/process.mjs';

/** What building and trying the armv7 image takes, by Debian's names. */
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

/** A cold start is compared with this processor: no 64 bits, no crypto instructions. */
export const CPU = 'cortex-a7';

/** A reason to end, with what to do about it. */
export class Obstacle extends Error {}

/** Runs a command that must succeed; its output is shown only where it does not. */
export async function must(command, args, options = {}) {
  const { status, output, seconds } = await run(command, args, { capture: true, ...options });
  if (status !== 0) {
    // Without the hosts: a mirror or a registry may be a private one.
    const told = output.replaceAll(/https?:\/\/[^\s/]+/g, '(host)');
    throw new Obstacle(`${command} ${args.slice(0, 2).join(' ')} … ended with ${status}:\n${told}`);
  }
  return { output, seconds };
}

/** Installs what is missing, and lets the kernel run armv7 programs. */
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

export async function installPackages(names) {
  const { output } = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names], {
    capture: true,
  });
  const missing = names.filter((name) => !output.includes(`${name} installed`));
  if (missing.length === 0) return;
  say(`Installing ${missing.join(' ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const patient = ['-o', 'DPkg::Lock::Timeout=300', '-qq'];
  await must('apt-get', [...patient, 'update'], { env });
  await must('apt-get', [...patient, 'install', '-y', '--no-install-recommends', ...missing], { env });
}

async function enableEmulator() {
  const folder = '/proc/sys/fs/binfmt_misc';
  if (!existsSync(join(folder, 'register'))) await must('mount', ['-t', 'binfmt_misc', 'binfmt_misc', folder]);
  if (existsSync(join(folder, 'qemu-arm'))) return;
  await must('update-binfmts', ['--enable', 'qemu-arm']);
}

/**
 * The mirror that this machine takes its own packages from; a project that names one would tie everybody to it.
 * Never logged: it may be a private one.
 */
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

export function ensureFolder(path) {
  mkdirSync(path, { recursive: true });
  return path;
}
