import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPORT_FD } from './recorder.js';
import type { Job } from './worker.js';
import { readLines, type Line } from './world.js';

/** The compiled worker, from source too: a process cannot run TypeScript. */
const here = dirname(fileURLToPath(import.meta.url));
const worker = join(here.includes('/dist/') ? here : here.replace(/\/test\/campaigns\/crash$/, '/dist/test/campaigns/crash'), 'worker.js');

export interface Ran {
  readonly lines: readonly Line[];
  readonly isKilled: boolean;
}

/** Runs one life of a camera; with `killAfterMs` it is killed so long after the first thing that it said. */
export async function runWorker(
  job: Job,
  environment: Readonly<Record<string, string>> = {},
  killAfterMs: number | null = null,
): Promise<Ran> {
  const child = spawn(process.execPath, [worker, JSON.stringify(job)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  const errors: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  child.stdio[REPORT_FD]?.on('data', (chunk: Buffer) => {
    said.push(chunk);
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
  return { lines: readLines(Buffer.concat(said).toString()), isKilled: signal === 'SIGKILL' };
}
