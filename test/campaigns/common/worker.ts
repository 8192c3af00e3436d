import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endProcess } from '../../../scripts/end-process.js';

const COMMAND: readonly string[] = [fileURLToPath(new URL('../../../cloud/cli/cli.js', import.meta.url)), 'serve'];

/** Ticks of /proc a second; 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/** `sealcam-cloud serve` as a process of its own, which can be killed and started again. */
export class Worker {
  readonly name: string;
  /** Messages that it logged as errors. */
  readonly errors: string[] = [];
  private readonly environment: Readonly<Record<string, string>>;
  private readonly command: readonly string[];
  private child: ChildProcess | null = null;

  /** @param command arguments of Node; a program that takes the same environment and logs the same lines */
  constructor(name: string, environment: Readonly<Record<string, string>>, command = COMMAND) {
    this.name = name;
    this.environment = environment;
    this.command = command;
  }

  /** Starts it. Resolves once it takes records. @throws Error with its log where it ends first */
  async start(): Promise<void> {
    const child = spawn(process.execPath, this.command, {
      env: { PATH: process.env['PATH'], ...this.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('close', (code) => {
        reject(new Error(`${this.name} ended with ${String(code)}: ${this.errors.join('; ')}`));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { level, msg } = JSON.parse(line) as { level?: number | string; msg?: string };
        if (msg === 'receiving records') resolve();
        if (level === 50 || level === 'error') this.errors.push(msg ?? '');
      });
    });
  }

  /** Returns its peak resident memory in MiB; null on systems without /proc. */
  peakMib(): number | null {
    try {
      const status = readFileSync(`/proc/${String(this.child?.pid)}/status`, 'utf8');
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      return kib === undefined ? null : Math.round(Number(kib) / 1024);
    } catch {
      return null;
    }
  }

  /** Returns the processor time of all its threads so far, in milliseconds; null on systems without /proc. */
  cpuMs(): number | null {
    try {
      const stat = readFileSync(`/proc/${String(this.child?.pid)}/stat`, 'utf8');
      // After the name in brackets, which may hold anything: utime and stime are the fields 14 and 15.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (1000 * (Number(fields[11]) + Number(fields[12]))) / TICKS_PER_S;
    } catch {
      return null;
    }
  }

  /** Stops it in order, or with `kill` as a power cut would. */
  async stop(how?: 'kill'): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child !== null) await endProcess(child, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
  }
}
