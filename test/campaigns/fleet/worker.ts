import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../../cloud/cli/cli.js', import.meta.url));

/** `sealcam-cloud serve` as a process of its own, which can be killed as a power cut does it. */
export class Worker {
  readonly name: string;
  /** Lines of its log that say that something is wrong, for whoever reads a failure. */
  readonly complaints: string[] = [];
  private readonly environment: Readonly<Record<string, string>>;
  private child: ChildProcess | null = null;

  constructor(name: string, environment: Readonly<Record<string, string>>) {
    this.name = name;
    this.environment = environment;
  }

  /** Resolves once it takes records. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [COMMAND, 'serve'], {
      env: { PATH: process.env['PATH'], ...this.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('close', (code) => {
        reject(new Error(`${this.name} ended with ${String(code)}: ${this.complaints.join('; ')}`));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { level, msg } = JSON.parse(line) as { level?: number | string; msg?: string };
        if (msg === 'receiving records') resolve();
        if (level === 50 || level === 'error') this.complaints.push(msg ?? '');
      });
    });
  }

  /** The most memory it ever had; null where the system does not say. */
  peakMib(): number | null {
    try {
      const status = readFileSync(`/proc/${String(this.child?.pid)}/status`, 'utf8');
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      return kib === undefined ? null : Math.round(Number(kib) / 1024);
    } catch {
      return null;
    }
  }

  /** `kill` leaves it no time for anything. */
  async stop(how?: 'kill'): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    await closed;
  }
}
