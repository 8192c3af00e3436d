import { expect, it } from 'vitest';
import sharp from 'sharp';
import { concat } from '../../../common/bytes.js';
import type { Camera, Frame } from '../../../hal/camera.js';
import type { VideoCodec, VideoInfo, VideoSource, VideoUnit } from '../../../hal/video-source.js';
import { asyncCodeOf } from '../codes.js';
import { ffmpeg } from '../engines/h264.js';
import { until } from '../runner/wait.js';

export interface WithVideo {
  readonly camera: Camera;
  readonly video: VideoSource;
}

const UNITS = 6;

/** Reads this many units while the frames are read, and at least one frame. Returns both. */
export async function readUnits(
  { camera, video }: WithVideo,
  count: number,
): Promise<{ readonly units: readonly VideoUnit[]; readonly frames: readonly Frame[] }> {
  const stop = new AbortController();
  const frames: Frame[] = [];
  const units: VideoUnit[] = [];
  const reading = (async () => {
    for await (const frame of camera.frames(stop.signal)) frames.push(frame);
    // Where the frames end, so do the units, with an error of their own.
  })().catch(() => undefined);
  try {
    for await (const unit of video.units(stop.signal)) if (units.push(unit) >= count) break;
    await until('a frame', () => frames.length > 0);
  } finally {
    stop.abort();
    await reading;
  }
  return { units, frames };
}

/** Checks that a decoder makes one picture of the announced size of each unit, without a complaint. */
async function expectDecodes({ codec, width, height }: VideoInfo, units: readonly VideoUnit[]): Promise<void> {
  if (codec === 'jpeg') {
    for (const { bytes } of units)
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width, height });
    return;
  }
  const stream = concat(...units.map(({ bytes }) => bytes));
  const grey = ['-vsync', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  expect(ffmpeg(['-f', 'h264', '-i', 'pipe:0', ...grey], stream)).toHaveLength(units.length * width * height);
}

/** The contract of every video source. `make` returns a camera that is not open, with its video. */
export function videoContract(codec: VideoCodec, make: () => Promise<WithVideo>): void {
  const never = (): AbortSignal => new AbortController().signal;

  it('tells codec, size and rate, and delivers whole units from a key unit on', async () => {
    const both = await make();
    const info = await both.video.open(never());
    expect(info).toMatchObject({ codec });
    expect(info.framesPerSecond).toBeGreaterThanOrEqual(codec === 'jpeg' ? 1 : 5);
    const { units } = await readUnits(both, UNITS);
    expect(units[0]?.isKey).toBe(true);
    await expectDecodes(info, units);
    await both.camera.close();
  });

  it('counts on the clock of the frames, in rising order', async () => {
    const both = await make();
    await both.video.open(never());
    const { units, frames } = await readUnits(both, UNITS);
    const times = units.map(({ monotonicMs }) => monotonicMs);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    const first = frames[0]?.monotonicMs ?? 0;
    expect(times[0]).toBeGreaterThan(first - 5000);
    expect(times.at(-1)).toBeLessThan((frames.at(-1)?.monotonicMs ?? 0) + 5000);
    await both.camera.close();
  });

  it('has one reader at a time, which may stop and begin again at a key unit', async () => {
    const both = await make();
    await both.video.open(never());
    const stop = new AbortController();
    const reading = both.video.units(stop.signal)[Symbol.asyncIterator]();
    const first = reading.next();
    const second = both.video.units(never())[Symbol.asyncIterator]();
    expect(await asyncCodeOf(() => second.next())).toBe('camera-unavailable');
    stop.abort();
    expect((await first).done).toBe(true);
    for (let round = 0; round < 2; round++) expect((await readUnits(both, 1)).units[0]?.isKey).toBe(true);
    await both.camera.close();
  });

  it('ends with an error when the frames end', async () => {
    const { camera, video } = await make();
    await video.open(never());
    const stop = new AbortController();
    const frames = camera.frames(stop.signal)[Symbol.asyncIterator]();
    const reading = asyncCodeOf(async () => {
      try {
        for await (const _ of video.units(never())) stop.abort();
      } finally {
        stop.abort();
      }
    });
    for (let frame = await frames.next(); frame.done !== true; frame = await frames.next());
    expect(await reading).toBe('video-ended');
    await camera.close();
  });

  it('leaves the frames alone where nobody reads it', async () => {
    const { camera } = await make();
    await camera.open(never());
    let count = 0;
    for await (const _ of camera.frames(never())) if (++count >= UNITS) break;
    expect(count).toBe(UNITS);
    await camera.close();
  });
}
