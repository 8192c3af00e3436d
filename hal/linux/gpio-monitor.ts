import { isAborted } from '../../common/abort.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
import { Child, runTool } from './child.js';
import { getCommand, gpiodVersion, monitorCommand, parseEdge, type GpioEdge, type GpioLine } from './gpio-tools.js';

export interface GpioMonitorOptions {
  readonly line: GpioLine;
  /** An edge counts when the line then keeps its level for this long. */
  readonly debounceMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called for every change that lasts. `wasSeen` is false for the level at a start, whose edge was not seen. */
  readonly onLevel: (edge: GpioEdge, wasSeen: boolean) => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** A run that lasted this long resets the back-off. */
const STEADY_MS = 10_000;
/** No line of gpiomon is longer; it bounds the memory that a wrong tool can fill. */
const LINE_MAX_BYTES = 256;

/** Watches one line with gpiomon, and restarts it with a back-off when it ends. */
export class GpioMonitor {
  private readonly options: GpioMonitorOptions;
  private stopping: AbortController | null = null;
  private stable: boolean | null = null;
  /** The first of the edges that bounce at the moment. */
  private pending: GpioEdge | null = null;
  private cancelDebounce: CancelTimer = () => undefined;

  constructor(options: GpioMonitorOptions) {
    this.options = options;
  }

  /** Starts watching; does nothing where it runs already. */
  start(): void {
    if (this.stopping !== null) return;
    this.stopping = new AbortController();
    void this.runUntilAborted(this.stopping.signal);
  }

  /** Ends gpiomon. */
  stop(): void {
    this.stopping?.abort();
    this.stopping = null;
    this.cancelDebounce();
    this.pending = null;
    this.stable = null;
  }

  private async runUntilAborted(signal: AbortSignal): Promise<void> {
    const { clock, log, line } = this.options;
    const options = { clock, signal, firstDelayMs: RETRY_FIRST_MS, maxDelayMs: RETRY_MAX_MS };
    await retrying(options, async (resetDelay) => {
      const startedMs = clock.monotonicMs();
      try {
        const complaint = await this.monitorOnce(signal);
        if (!isAborted(signal)) log.warn({ code: 'gpio-unavailable', line: line.line }, `gpiomon ended: ${complaint}`);
      } catch (error) {
        const { code, message, hint } = asSealcamError(error);
        log.warn({ code, hint, line: line.line }, message);
      }
      if (clock.monotonicMs() - startedMs >= STEADY_MS) resetDelay();
      return null;
    });
  }

  /** Runs gpiomon once, and returns what it complained of when it ended. */
  private async monitorOnce(signal: AbortSignal): Promise<string> {
    const { clock, line } = this.options;
    const version = await gpiodVersion(clock, signal);
    // Read before gpiomon holds the line, because two programs cannot.
    const { stdout, code } = await runTool(getCommand(line, version), clock, signal);
    if (signal.aborted) return '';
    if (code === 0) this.reportLevel({ active: stdout.trim() === '1', timeMs: 0 }, false, signal);
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
        if (edge !== null) this.debounceEdge(edge, signal);
      }
    });
    const { startError } = await child.ended;
    signal.removeEventListener('abort', stop);
    return startError ?? child.complaint();
  }

  /** Debounces: the first edge gives the time, the level once the contacts rest gives the state. */
  private debounceEdge(edge: GpioEdge, signal: AbortSignal): void {
    this.cancelDebounce();
    const first = this.pending ?? edge;
    this.pending = first;
    this.cancelDebounce = this.options.clock.after(this.options.debounceMs, () => {
      this.pending = null;
      this.reportLevel({ active: edge.active, timeMs: first.timeMs }, true, signal);
    });
  }

  private reportLevel(edge: GpioEdge, wasSeen: boolean, signal: AbortSignal): void {
    if (signal.aborted || edge.active === this.stable) return;
    this.stable = edge.active;
    this.options.onLevel(edge, wasSeen);
  }
}
