import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { limitMs } from '../../support/runner/speed.js';

/** What scripts/test-armv7.mjs has built. */
export interface Built {
  /** The unpacked image. */
  readonly rootfs: string;
  readonly imageFolder: string;
  readonly deb: string;
  /** The package's units, with systemd's complaints (empty without any) and exposure. */
  readonly units: readonly { readonly name: string; readonly complaints: string; readonly exposure: string }[];
  /** Library that stands in for /dev/udmabuf when preloaded. */
  readonly shim: string;
  /** The golden vectors' writer as one file. */
  readonly vectorWriter: string;
  readonly cpu: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly armv7: Built;
  }
}

interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Volumes: Readonly<Record<string, unknown>>;
}

export const built: Built = inject('armv7');

export const imageConfig = JSON.parse(readFileSync(join(built.imageFolder, 'config.json'), 'utf8')) as ImageConfig;

export interface Run {
  /** The host's folder for the image's data volume; it must belong to the image's user. */
  readonly data: string;
  /** Mounted at /tmp/share; without it that folder is empty. */
  readonly work?: string;
  /** Mounted over /usr/share/libcamera/pipeline. */
  readonly pipeline?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Does the part of a container runtime in its own mount namespace, so that no mount outlives it: the image read-only, its
 * volume, a tmpfs, no new privileges, no capabilities, the image's user, environment and working folder.
 */
const ENTER = `set -eu
mount --bind "$ROOTFS" "$ROOTFS"
mount -t proc -o nosuid,nodev,noexec proc "$ROOTFS/proc"
mount --rbind /dev "$ROOTFS/dev"
mount -t tmpfs -o size=256m,mode=1777,nosuid,nodev tmpfs "$ROOTFS/tmp"
mkdir -p "$ROOTFS/tmp/share"
mount --bind "$DATA" "$ROOTFS$VOLUME"
if [ -n "$WORK" ]; then mount --bind "$WORK" "$ROOTFS/tmp/share"; fi
if [ -n "$PIPELINE" ]; then mount --bind "$PIPELINE" "$ROOTFS/usr/share/libcamera/pipeline"; fi
mount -o remount,bind,ro "$ROOTFS"
id=$USER_ID
directory=$WORKING_DIRECTORY
root=$ROOTFS
# The bounding set keeps three that chroot needs; no-new-privs keeps every later program from using them.
exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid --inh-caps=-all \\
  chroot --userspec="$id" --groups="" "$root" /usr/bin/env -i -C "$directory" "$@"
`;

/** Starts a command of the image under the emulator, as on the processor `built.cpu`. */
export function startInImage(
  command: readonly string[],
  { data, work, pipeline, environment = {} }: Run,
): ChildProcess {
  const variables = { HOME: imageConfig.WorkingDir, ...environment, QEMU_CPU: built.cpu };
  const pairs = [...imageConfig.Env, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
  return spawn('unshare', ['--mount', 'sh', '-c', ENTER, 'sh', ...pairs, ...command], {
    env: {
      PATH: process.env['PATH'],
      ROOTFS: built.rootfs,
      DATA: data,
      WORK: work ?? '',
      PIPELINE: pipeline ?? '',
      VOLUME: Object.keys(imageConfig.Volumes)[0],
      USER_ID: imageConfig.User,
      WORKING_DIRECTORY: imageConfig.WorkingDir,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly seconds: number;
}

/**
 * Runs a command of the image to its end.
 *
 * @param wallMs ends it; longer where the machine is slow or shared
 */
export async function inImage(command: readonly string[], run: Run, wallMs = 60_000): Promise<Ended> {
  const startMs = performance.now();
  const child = startInImage(command, run);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs(wallMs));
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return {
    status,
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString(),
    seconds: (performance.now() - startMs) / 1000,
  };
}
