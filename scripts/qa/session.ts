import { realClock } from '../../common/adapters/real-clock.js';
import { sleep } from '../../common/clock.js';
import type { SerialLine } from '../../hal/peripherals.js';

export type Answer = Readonly<Record<string, unknown>>;

/** Interval at which a complete answer is looked for. */
const POLL_INTERVAL_MS = 20;

/** Sends commands to a console on a serial line, one at a time, and reads their answers as JSON. */
export class QaSession {
  private readonly line: SerialLine;
  private received = '';
  private isClosed = false;

  constructor(line: SerialLine) {
    this.line = line;
    line.onData((data) => {
      this.received += Buffer.from(data).toString('utf8');
    });
    line.onClose(() => {
      this.isClosed = true;
    });
  }

  /** Runs a command. Returns the last JSON object that it prints. @throws Error without one within `limitMs` */
  async ask(command: string, limitMs: number): Promise<Answer> {
    this.received = '';
    // Ctrl-U deletes a half-typed line first.
    await this.line.write(Buffer.from(`\x15${command} --json\r`));
    const endMs = realClock.monotonicMs() + limitMs;
    while (!/\r\n.*sealcam( \(locked\))?> $/s.test(this.received) || this.objects().length === 0) {
      if (this.isClosed) throw new Error('the line was closed');
      if (realClock.monotonicMs() > endMs)
        throw new Error(`no answer to ${command.slice(0, 40)} within ${String(limitMs / 1000)} s`);
      await sleep(realClock, POLL_INTERVAL_MS);
    }
    return this.objects().at(-1) ?? {};
  }

  private objects(): Answer[] {
    return this.received
      .split(/\r?\n/)
      .filter((text) => text.startsWith('{') && text.endsWith('}'))
      .map((text) => JSON.parse(text) as Answer);
  }
}
