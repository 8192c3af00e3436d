import { expect, it } from 'vitest';
import sharp from 'sharp';
import { realClock } from '../../../common/adapters/real-clock.js';
import type { Camera, Frame } from '../../../hal/camera.js';
import { asyncCodeOf } from '../codes.js';
import { limitMs } from '../runner/speed.js';

const never = (): AbortSignal => new AbortController().signal;

/** Reads this many frames, or fewer where the stream ends. */
export async function readFrames(camera: Camera, count: number, signal = never()): Promise<Frame[]> {
  const out: Frame[] = [];
  for await (const frame of camera.frames(signal)) {
    out.push(frame);
    if (out.length >= count) break;
  }
  return out;
}

/** The contract of every driver of live frames. */
export function liveCameraContract(make: () => Promise<Camera>): void {
  it('reports its model and size, and delivers JPEG of that size', async () => {
    const camera = await make();
    const { width, height, framesPerSecond, timeBase, model } = await camera.open(never());
    expect(timeBase).toBe('live');
    expect(framesPerSecond).toBe(10);
    expect(model).not.toBe('');
    const [frame] = await readFrames(camera, 1);
    expect(await sharp(frame?.jpeg).metadata()).toMatchObject({ format: 'jpeg', width, height });
    await camera.close();
  });

  it('numbers its frames in rising order and time, on the live clock', async () => {
    const camera = await make();
    await camera.open(never());
    const before = realClock.monotonicMs();
    const frames = await readFrames(camera, 5);
    const after = realClock.monotonicMs();
    for (const [i, frame] of frames.entries()) {
      const previous = frames[i - 1];
      expect(frame.index).toBeGreaterThan(previous?.index ?? -1);
      expect(frame.monotonicMs).toBeGreaterThanOrEqual(previous?.monotonicMs ?? before - 200);
      expect(frame.monotonicMs).toBeLessThanOrEqual(after + 1);
    }
    await camera.close();
  });

  it('takes a still, streaming or not', async () => {
    const camera = await make();
    const { width } = await camera.open(never());
    expect((await sharp((await camera.still(never())).jpeg).metadata()).width).toBe(width);
    for await (const _ of camera.frames(never())) {
      expect((await sharp((await camera.still(never())).jpeg).metadata()).width).toBe(width);
      break;
    }
    await camera.close();
  });

  it('streams once at a time, only while it is open, and again afterwards', async () => {
    const camera = await make();
    expect(await asyncCodeOf(() => readFrames(camera, 1))).toBe('camera-unavailable');
    await camera.open(never());
    const running = camera.frames(never())[Symbol.asyncIterator]();
    await running.next();
    expect(await asyncCodeOf(() => readFrames(camera, 1))).toBe('camera-unavailable');
    await running.return?.();
    expect(await readFrames(camera, 1)).toHaveLength(1);
    await camera.close();
    await camera.open(never());
    expect(await readFrames(camera, 1)).toHaveLength(1);
    await camera.close();
  });

  it('stops within 1.5 s, before and while it streams, and may be closed twice', async () => {
    const camera = await make();
    await camera.open(never());
    expect(await readFrames(camera, 1, AbortSignal.abort())).toEqual([]);
    const controller = new AbortController();
    const reading = readFrames(camera, 1000, controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 400));
    controller.abort();
    const stopping = realClock.monotonicMs();
    expect((await reading).length).toBeLessThan(1000);
    expect(realClock.monotonicMs() - stopping).toBeLessThan(limitMs(1500));
    await camera.close();
    await camera.close();
  });
}
