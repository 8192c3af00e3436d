import { existsSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { isSealcamError } from '../../../common/errors.js';
import { openSerialLine } from '../../../hal/linux/serial-line.js';
import { StdioLine } from '../../../hal/linux/stdio-line.js';
import { MockSerialLine } from '../../../hal/mock/peripherals.js';
import type { SerialLine } from '../../../hal/peripherals.js';
import { ptyPair } from '../../support/engines/pty-pair.js';
import { describeWith } from '../../support/engines/tools.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { until } from '../../support/runner/wait.js';

interface Cable {
  readonly here: SerialLine;
  readonly there: SerialLine;
  /** Ends the line as if the device were unplugged. */
  cut(): Promise<void>;
}

function lineContract(make: () => Promise<Cable>): void {
  const recordOf = (line: SerialLine): { bytes: () => Buffer; stop: () => void } => {
    const chunks: Uint8Array[] = [];
    const stop = line.onData((data) => chunks.push(data));
    return { bytes: () => Buffer.concat(chunks), stop };
  };

  it('carries every byte both ways, in order', async () => {
    const { here, there } = await make();
    expect(here.name).not.toBe('');
    const atHere = recordOf(here);
    const atThere = recordOf(there);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await here.write(all);
    await there.write(Buffer.from('status\r\n'));
    await until('both', () => atThere.bytes().length === 256 && atHere.bytes().length === 8);
    expect(atThere.bytes().equals(all)).toBe(true);
    expect(atHere.bytes().toString()).toBe('status\r\n');
    const long = Buffer.alloc(20_000, 'sealcam ');
    for (let from = 0; from < long.length; from += 1000) await here.write(long.subarray(from, from + 1000));
    await until('the long text', () => atThere.bytes().length === 256 + long.length);
    expect(atThere.bytes().subarray(256).equals(long)).toBe(true);
    await here.close();
  });

  it('calls no listener that unsubscribed', async () => {
    const { here, there } = await make();
    const left = recordOf(there);
    const stayed = recordOf(there);
    left.stop();
    await here.write(Buffer.from('x'));
    await until('the byte', () => stayed.bytes().length === 1);
    expect(left.bytes()).toHaveLength(0);
    await there.close();
  });

  it('reports a cut once; bytes written afterwards are lost, and closing it is no fault', async () => {
    const { here, ...rest } = await make();
    let closed = 0;
    here.onClose(() => closed++);
    await rest.cut();
    await until('the end', () => closed > 0);
    await here.write(Buffer.from('lost'));
    await here.close();
    await here.close();
    expect(closed).toBe(1);
  });

  it('reports its end also when it is closed here', async () => {
    const { here } = await make();
    let closed = 0;
    here.onClose(() => closed++);
    await here.close();
    await until('the end', () => closed === 1);
  });
}

describe('serial line: mock', () => {
  lineContract(() => {
    const [here, there] = MockSerialLine.pair();
    return Promise.resolve({ here, there, cut: () => there.close() });
  });
});

describe('serial line: standard input and output', () => {
  lineContract(() => {
    const to = new PassThrough();
    const from = new PassThrough();
    return Promise.resolve({
      here: new StdioLine(to, from),
      there: new StdioLine(from, to),
      cut: () => Promise.resolve(void to.destroy()),
    });
  });
});

describeWith('socat', 'serial line: a tty', () => {
  lineContract(async () => {
    const { a, b, stop } = await ptyPair();
    const here = await openSerialLine(a, 115_200, realClock);
    const there = await openSerialLine(b, 115_200, realClock);
    return { here, there, cut: stop };
  });

  it('opens at every usual speed', async () => {
    for (const rate of [9600, 115_200, 921_600]) {
      const { a } = await ptyPair();
      await (await openSerialLine(a, rate, realClock)).close();
    }
  });

  it('notices the end when a read finds it before the poll does', async () => {
    const { a, pid } = await ptyPair();
    const line = await openSerialLine(a, 115_200, realClock);
    let closed = 0;
    line.onClose(() => closed++);
    // The cable is cut while nothing here runs, so that the very first read finds a dead tty.
    process.kill(pid, 'SIGKILL');
    while (existsSync(a));
    await until('the end', () => closed > 0);
    expect(closed).toBe(1);
  });

  it.each([
    ['ends when the carrier goes away: the other end has hung up', [true, true, false], true],
    ['does not end without a carrier that was there', [false, false, false, false], false],
    ['does not end where the line has no carrier', [null, null, null, null], false],
    ['does not end while the carrier stays', [true, true, true, true], false],
  ])('%s', async (_, answers, ends) => {
    const { a } = await ptyPair();
    const clock = new VirtualClock();
    let asked = 0;
    // A pty has no carrier, so that what the port would answer comes from here.
    const carrier = (): Promise<boolean | null> => Promise.resolve(answers[asked++] ?? null);
    const line = await openSerialLine(a, 115_200, clock, carrier);
    let closed = 0;
    line.onClose(() => closed++);
    for (let i = 1; i <= answers.length && closed === 0; i++) {
      clock.advance(1000);
      await until('the answer', () => asked >= i);
      // The next check is scheduled, or the line is closed.
      await until('the check', () => clock.pending > 0 || closed > 0);
    }
    expect(closed).toBe(ends ? 1 : 0);
    await line.close();
  });

  it('refuses bytes for an end that does not read, instead of filling the memory', async () => {
    const { a } = await ptyPair();
    const line = await openSerialLine(a, 115_200, realClock);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      void line.write(Buffer.alloc(1000)).catch((error: unknown) => {
        if (isSealcamError(error) && error.code === 'serial-unavailable') refused++;
      });
    }
    await until('refusals', () => refused > 200);
    await line.close();
  });
});

describe('a tty that is not there', () => {
  it('fails with serial-unavailable and a hint', async () => {
    for (const path of ['/dev/ttyNONE', '/dev/null']) {
      const error: unknown = await openSerialLine(path, 115_200, realClock).catch((thrown: unknown) => thrown);
      expect(isSealcamError(error) && error.code).toBe('serial-unavailable');
      expect(isSealcamError(error) && error.hint).toContain('dialout');
    }
  });
});
