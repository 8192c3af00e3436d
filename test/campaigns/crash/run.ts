import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPORT_FD } from './recorder.js';
import type { Job } from './worker.js';
import { readLines, type Line } from './world.js';

/** The compiled worker, also where this file runs from source: Node cannot run TypeScript. */
const here = dirname(fileURLToPath(import.meta.url));
const worker = join(
  here.includes('/dist/') ? here : here.replace(/\/test\/campaigns\/crash$/, '/dist/test/campaigns/crash'),
  'worker.js',
);

export interface Ran {
  readonly lines: readonly Line[];
  readonly isKilled: boolean;
}

/**
 * Runs one life of a camera. With `killAfterMs` it is killed that long after its first report. @throws Error where it
 * fails otherwise
 */
export async function runWorker(
  job: Job,
  environment: Readonly<Record<string, string>> = {},
  killAfterMs: number | null = null,
): Promise<Ran> {
  const child = spawn(process.execPath, [worker, JSON.stringify(job)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const reports: Buffer[] = [];
  const errors: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  child.stdio[REPORT_FD]?.on('data', (chunk: Buffer) => {
    reports.push(chunk);
    if (killAfterMs !== null) timer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  });
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ended) => {
      resolve(ended);
    });
  });
  clearTimeout(timer);
  if (code !== 0 && signal !== 'SIGKILL') {
    throw new Error(`the worker ended with ${String(code ?? signal)}: ${Buffer.concat(errors).toString()}`);
  }
  return { lines: readLines(Buffer.concat(reports).toString()), isKilled: signal === 'SIGKILL' };
}
