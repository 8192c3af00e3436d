import { atMost, type CancelTimer, type Clock } from '../../common/clock.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Indicator, IndicatorState } from '../peripherals.js';
import { Child } from './child.js';
import { gpiodVersion, setCommand, type GpioLine, type GpiodVersion } from './gpio-tools.js';

/** How long the LED is on and off, in turn; a single entry is permanent. */
const PATTERNS: Readonly<Record<IndicatorState, readonly (readonly [isOn: boolean, ms: number])[]>> = {
  off: [[false, 0]],
  privacy: [[false, 0]],
  recording: [[true, 0]],
  'claim-window': [
    [true, 500],
    [false, 500],
  ],
  fault: [
    [true, 150],
    [false, 850],
  ],
  looking: [
    [true, 800],
    [false, 200],
  ],
};
const RETRY_MS = 10_000;
const CLOSE_WAIT_MAX_MS = 2000;
/** The program that holds the line switches it a moment after its start, or ends. */
const SWITCH_MS = 250;

/** One LED: on while the camera records, blinking for a claim window, flashing for a fault, on with short breaks while somebody looks, off otherwise. */
export class GpioIndicator implements Indicator {
  readonly isPresent = true;
  private readonly line: GpioLine;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly stopped = new AbortController();
  private version: GpiodVersion | null = null;
  private shown: IndicatorState | null = null;
  private holder: Child | null = null;
  private cancelStep: CancelTimer = () => undefined;
  /** Steps run one after the other, because two programs cannot hold the line. */
  private work: Promise<void> = Promise.resolve();

  constructor(options: { readonly line: GpioLine; readonly clock: Clock; readonly log: Log }) {
    this.line = options.line;
    this.clock = options.clock;
    this.log = options.log;
  }

  show(state: IndicatorState): void {
    if (this.stopped.signal.aborted || state === this.shown) return;
    this.shown = state;
    this.showStep(state, 0);
  }

  async isShown(): Promise<boolean> {
    const { shown } = this;
    await this.work;
    const { holder } = this;
    if (holder === null || (await atMost(this.clock, SWITCH_MS, holder.ended))) return false;
    return this.shown === shown;
  }

  async close(): Promise<void> {
    this.shown = null;
    this.cancelStep();
    await atMost(this.clock, CLOSE_WAIT_MAX_MS, this.work);
    this.stopped.abort();
    await this.holder?.stop();
  }

  private showStep(state: IndicatorState, number: number): void {
    this.cancelStep();
    const pattern = PATTERNS[state];
    const [isOn, ms] = pattern[number % pattern.length] ?? [false, 0];
    this.work = this.work.then(() => (this.shown === state ? this.setLine(isOn, state) : undefined));
    if (ms > 0) {
      this.cancelStep = this.clock.after(ms, () => {
        this.showStep(state, number + 1);
      });
    }
  }

  private async setLine(isOn: boolean, state: IndicatorState): Promise<void> {
    const { clock, line, log } = this;
    try {
      this.version ??= await gpiodVersion(clock, this.stopped.signal);
      const before = this.holder;
      this.holder = null;
      await before?.stop();
      const holder = new Child(setCommand(line, this.version, isOn), clock);
      this.holder = holder;
      void holder.ended.then(({ startError }) => {
        if (holder !== this.holder || this.shown !== state) return;
        log.warn({ code: 'gpio-unavailable', line: line.line }, `gpioset ended: ${startError ?? holder.complaint()}`);
        this.holder = null;
        this.retry(state);
      });
    } catch (error) {
      const { code, message, hint } = asSealcamError(error);
      log.warn({ code, hint, line: line.line }, message);
      this.retry(state);
    }
  }

  private retry(state: IndicatorState): void {
    this.cancelStep();
    this.cancelStep = this.clock.after(RETRY_MS, () => {
      this.showStep(state, 0);
    });
  }
}
