import { isAborted } from '../../common/abort.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
import { Child, runTool } from './child.js';
import { getCommand, gpiodVersion, monitorCommand, parseEdge, type GpioEdge, type GpioLine } from './gpio-tools.js';

export interface GpioMonitorOptions {
  readonly line: GpioLine;
  /** An edge counts when the line then stayed as it is for this long. */
  readonly debounceMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Every change that lasts. `wasSeen` is false for a level that was found at a start: nobody knows since when it is so. */
  readonly onLevel: (edge: GpioEdge, wasSeen: boolean) => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** One that ran this long had started well. */
const STEADY_MS = 10_000;
/** No line of gpiomon is longer; a tool that prints otherwise fills no memory. */
const LINE_MAX_BYTES = 256;

/** Watches one line with gpiomon for as long as somebody wants to know, and starts it again when it dies. */
export class GpioMonitor {
  private readonly options: GpioMonitorOptions;
  private stopping: AbortController | null = null;
  private stable: boolean | null = null;
  /** The first edge of those that are not settled yet. */
  private pending: GpioEdge | null = null;
  private cancelSettle: CancelTimer = () => undefined;

  constructor(options: GpioMonitorOptions) {
    this.options = options;
  }

  start(): void {
    if (this.stopping !== null) return;
    this.stopping = new AbortController();
    void this.runUntilAborted(this.stopping.signal);
  }

  stop(): void {
    this.stopping?.abort();
    this.stopping = null;
    this.cancelSettle();
    this.pending = null;
    this.stable = null;
  }

  private async runUntilAborted(signal: AbortSignal): Promise<void> {
    const { clock, log, line } = this.options;
    const options = { clock, signal, firstDelayMs: RETRY_FIRST_MS, maxDelayMs: RETRY_MAX_MS };
    await retrying(options, async (resetDelay) => {
      const startedMs = clock.monotonicMs();
      try {
        const said = await this.monitorOnce(signal);
        if (!isAborted(signal)) log.warn({ code: 'gpio-unavailable', line: line.line }, `gpiomon ended: ${said}`);
      } catch (error) {
        const { code, message, hint } = asSealcamError(error);
        log.warn({ code, hint, line: line.line }, message);
      }
      if (clock.monotonicMs() - startedMs >= STEADY_MS) resetDelay();
      return null;
    });
  }

  /** Gives what gpiomon complained of when it ended. */
  private async monitorOnce(signal: AbortSignal): Promise<string> {
    const { clock, line } = this.options;
    const version = await gpiodVersion(clock, signal);
    // Before gpiomon holds the line: two programs cannot.
    const { stdout, code } = await runTool(getCommand(line, version), clock, signal);
    if (signal.aborted) return '';
    if (code === 0) this.settled({ active: stdout.trim() === '1', timeMs: 0 }, false, signal);
    const child = new Child(monitorCommand(line, version), clock);
    const stop = (): void => void child.stop();
    signal.addEventListener('abort', stop, { once: true });
    let rest = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-LINE_MAX_BYTES);
      for (const each of lines) {
        const edge = parseEdge(each);
        if (edge !== null) this.moved(edge, signal);
      }
    });
    const { startError } = await child.ended;
    signal.removeEventListener('abort', stop);
    return startError ?? child.complaint();
  }

  /** Contacts bounce: the first edge gives the time, the level when they rest gives the state. */
  private moved(edge: GpioEdge, signal: AbortSignal): void {
    this.cancelSettle();
    const first = this.pending ?? edge;
    this.pending = first;
    this.cancelSettle = this.options.clock.after(this.options.debounceMs, () => {
      this.pending = null;
      this.settled({ active: edge.active, timeMs: first.timeMs }, true, signal);
    });
  }

  private settled(edge: GpioEdge, wasSeen: boolean, signal: AbortSignal): void {
    if (signal.aborted || edge.active === this.stable) return;
    this.stable = edge.active;
    this.options.onLevel(edge, wasSeen);
  }
}
