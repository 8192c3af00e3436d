import { describe, expect, it } from 'vitest';
import { Lanes, LANE_LIMITS, type LaneLimits } from '../../../../cloud/ingest/lanes.js';
import { nextTurn } from '../../../../common/adapters/next-turn.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

/** As many records as a message may have. */
const FULL_BYTES = 8192;
const clock = new VirtualClock();

type Work = () => Promise<void>;

function lanesOf(limits: Partial<LaneLimits> = {}): Lanes<Work> {
  const handle = async (works: readonly Work[]): Promise<void> => {
    for (const work of works) await work();
  };
  return new Lanes(handle, clock, limits, nextTurn);
}

function closedGate(): { readonly gate: Promise<void>; readonly release: () => void } {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    gate,
    release: () => {
      release();
    },
  };
}

/** Lets a camera send until it counts as busy, and every message of it be handled. */
async function makeBusy(lanes: Lanes<Work>, camera: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    lanes.run(camera, FULL_BYTES, () => Promise.resolve());
    if (i % 20 === 19) await lanes.idle();
  }
}

describe('lanes', () => {
  it('keep the order per camera, run side by side, and are bounded', async () => {
    const lanes = lanesOf({ waitingMax: 3 });
    const log: string[] = [];
    const { gate, release } = closedGate();
    const note = (text: string) => (): Promise<void> => {
      log.push(text);
      return Promise.resolve();
    };
    expect(lanes.run('a', 1, () => gate.then(note('a1')))).toBe('taken');
    expect(lanes.run('a', 1, note('a2'))).toBe('taken');
    expect(lanes.run('b', 1, note('b1'))).toBe('taken');
    expect(lanes.run('c', 1, note('c1'))).toBe('full');
    await nextTurn();
    await nextTurn();
    expect(log).toEqual(['b1']);
    release();
    await lanes.idle();
    expect(log).toEqual(['b1', 'a1', 'a2']);
    expect(lanes.waiting).toBe(0);
  });

  it('hand over what waits of a camera together, and of a busy one message by message', async () => {
    const batches: string[] = [];
    const handle = (items: readonly string[]): Promise<void> => {
      batches.push(items.join(''));
      return Promise.resolve();
    };
    const lanes = new Lanes(handle, clock, {}, nextTurn);
    for (const item of 'abcdefghijk') lanes.run('calm', 300, item);
    await lanes.idle();
    // The first is taken at once; at most eight go together.
    expect(batches.splice(0)).toEqual(['a', 'bcdefghi', 'jk']);
    for (const item of 'abcdefghijk') lanes.run('flood', FULL_BYTES, item);
    await lanes.idle();
    // It counts as busy from its fourth full message on.
    expect(batches).toEqual(['a', 'bcd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']);
  });

  it('bound what waits of one camera, by number and by bytes, and take the others', async () => {
    const lanes = lanesOf();
    const { gate, release } = closedGate();
    const admissions = Array.from({ length: 100 }, () => lanes.run('flood', 1, () => gate));
    expect(admissions.filter((one) => one === 'taken')).toHaveLength(LANE_LIMITS.cameraWaitingMax);
    expect(admissions.at(-1)).toBe('camera-full');
    const large = Array.from({ length: 5 }, () => lanes.run('large', 1024 * 1024, () => gate));
    expect(large).toEqual(['taken', 'taken', 'taken', 'taken', 'camera-full']);
    expect(lanes.run('honest', 1, () => Promise.resolve())).toBe('taken');
    release();
    await lanes.idle();
    expect(lanes.run('flood', 1, () => Promise.resolve())).toBe('taken');
    await lanes.idle();
  });

  it('bound the bytes of all', () => {
    const lanes = lanesOf({ waitingBytesMax: 100 });
    const never = (): Promise<void> => new Promise(() => undefined);
    expect(lanes.run('a', 60, never)).toBe('taken');
    expect(lanes.run('b', 60, never)).toBe('full');
  });

  it('handle a camera before all that wait of cameras that send without end', async () => {
    const lanes = lanesOf();
    const cameras = Array.from({ length: 20 }, (_, i) => `flood ${String(i)}`);
    for (const camera of cameras) await makeBusy(lanes, camera);
    let handled = 0;
    for (const camera of cameras) {
      for (let i = 0; i < 10; i++) {
        lanes.run(camera, FULL_BYTES, () => {
          handled++;
          return Promise.resolve();
        });
      }
    }
    await nextTurn();
    expect(lanes.busyCameras).toBe(cameras.length);
    const before = handled;
    const after = new Promise<number>((resolve) => {
      lanes.run('honest', 300, () => {
        resolve(handled - before);
        return Promise.resolve();
      });
    });
    // Those that already had a place, of the 196 that wait.
    expect(await after).toBeLessThanOrEqual(2 * LANE_LIMITS.busyAtOnceMax);
    await lanes.idle();
    expect(handled).toBe(200);
    expect(lanes.busyCameras).toBe(0);
  });

  it('share the places of busy cameras in turn', async () => {
    const lanes = lanesOf({ busyAtOnceMax: 1 });
    for (const camera of ['a', 'b']) await makeBusy(lanes, camera);
    const log: string[] = [];
    for (const camera of ['a', 'a', 'a', 'b', 'b', 'b']) {
      lanes.run(camera, FULL_BYTES, () => {
        log.push(camera);
        return Promise.resolve();
      });
    }
    await lanes.idle();
    expect(log.join('')).toBe('ababab');
  });

  it('handle the busy camera first that sent least', async () => {
    const lanes = lanesOf({ busyAtOnceMax: 1 });
    for (const camera of ['flood', 'flood', 'flood', 'drain']) await makeBusy(lanes, camera);
    const log: string[] = [];
    for (const camera of ['flood', 'flood', 'flood', 'drain', 'drain']) {
      lanes.run(camera, FULL_BYTES, () => {
        log.push(camera);
        return Promise.resolve();
      });
    }
    await lanes.idle();
    // The first had its place before the others came.
    expect(log).toEqual(['flood', 'drain', 'drain', 'flood', 'flood']);
  });

  it('forget what a camera sent, so that it is an ordinary one again', async () => {
    const lanes = lanesOf({ busyAtOnceMax: 0 });
    for (let i = 0; i < 3; i++) lanes.run('a', FULL_BYTES, () => Promise.resolve());
    await lanes.idle();
    for (let i = 0; i < 10; i++) lanes.run('a', FULL_BYTES, () => Promise.resolve());
    // No place for busy cameras: the last one waits.
    for (let i = 0; i < 50; i++) await nextTurn();
    expect(lanes.busyCameras).toBe(1);
    const other = lanesOf({ busyAtOnceMax: 0 });
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 3; i++) other.run('a', FULL_BYTES, () => Promise.resolve());
      await other.idle();
      clock.advance(20_000);
    }
    expect(other.busyCameras).toBe(0);
  });
});
