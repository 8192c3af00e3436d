import type { CancelTimer, Clock } from '../../../common/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that moves only when a test moves it. */
export class VirtualClock implements Clock {
  private nowMs: number;
  private order = 0;
  private readonly timers = new Set<Timer>();
  /** Wall time at monotonic 0. */
  wallStartMs = Date.UTC(2026, 10, 21, 12);

  constructor(nowMs = 1000) {
    this.nowMs = nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.wallStartMs + this.nowMs;
  }

  after = (delayMs: number, callback: () => void): CancelTimer => {
    const timer = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.order++, callback };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  };

  /** Runs every timer that is due within `ms`, in order. */
  advance(ms: number): void {
    const end = this.nowMs + ms;
    for (;;) {
      const next = [...this.timers]
        .filter(({ dueMs }) => dueMs <= end)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.callback();
    }
    this.nowMs = end;
  }

  /** Advances in steps, and lets promises settle between them. */
  async run(ms: number, stepMs = 10): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.advance(Math.min(stepMs, ms - passed));
      for (let i = 0; i < 10; i++) await Promise.resolve();
    }
  }

  get pending(): number {
    return this.timers.size;
  }
}
