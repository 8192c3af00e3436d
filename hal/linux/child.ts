import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { Readable } from 'node:stream';
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

type Spawned = ChildProcessByStdio<null, Readable, Readable>;

/** A process of ours, in a group of its own so that whatever it starts ends with it. */
export class Child {
  readonly stdout: Readable;
  readonly ended: Promise<ChildEnd>;
  private readonly process: Spawned | null = null;
  private readonly clock: Clock;
  private errorText = '';
  private isOver = false;

  /** Never throws: a start that fails, for whatever reason, is an end. */
  constructor(command: Command, clock: Clock) {
    this.clock = clock;
    const started = start(command);
    if (typeof started === 'string') {
      this.isOver = true;
      this.stdout = Readable.from([]);
      this.ended = Promise.resolve({ code: null, signal: null, startError: started });
      return;
    }
    this.process = started;
    this.stdout = started.stdout;
    started.stderr.setEncoding('utf8');
    started.stderr.on('data', (text: string) => {
      this.errorText = (this.errorText + text).slice(-STDERR_MAX_BYTES);
    });
    this.ended = new Promise((resolve) => {
      started.once('error', (error) => {
        // A child that runs reports other errors here too (a failed kill); only a start that failed ends it.
        if (started.pid !== undefined) return;
        this.isOver = true;
        resolve({ code: null, signal: null, startError: systemCode(error) ?? error.message });
      });
      // What the leader leaves behind may hold the device and keeps our pipe open, so that `close` would never come.
      started.once('exit', () => {
        this.killGroup('SIGKILL');
      });
      started.once('close', (code, signal) => {
        this.isOver = true;
        resolve({ code, signal, startError: null });
      });
    });
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
    this.stdout.destroy();
    this.process?.stderr.destroy();
    await atMost(this.clock, KILL_GRACE_MS, this.ended);
  }

  private killGroup(signal: NodeJS.Signals): void {
    const pid = this.process?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: everything in the group is gone already.
    }
  }
}

/** The child, or the reason why there is none. */
function start({ program, args }: Command): Spawned | string {
  try {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    // Without a free file descriptor there are no pipes, whatever the types say; the error itself comes later.
    if ((child.stdout as Readable | undefined) !== undefined) return child;
    child.once('error', () => undefined);
    return 'EMFILE';
  } catch (error) {
    // Thrown at once where there is no memory for a child, for one.
    return systemCode(error) ?? 'unknown';
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
