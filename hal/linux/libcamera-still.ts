import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { libcamera } from 'node-libcamera';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { jpegSize } from '../image.js';
import { runTool, type Command, type ToolRun } from './child.js';
import { checkStillOptions, optionArgs, type CheckedOptions, type StillOptions } from './still-options.js';

/**
 * Stills through the package `node-libcamera`, which needs a wall around it:
 * - It joins its options to one line for a shell, so only allow-listed options with checked values reach it, and an output
 *   path that is made here.
 * - It has no time limit, so it runs in a process of its own, whose group is killed when the time is over.
 * - It rejects on much output, so the picture goes through a file.
 * - It knows only the names libcamera-*, so rpicam-still is started directly, with the same checked options.
 */
export interface StillTaker {
  readonly clock: Clock;
  /** Folder in which a private folder for the picture is made. */
  readonly folder: string;
  readonly timeoutMs: number;
}

export const STILL_TIMEOUT_MS = 15_000;
const STILL_MAX_BYTES = 32 * 1024 * 1024;
const INSTALL_HINT = 'Install rpicam-apps (or libcamera-apps on an older system).';

/** The program of the other process. Where NODE_ENV is `test`, the package only prints its command. */
const STILL_RUNNER = `
process.env.NODE_ENV = 'production';
const { libcamera } = require(process.argv[1]);
libcamera.still(JSON.parse(process.argv[2])).catch((error) => {
  process.stderr.write(String(error.message));
  process.exitCode = 1;
});
`;

/** Takes one picture. @throws SealcamError `config-invalid-value`, `camera-unavailable`, `camera-ended`, `frame-corrupt` */
export async function takeStill(taker: StillTaker, options: StillOptions, signal: AbortSignal): Promise<Uint8Array> {
  const { clock, timeoutMs } = taker;
  const folder = await mkdtemp(join(taker.folder, 'sealcam-still-'));
  try {
    const output = join(folder, 'still.jpg');
    const checked = checkStillOptions({ timeout: 500, ...options }, output);
    const run = await runTool(await commandFor(checked, clock, signal), clock, signal, timeoutMs);
    if (run.timedOut) throw new SealcamError('camera-ended', `no still after ${String(timeoutMs)} ms`);
    return await readStill(output, run);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function commandFor(options: CheckedOptions, clock: Clock, signal: AbortSignal): Promise<Command> {
  const has = async (program: string): Promise<boolean> =>
    (await runTool({ program, args: ['--version'] }, clock, signal)).found;
  if (await has('libcamera-still')) return packageCommand(options);
  if (await has('rpicam-still')) return { program: 'rpicam-still', args: optionArgs(options) };
  throw new SealcamError('camera-unavailable', 'neither libcamera-still nor rpicam-still is installed', {
    hint: INSTALL_HINT,
  });
}

/** Numbers are passed as text; the package writes both the same way. */
type PackageOptions = Parameters<typeof libcamera.still>[0];

function packageCommand(options: CheckedOptions): Command {
  const path = createRequire(import.meta.url).resolve('node-libcamera');
  const known: readonly (keyof PackageOptions)[] = Object.keys(options) as (keyof PackageOptions)[];
  const ordered = Object.fromEntries(known.map((name) => [name, options[name]]));
  return { program: process.execPath, args: ['-e', STILL_RUNNER, '--', path, JSON.stringify(ordered)] };
}

async function readStill(path: string, { code, stderr }: ToolRun): Promise<Uint8Array> {
  const size = (await stat(path).catch(() => null))?.size ?? 0;
  if (size === 0 || size > STILL_MAX_BYTES) {
    const complaint = stderr.trim().split('\n').at(-1) ?? '';
    const result = `status ${String(code)}, ${String(size)} bytes`;
    throw new SealcamError('camera-ended', `no usable still (${result}): ${complaint}`);
  }
  const jpeg = new Uint8Array(await readFile(path));
  jpegSize(jpeg);
  return jpeg;
}
