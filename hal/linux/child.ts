import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { atMost, sleep, type Clock } from '../../common/clock.js';
import { systemCode } from '../../common/errors.js';

/** A program and its arguments: never a line for a shell. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `ENOENT`, `EACCES`, … where it could not be started at all. */
  readonly startError: string | null;
}

const STDERR_MAX_BYTES = 16 * 1024;
const TERM_GRACE_MS = 700;
const KILL_GRACE_MS = 2000;

/** A process of ours, in a group of its own so that whatever it starts ends with it. */
export class Child {
  readonly stdout: Readable;
  readonly ended: Promise<ChildEnd>;
  private readonly process: ChildProcessByStdio<null, Readable, Readable>;
  private readonly clock: Clock;
  private errorText = '';
  private isOver = false;

  constructor(command: Command, clock: Clock) {
    this.clock = clock;
    this.process = spawn(command.program, command.args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.stdout = this.process.stdout;
    this.process.stderr.setEncoding('utf8');
    this.process.stderr.on('data', (text: string) => {
      this.errorText = (this.errorText + text).slice(-STDERR_MAX_BYTES);
    });
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error) => {
        // A child that runs reports other errors here too (a failed kill); only a start that failed ends it.
        if (this.process.pid !== undefined) return;
        this.isOver = true;
        resolve({ code: null, signal: null, startError: systemCode(error) ?? error.message });
      });
      // What the leader leaves behind may hold the device and keeps our pipe open, so that `close` would never come.
      this.process.once('exit', () => {
        this.killGroup('SIGKILL');
      });
      this.process.once('close', (code, signal) => {
        this.isOver = true;
        resolve({ code, signal, startError: null });
      });
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** The last lines of what it complained of, on one line. */
  complaint(lines = 3): string {
    const said = this.errorText.split(/[\r\n]+/).map((line) => line.trim());
    return said
      .filter((line) => line !== '')
      .slice(-lines)
      .join('; ');
  }

  /** Everything it complained of, as far as it was kept. */
  get stderr(): string {
    return this.errorText;
  }

  /** Asks it to end, then makes it; resolves when it is gone, or after a bounded wait. */
  async stop(): Promise<void> {
    if (this.isOver) return;
    this.killGroup('SIGTERM');
    if (await atMost(this.clock, TERM_GRACE_MS, this.ended)) return;
    this.killGroup('SIGKILL');
    // A pipe that nobody reads any more would keep `close` from coming.
    this.process.stdout.destroy();
    this.process.stderr.destroy();
    await atMost(this.clock, KILL_GRACE_MS, this.ended);
  }

  private killGroup(signal: NodeJS.Signals): void {
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: everything in the group is gone already.
    }
  }
}

export interface ToolRun {
  /** False where there is no such program. */
  readonly found: boolean;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const TOOL_TIMEOUT_MS = 10_000;
const TOOL_OUTPUT_MAX_BYTES = 256 * 1024;

/** Runs a program to its end, within limits of time and output; never throws. */
export async function runTool(
  command: Command,
  clock: Clock,
  signal: AbortSignal,
  timeoutMs = TOOL_TIMEOUT_MS,
): Promise<ToolRun> {
  const child = new Child(command, clock);
  const limit = new AbortController();
  const abort = (): void => {
    limit.abort();
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  let stdout = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    if (stdout.length < TOOL_OUTPUT_MAX_BYTES) stdout += text;
  });
  const late = sleep(clock, timeoutMs, limit.signal).then(() => 'late' as const);
  const end = await Promise.race([child.ended, late]);
  signal.removeEventListener('abort', abort);
  abort();
  if (end === 'late') await child.stop();
  const { code, startError } = end === 'late' ? { code: null, startError: null } : end;
  return { found: startError === null, code, stdout, stderr: child.stderr, timedOut: end === 'late' };
}
