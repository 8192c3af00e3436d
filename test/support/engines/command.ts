import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { limitMs } from '../runner/speed.js';
import { repository } from '../vectors.js';

const RUN_MS = 60_000;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout that are JSON objects. */
  readonly json: readonly Record<string, unknown>[];
}

/** Returns the environment without a developer's own settings. */
function clean(environment: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !/^(SEALCAM_|SEALCLOUD_)/.test(name));
  return { ...Object.fromEntries(own), ...environment };
}

function script(program: 'sealcam' | 'sealcam-cloud'): string {
  return join(repository, 'dist', program === 'sealcam' ? 'agent' : 'cloud', 'cli', 'cli.js');
}

/**
 * Runs the compiled command to its end, under plain node as on a camera. It blocks this process.
 *
 * @throws where a signal or its limit ended it
 */
export function run(
  program: 'sealcam' | 'sealcam-cloud',
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Ran {
  const timeout = limitMs(RUN_MS);
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script(program), ...args], {
    env: clean(environment),
    encoding: 'utf8',
    timeout,
  });
  // Cut stdout would be read as a wrong answer.
  if (signal !== null) {
    throw new Error(`${program} ${args.join(' ')} ended by ${signal}; its limit was ${String(timeout)} ms\n${stderr}`);
  }
  const json = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, stdout, stderr, json };
}

export interface Running {
  readonly lines: Record<string, unknown>[];
  signal(name: NodeJS.Signals): void;
  /** Closes the reading ends of its stdout and stderr: what it writes from now on breaks the pipe. */
  closeOutput(): void;
  /** Resolves with the exit status. */
  readonly ended: Promise<number | null>;
}

/** Starts the compiled command, and collects its log. */
export function start(
  program: 'sealcam' | 'sealcam-cloud',
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(process.execPath, [script(program), ...args], { env: clean(environment) });
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(
      ...parts.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>),
    );
  });
  child.stderr.on('data', (chunk: Buffer) => lines.push({ stderr: chunk.toString() }));
  return {
    lines,
    signal: (name) => child.kill(name),
    closeOutput: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}
