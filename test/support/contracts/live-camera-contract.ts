import { expect, it } from 'vitest';
import sharp from 'sharp';
import { realClock } from '../../../common/adapters/real-clock.js';
import type { Camera, Frame } from '../../../hal/camera.js';
import { asyncCodeOf } from '../codes.js';
import { limitMs } from '../runner/speed.js';

const never = (): AbortSignal => new AbortController().signal;

export async function takeFrames(camera: Camera, count: number, signal = never()): Promise<Frame[]> {
  const out: Frame[] = [];
  for await (const frame of camera.frames(signal)) {
    out.push(frame);
    if (out.length >= count) break;
  }
  return out;
}

/** What every driver of live frames must do, whatever is behind it. */
export function liveCameraContract(make: () => Promise<Camera>): void {
  it('says what it is, and delivers JPEG of that size', async () => {
    const camera = await make();
    const { width, height, framesPerSecond, timeBase, model } = await camera.open(never());
    expect(timeBase).toBe('live');
    expect(framesPerSecond).toBe(10);
    expect(model).not.toBe('');
    const [frame] = await takeFrames(camera, 1);
    expect(await sharp(frame?.jpeg).metadata()).toMatchObject({ format: 'jpeg', width, height });
    await camera.close();
  });

  it('numbers its frames in rising order and time, on the live clock', async () => {
    const camera = await make();
    await camera.open(never());
    const before = realClock.monotonicMs();
    const frames = await takeFrames(camera, 5);
    const after = realClock.monotonicMs();
    for (const [i, frame] of frames.entries()) {
      const previous = frames[i - 1];
      expect(frame.index).toBeGreaterThan(previous?.index ?? -1);
      expect(frame.monotonicMs).toBeGreaterThanOrEqual(previous?.monotonicMs ?? before - 200);
      expect(frame.monotonicMs).toBeLessThanOrEqual(after + 1);
    }
    await camera.close();
  });

  it('gives a still, streaming or not', async () => {
    const camera = await make();
    const { width } = await camera.open(never());
    expect((await sharp((await camera.still(never())).jpeg).metadata()).width).toBe(width);
    for await (const _ of camera.frames(never())) {
      expect((await sharp((await camera.still(never())).jpeg).metadata()).width).toBe(width);
      break;
    }
    await camera.close();
  });

  it('streams once at a time, only while it is open, and again after', async () => {
    const camera = await make();
    expect(await asyncCodeOf(() => takeFrames(camera, 1))).toBe('camera-unavailable');
    await camera.open(never());
    const running = camera.frames(never())[Symbol.asyncIterator]();
    await running.next();
    expect(await asyncCodeOf(() => takeFrames(camera, 1))).toBe('camera-unavailable');
    await running.return?.();
    expect(await takeFrames(camera, 1)).toHaveLength(1);
    await camera.close();
    await camera.open(never());
    expect(await takeFrames(camera, 1)).toHaveLength(1);
    await camera.close();
  });

  it('stops at once, before and while it streams, and closes twice', async () => {
    const camera = await make();
    await camera.open(never());
    expect(await takeFrames(camera, 1, AbortSignal.abort())).toEqual([]);
    const controller = new AbortController();
    const reading = takeFrames(camera, 1000, controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 400));
    controller.abort();
    const stopping = realClock.monotonicMs();
    expect((await reading).length).toBeLessThan(1000);
    expect(realClock.monotonicMs() - stopping).toBeLessThan(limitMs(1500));
    await camera.close();
    await camera.close();
  });
}
