import { spawn, type ChildProcess } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { atMost, sleep, type Clock } from '../../common/clock.js';
import { systemCode } from '../../common/errors.js';

/** A program and its arguments. No shell sees them. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** It writes a second output to the file descriptor {@link SECOND_OUTPUT_FD}. */
  readonly hasSecondOutput?: boolean;
  /** It reads this text from the file descriptor {@link INPUT_FD}: a secret stands in no argument. */
  readonly input?: string;
  /** Removes secrets from what it writes to its standard error. */
  readonly redact?: (text: string) => string;
}

export const SECOND_OUTPUT_FD = 3;
export const INPUT_FD = 4;

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `ENOENT`, `EACCES` and the like where it could not be started; null otherwise. */
  readonly startError: string | null;
}

const STDERR_MAX_BYTES = 16 * 1024;
const TERM_GRACE_MS = 700;
const KILL_GRACE_MS = 2000;

interface Spawned extends ChildProcess {
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** A child process in a process group of its own, so that everything it starts ends with it. */
export class Child {
  readonly stdout: Readable;
  readonly secondOutput: Readable | null = null;
  readonly ended: Promise<ChildEnd>;
  private readonly process: Spawned | null = null;
  private readonly clock: Clock;
  private errorText = '';
  private isOver = false;

  /** Never throws: a start that fails is an end with a `startError`. */
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
    if (command.hasSecondOutput === true) this.secondOutput = started.stdio[SECOND_OUTPUT_FD] as Readable;
    if (command.input !== undefined) writeInput(started.stdio[INPUT_FD] as Writable, command.input);
    const { redact = (text: string) => text } = command;
    started.stderr.setEncoding('utf8');
    started.stderr.on('data', (text: string) => {
      this.errorText = redact(this.errorText + text).slice(-STDERR_MAX_BYTES);
    });
    this.ended = new Promise((resolve) => {
      started.once('error', (error) => {
        // A running child reports other errors here too, such as a failed kill. Only a failed start ends it.
        if (started.pid !== undefined) return;
        this.isOver = true;
        resolve({ code: null, signal: null, startError: systemCode(error) ?? error.message });
      });
      // Processes that the leader leaves behind may hold the device and the pipe, so that `close` would never come.
      started.once('exit', () => {
        this.killGroup('SIGKILL');
      });
      started.once('close', (code, signal) => {
        this.isOver = true;
        resolve({ code, signal, startError: null });
      });
    });
  }

  /** Returns the last lines of its standard error, joined to one line. */
  complaint(lines = 3): string {
    return this.errorText
      .split(/[\r\n]+/)
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .slice(-lines)
      .join('; ');
  }

  /** Its standard error, of which the last 16 KiB are kept. */
  get stderr(): string {
    return this.errorText;
  }

  /** Sends SIGTERM, then SIGKILL. Resolves when the process is gone, or after 2.7 s at most. */
  async stop(): Promise<void> {
    if (this.isOver) return;
    this.killGroup('SIGTERM');
    if (await atMost(this.clock, TERM_GRACE_MS, this.ended)) return;
    this.killGroup('SIGKILL');
    // A pipe that nobody reads would keep `close` from coming.
    this.stdout.destroy();
    this.secondOutput?.destroy();
    this.process?.stderr.destroy();
    await atMost(this.clock, KILL_GRACE_MS, this.ended);
  }

  private killGroup(signal: NodeJS.Signals): void {
    const pid = this.process?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: the whole group is gone already.
    }
  }
}

/** Starts a child. Returns it, or the error code of a start that failed. */
function start({ program, args, hasSecondOutput = false, input }: Command): Spawned | string {
  try {
    const more = [hasSecondOutput, input !== undefined].map((isPiped) => (isPiped ? 'pipe' : 'ignore'));
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', ...more], detached: true }) as Spawned;
    // Without a free file descriptor there are no pipes, although the types promise them. The error event comes later.
    if ((child.stdout as Readable | undefined) !== undefined) return child;
    child.once('error', () => undefined);
    return 'EMFILE';
  } catch (error) {
    // `spawn` itself throws where there is no memory for a child, for example.
    return systemCode(error) ?? 'unknown';
  }
}

function writeInput(pipe: Writable, text: string): void {
  // A program that ends without reading it is reported as such.
  pipe.on('error', () => undefined);
  pipe.end(text);
}

export interface ToolRun {
  /** False where the program is not installed. */
  readonly found: boolean;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const TOOL_TIMEOUT_MS = 10_000;
const TOOL_OUTPUT_MAX_BYTES = 256 * 1024;

/** Runs a program to its end, with limits on time (10 s) and output (256 KiB). Never throws. */
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
