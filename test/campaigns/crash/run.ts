import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPORT_FD } from './recorder.js';
import type { CloudJob } from './cloud-worker.js';
import type { Job } from './worker.js';
import { readLines, type Line } from './world.js';

/** The compiled workers, also where this file runs from source: Node cannot run TypeScript. */
const here = dirname(fileURLToPath(import.meta.url));
const compiled = here.includes('/dist/')
  ? here
  : here.replace(/\/test\/campaigns\/crash$/, '/dist/test/campaigns/crash');

/** Time after the first report, or number of reports: what the life does next is cut off somewhere. */
export type KillAt = { readonly ms: number } | { readonly reports: number };

export interface Ran {
  readonly lines: readonly Line[];
  readonly isKilled: boolean;
}

/**
 * Runs one life of a camera, or of a cloud. With `killAt` it is killed then, once `beforeKill` is done. @throws Error where it fails
 * otherwise
 */
export async function runWorker(
  job: Job | CloudJob,
  environment: Readonly<Record<string, string>> = {},
  killAt: KillAt | null = null,
  beforeKill: () => Promise<void> = () => Promise.resolve(),
): Promise<Ran> {
  const worker = join(compiled, 'store' in job ? 'cloud-worker.js' : 'worker.js');
  const child = spawn(process.execPath, [worker, JSON.stringify(job)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const reports: Buffer[] = [];
  const errors: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const cut = { isMade: false };
  let reported = 0;
  const kill = (): void => {
    cut.isMade = true;
    void beforeKill().then(() => child.kill('SIGKILL'));
  };
  child.stdio[REPORT_FD]?.on('data', (chunk: Buffer) => {
    reports.push(chunk);
    if (killAt === null || cut.isMade) return;
    if ('ms' in killAt) timer ??= setTimeout(kill, killAt.ms);
    else if ((reported += chunk.toString().split('\n').length - 1) >= killAt.reports) kill();
  });
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ended) => {
      resolve(ended);
    });
  });
  clearTimeout(timer);
  const isKilled = signal === 'SIGKILL' || (cut.isMade && code !== 0);
  if (code !== 0 && !isKilled) {
    throw new Error(`the worker ended with ${String(code ?? signal)}: ${Buffer.concat(errors).toString()}`);
  }
  return { lines: readLines(Buffer.concat(reports).toString()), isKilled };
}
