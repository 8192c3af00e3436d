import { realClock } from '../../../common/adapters/real-clock.js';
import type { CancelTimer, Clock } from '../../../common/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** The real clock, which a test may set forward: what is due by then runs at once. For parts that also wait for sockets. */
export class ForwardClock implements Clock {
  private aheadMs = 0;
  private readonly timers = new Set<Timer>();

  monotonicMs(): number {
    return realClock.monotonicMs() + this.aheadMs;
  }

  wallMs(): number {
    return realClock.wallMs() + this.aheadMs;
  }

  after = (delayMs: number, callback: () => void): CancelTimer => {
    let cancelReal: CancelTimer = () => undefined;
    const cancel = (): void => {
      cancelReal();
      this.timers.delete(timer);
    };
    const timer: Timer = {
      dueMs: this.monotonicMs() + delayMs,
      run: () => {
        cancel();
        callback();
      },
    };
    this.timers.add(timer);
    cancelReal = realClock.after(delayMs, timer.run);
    return cancel;
  };

  forward(ms: number): void {
    this.aheadMs += ms;
    const due = [...this.timers].filter(({ dueMs }) => dueMs <= this.monotonicMs()).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) if (this.timers.has(timer)) timer.run();
  }
}
