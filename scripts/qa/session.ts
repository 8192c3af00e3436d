import { realClock } from '../../common/adapters/real-clock.js';
import { sleep } from '../../common/clock.js';
import type { SerialLine } from '../../hal/peripherals.js';

export type Answer = Readonly<Record<string, unknown>>;

/** A camera that answers with less than this many bytes a second is not answering. */
const POLL_MS = 20;

/** Talks to a console on a line, one command after the other, in JSON. */
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

  /** The last JSON object that a command prints. @throws Error where none comes in time */
  async ask(command: string, limitMs: number): Promise<Answer> {
    this.received = '';
    // What somebody left half typed is taken away first.
    await this.line.write(Buffer.from(`\x15${command} --json\r`));
    const endMs = realClock.monotonicMs() + limitMs;
    while (!/\r\n.*sealcam( \(locked\))?> $/s.test(this.received) || this.objects().length === 0) {
      if (this.isClosed) throw new Error('the line was closed');
      if (realClock.monotonicMs() > endMs)
        throw new Error(`no answer to ${command.slice(0, 40)} within ${String(limitMs / 1000)} s`);
      await sleep(realClock, POLL_MS);
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
