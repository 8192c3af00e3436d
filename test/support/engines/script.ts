import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { crowding, Patience, slowness } from '../runner/speed.js';
import { repository } from '../vectors.js';

const LOOK_EVERY_MS = 200;
/** Runnable processes for each core. */
const CROWDED = 5;
/** Of stderr, in an error. */
const TAIL_LINES = 20;

export interface ScriptRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ScriptOptions {
  /** Time for it on an idle machine; it gets more where this one is slow or shared. */
  readonly limitMs: number;
  /** With lower priority: a computation that must not take the core of tests with real timers. */
  readonly isNice?: boolean;
}

/**
 * Runs a compiled script of `dist/` to its end, without blocking this process.
 *
 * @throws an error with the end of its stderr where it was killed or outlived its limit: its stdout is cut short then
 */
export async function runScript(path: string, args: readonly string[], options: ScriptOptions): Promise<ScriptRun> {
  const { limitMs, isNice = false } = options;
  const node = [process.execPath, join(repository, 'dist', path), ...args];
  // Where others crowd the machine a lower priority would get no core at all.
  const [command = '', ...rest] = isNice && crowding() < CROWDED ? ['nice', '-n', '10', ...node] : node;
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const startMs = performance.now();
  const patience = new Patience(limitMs, startMs);
  const watch = setInterval(() => {
    if (!patience.wait(performance.now(), slowness())) child.kill('SIGKILL');
  }, LOOK_EVERY_MS);
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ended) => {
      resolve(ended);
    });
  }).finally(() => {
    clearInterval(watch);
  });
  const ran = { status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
  if (signal === null) return ran;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const why = patience.isSpent
    ? `outlived its limit of ${String(limitMs / 1000)} s (${seconds} s here)`
    : `ended by ${signal}`;
  throw new Error(`${path} ${args.join(' ')}: ${why}; the end of its stderr:\n${tail(ran.stderr)}`);
}

/** @throws an error with status and the end of stderr where stdout is not one JSON value */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the script's output
export function jsonOf<T>({ status, stdout, stderr }: ScriptRun): T {
  try {
    return JSON.parse(stdout) as T;
  } catch {
    throw new Error(`status ${String(status)}, and stdout is not JSON: ${stdout.slice(0, 200)}\n${tail(stderr)}`);
  }
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
