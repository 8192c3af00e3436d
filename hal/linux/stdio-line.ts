import type { Readable, Writable } from 'node:stream';
import { Listeners } from '../listeners.js';
import type { SerialLine, Unsubscribe } from '../peripherals.js';

/** The terminal in which the program runs, as a line. Closing it leaves the streams open, which belong to the process. */
export class StdioLine implements SerialLine {
  readonly name = 'stdio';
  private readonly input: Readable;
  private readonly output: Writable;
  private readonly data = new Listeners<[Uint8Array]>();
  private readonly closed = new Listeners<[]>();
  private isClosed = false;

  constructor(input: Readable, output: Writable) {
    this.input = input;
    this.output = output;
    input.on('data', this.onChunk);
    input.once('close', this.end);
    input.once('end', this.end);
    // A closed terminal breaks the pipe, and the input ends with it.
    output.on('error', this.end);
  }

  onData(listener: (data: Uint8Array) => void): Unsubscribe {
    return this.data.add(listener);
  }

  onClose(listener: () => void): Unsubscribe {
    return this.closed.add(listener);
  }

  write(data: Uint8Array): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.output.write(Buffer.from(data), () => {
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.input.pause();
    this.end();
    return Promise.resolve();
  }

  private readonly onChunk = (chunk: Uint8Array | string): void => {
    this.data.call(new Uint8Array(Buffer.from(chunk as Uint8Array)));
  };

  private readonly end = (): void => {
    if (this.isClosed) return;
    this.isClosed = true;
    this.input.off('data', this.onChunk);
    this.closed.call();
  };
}
