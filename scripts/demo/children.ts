import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endProcess } from '../end-process.js';

export interface LogLine {
  readonly part?: string;
  readonly msg?: string;
  readonly level?: string;
  readonly [field: string]: unknown;
}

export interface ChildSettings {
  readonly name: string;
  /** A compiled script and its arguments. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Output goes to NAME.log in it. */
  readonly logFolder: string;
  readonly onLine?: (line: LogLine) => void;
}

const STOP_TIMEOUT_MS = 5000;

/** A Node process whose JSON log goes to a file and, line by line, to a listener. */
export class Child {
  readonly logFile: string;
  private readonly process: ChildProcess;

  constructor({ name, args, environment, logFolder, onLine }: ChildSettings) {
    mkdirSync(logFolder, { recursive: true });
    this.logFile = join(logFolder, `${name}.log`);
    const file = createWriteStream(this.logFile);
    this.process = spawn(process.execPath, [...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.process;
    stderr?.pipe(file, { end: false });
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (text) => {
        file.write(`${text}\n`);
        const line = parseLine(text);
        if (line !== undefined) onLine?.(line);
      });
    }
    this.process.once('close', () => {
      file.end();
    });
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Ends it with SIGTERM, and with SIGKILL where it takes longer than 5 s. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await endProcess(this.process, 'SIGTERM');
    clearTimeout(timer);
  }
}

function parseLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
