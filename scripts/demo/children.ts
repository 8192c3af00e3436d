import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface LogLine {
  readonly part?: string;
  readonly msg?: string;
  readonly level?: string;
  readonly [field: string]: unknown;
}

const STOP_PATIENCE_MS = 5000;

/** A process of the demo: its JSON log goes to a file, and line by line to whoever listens. */
export class Child {
  readonly name: string;
  private readonly process: ChildProcess;
  private readonly closed: Promise<number | null>;

  constructor(
    name: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    logFolder: string,
    onLine: (line: LogLine) => void,
  ) {
    this.name = name;
    mkdirSync(logFolder, { recursive: true });
    const file = createWriteStream(join(logFolder, `${name}.log`));
    this.process = spawn(process.execPath, [...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.process;
    stderr?.pipe(file, { end: false });
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (text) => {
        file.write(`${text}\n`);
        const line = parse(text);
        if (line !== undefined) onLine(line);
      });
    }
    this.closed = new Promise((resolve) => {
      this.process.once('close', (code) => {
        file.end();
        resolve(code);
      });
    });
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_PATIENCE_MS);
    await this.closed;
    clearTimeout(timer);
  }
}

function parse(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
