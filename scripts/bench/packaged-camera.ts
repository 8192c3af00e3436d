import { spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleAgent } from '../bundle.js';
import { checkout } from '../checkout.js';

export const ARMED_TIMEOUT_MS = 120_000;

/**
 * Puts launcher and bundle together as the package does, adds options of Node, and leaves the compiled code as an installation
 * does. Returns the path of the command.
 */
export async function installProgram(folder: string, nodeOptions: string): Promise<string> {
  const library = join(folder, 'lib', 'sealcam');
  mkdirSync(library, { recursive: true });
  mkdirSync(join(folder, 'bin'));
  await bundleAgent(library);
  symlinkSync(join(checkout, 'node_modules'), join(library, 'node_modules'));
  const program = join(folder, 'bin', 'sealcam');
  const launcher = readFileSync(join(checkout, 'packaging', 'bin', 'sealcam'), 'utf8');
  writeFileSync(program, launcher.replace(/ "\$library\/sealcam.cjs" "\$@"$/m, ` ${nodeOptions}$&`), { mode: 0o755 });
  const { status, stderr } = spawnSync(program, ['run', '--write-code-cache'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the packaged program does not start: ${stderr}`);
  return program;
}

/** Returns the environment of a camera that replays two frames a second to a broker on this machine. */
export function cameraSettings(data: string, frames: string, port: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    SEALCAM_DATA_FOLDER: data,
    SEALCAM_LOG_LEVEL: 'debug',
    SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(port)}`,
    SEALCAM_UPLINK_INITIAL_WINDOW: '1 s',
    SEALCAM_CAMERA_DRIVER: 'replay',
    SEALCAM_REPLAY_PATH: frames,
    SEALCAM_CAMERA_FRAMES_PER_SECOND: '2',
  };
}

/** Resolves with the first line of a process's output for which `isIt`; rejects where the process ends without one. */
export function lineOf(child: ChildProcess, isIt: (line: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const { stdout } = child;
    if (stdout === null) throw new Error('a process without output');
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      if (isIt(line)) resolve(line);
    });
    lines.once('close', () => {
      reject(new Error(`${child.spawnfile} ended too early`));
    });
  });
}

export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the camera was not armed in time'));
    }, ms);
  });
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}
