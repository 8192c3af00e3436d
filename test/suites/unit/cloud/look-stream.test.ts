import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { FastifyReply } from '../../../../cloud/api/fastify.js';
import { LOOK_CHECK_INTERVAL_MS, LOOK_UNSENT_MAX_BYTES, LookStream } from '../../../../cloud/api/look-stream.js';
import { Counters } from '../../../../common/counters.js';
import { LIVE_FLAGS } from '../../../../protocol/transport/live.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const { keyUnit: KEY, initialisation: INIT, end: END, continued: MORE } = LIVE_FLAGS;
const DELTA = 0;

/** A connection whose unsent bytes a test sets. */
class Connection extends EventEmitter {
  destroyed = false;
  writableLength = 0;
  readonly written: Buffer[] = [];
  hasEnded = false;

  writeHead(): void {
    this.written.length = 0;
  }

  write(frame: Buffer): void {
    this.written.push(frame);
  }

  end(frame: Buffer): void {
    this.write(frame);
    this.hasEnded = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

class StreamWorld {
  readonly clock = new VirtualClock();
  readonly counters = new Counters();
  readonly connection = new Connection();
  readonly stream: LookStream;
  readonly over: Promise<{ readonly bytes: number; readonly seconds: number }>;
  private n = 0;

  constructor() {
    const reply = { raw: this.connection, getHeaders: () => ({}) } as unknown as FastifyReply;
    const check = (): Promise<void> => Promise.resolve();
    this.stream = new LookStream(reply, { clock: this.clock, counters: this.counters, check });
    this.over = this.stream.run(() => undefined);
  }

  /** Passes messages of these flags on, and returns the numbers of those that were written. */
  relay(...flags: readonly number[]): number[] {
    const before = this.connection.written.length;
    for (const each of flags) this.stream.relay({ n: this.n++, flags: each, payload: Uint8Array.of(this.n - 1) });
    return this.connection.written.slice(before).map((frame) => frame[4] ?? -1);
  }

  /** A message that the broker lost. */
  lose(): void {
    this.n++;
  }

  set isSlow(isSlow: boolean) {
    this.connection.writableLength = isSlow ? LOOK_UNSENT_MAX_BYTES + 1 : LOOK_UNSENT_MAX_BYTES;
  }
}

describe('a viewer who reads too slowly', () => {
  it('misses whole units, up to the next key unit', () => {
    const world = new StreamWorld();
    expect(world.relay(INIT, KEY, DELTA)).toEqual([0, 1, 2]);
    world.isSlow = true;
    expect(world.relay(DELTA, KEY, DELTA)).toEqual([]);
    world.isSlow = false;
    expect(world.relay(DELTA, DELTA)).toEqual([]);
    expect(world.relay(KEY, DELTA, DELTA)).toEqual([8, 9, 10]);
    expect(world.counters.snapshot()).toMatchObject({ 'looks.frames-relayed': 6, 'looks.frames-dropped': 5 });
  });

  it('receives the rest of a unit that has begun, and of a unit that was dropped no piece', () => {
    const world = new StreamWorld();
    expect(world.relay(INIT, KEY | MORE)).toEqual([0, 1]);
    world.isSlow = true;
    expect(world.relay(KEY | MORE, KEY)).toEqual([2, 3]);
    expect(world.relay(DELTA | MORE)).toEqual([]);
    world.isSlow = false;
    expect(world.relay(DELTA)).toEqual([]);
    world.isSlow = true;
    expect(world.relay(KEY | MORE)).toEqual([]);
    world.isSlow = false;
    // A piece of a key unit whose beginning was dropped is not where a picture begins.
    expect(world.relay(KEY)).toEqual([]);
    expect(world.relay(KEY)).toEqual([8]);
  });

  it('is not made to hold a unit without end', () => {
    const world = new StreamWorld();
    world.relay(INIT, KEY | MORE);
    world.connection.writableLength = 1024 * 1024 + 1;
    expect(world.relay(KEY | MORE, KEY | MORE)).toEqual([]);
  });

  it('begins again at a key unit of which no piece was lost on the way', () => {
    const world = new StreamWorld();
    world.relay(INIT, KEY);
    world.isSlow = true;
    world.relay(DELTA);
    world.isSlow = false;
    world.lose();
    // It may be the last piece of a unit whose first one was lost.
    expect(world.relay(KEY)).toEqual([]);
    expect(world.relay(DELTA, KEY)).toEqual([6]);
  });

  it('receives a new initialisation and the end all the same', () => {
    const world = new StreamWorld();
    world.relay(INIT, KEY);
    world.isSlow = true;
    expect(world.relay(DELTA, INIT)).toEqual([3]);
    world.relay(END);
    const [end, reason] = world.connection.written.slice(-2);
    expect(end?.[4]).toBe(4);
    expect(reason?.readUInt32BE(0)).toBe(0xffffffff);
    expect(world.connection.hasEnded).toBe(true);
    expect(world.relay(KEY)).toEqual([]);
  });

  it('who reads nothing at all loses the connection soon after the end', async () => {
    const world = new StreamWorld();
    world.relay(INIT, END);
    world.clock.advance(4999);
    expect(world.connection.destroyed).toBe(false);
    world.clock.advance(1);
    expect(world.connection.destroyed).toBe(true);
    expect(await world.over).toEqual({ bytes: 2, seconds: 5 });
    expect(world.clock.pending).toBe(0);
  });
});

it('a look is half an hour at most, whatever the camera sends', async () => {
  const world = new StreamWorld();
  for (let passed = 0; passed < 30 * 60_000; passed += LOOK_CHECK_INTERVAL_MS) {
    expect(world.connection.hasEnded).toBe(false);
    world.relay(KEY);
    await world.clock.run(LOOK_CHECK_INTERVAL_MS, LOOK_CHECK_INTERVAL_MS);
  }
  expect(world.connection.hasEnded).toBe(true);
});
