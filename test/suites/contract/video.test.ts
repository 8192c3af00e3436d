import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Segmenter } from '../../../agent/clip/segmenter.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { toHex } from '../../../common/bytes.js';
import type { Camera } from '../../../hal/camera.js';
import { FrameTap } from '../../../hal/frame-tap.js';
import { NAL, nalsOf, nalType } from '../../../hal/h264/nal.js';
import { JpegVideo } from '../../../hal/jpeg-video.js';
import { MockCamera } from '../../../hal/mock/camera.js';
import { EncodedVideo } from '../../../hal/mock/encoded-video.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import { ReplayCamera } from '../../../hal/replay/camera.js';
import { CopiedVideo } from '../../../hal/replay/copied-video.js';
import type { VideoUnit } from '../../../hal/video-source.js';
import { asyncCodeOf } from '../../support/codes.js';
import { readUnits, videoContract, type WithVideo } from '../../support/contracts/video-contract.js';
import { StandIns } from '../../support/engines/stand-ins.js';
import { describeWith } from '../../support/engines/tools.js';
import { ffmpeg, testPicture, type StreamOptions } from '../../support/engines/h264.js';
import { makeFrames } from '../../support/engines/video.js';
import { tempFolder } from '../../support/runner/temp.js';

const never = (): AbortSignal => new AbortController().signal;

function mock(pace: 'live' | 'fast' = 'live', frameLimit: number | null = null): MockCamera {
  const script = buildScript('porch', 'walk', 1);
  return new MockCamera({ script, framesPerSecond: 10, clock: realClock, pace, frameLimit, withLuma: true });
}

function withJpeg(camera: Camera): WithVideo {
  const tap = new FrameTap(camera);
  return { camera: tap, video: new JpegVideo(tap) };
}

function encoded(camera: Camera): WithVideo {
  const tap = new FrameTap(camera);
  return { camera: tap, video: new EncodedVideo(tap) };
}

describe('video: jpeg, of the mock camera', () => {
  videoContract('jpeg', () => Promise.resolve(withJpeg(mock())));

  it('is thinned to four frames a second', async () => {
    const both = withJpeg(mock('fast', 100));
    expect(await both.video.open(never())).toMatchObject({ framesPerSecond: 4, keyIntervalMs: 250 });
    const { units } = await readUnits(both, 20);
    const times = units.map(({ monotonicMs }) => monotonicMs);
    for (const [i, time] of times.entries()) {
      const inOneSecond = times.filter((other) => other >= time && other < time + 1000);
      expect([i, inOneSecond.length <= 4]).toEqual([i, true]);
    }
    expect(times.at(-1)).toBeLessThanOrEqual(5000);
  });
});

describe('video: jpeg, of a folder of files', () => {
  videoContract('jpeg', async () => {
    const path = await makeFrames(tempFolder(), 14);
    const camera = new ReplayCamera({ path, folderFramesPerSecond: 10, clock: realClock, pace: 'live', loop: true });
    return withJpeg(camera);
  });
});

describeWith('ffmpeg', 'video: h264, of the mock camera', () => {
  videoContract('h264', () => Promise.resolve(encoded(mock())));

  it('gives the same bytes for the same seed, each unit with the time of its frame', async () => {
    const read = async (): Promise<string> => {
      const both = encoded(mock('fast', 30));
      await both.camera.open(never());
      const { units, frames } = await readUnits(both, 30);
      expect(units.map(({ monotonicMs }) => monotonicMs)).toEqual(frames.map(({ monotonicMs }) => monotonicMs));
      expect(units.filter(({ isKey }) => isKey)).toHaveLength(2);
      return units.map(({ bytes }) => toHex(bytes)).join();
    };
    expect((await read()) === (await read())).toBe(true);
  });

  it('says that ffmpeg ended', async () => {
    const stand = new StandIns();
    stand.alone();
    stand.add('ffmpeg', 'exit 0');
    const ended = encoded(mock());
    await ended.camera.open(never());
    expect(await asyncCodeOf(() => readUnits(ended, 1))).toBe('video-ended');
  });
});

describe('video: h264, of the mock camera without ffmpeg', () => {
  // What checks the units still finds the real one.
  beforeEach(() => {
    new StandIns().alone();
  });

  describeWith('ffmpeg', 'by an encoder in WebAssembly', () => {
    videoContract('h264', () => Promise.resolve(encoded(mock())));
  });

  it('gives the same bytes for the same seed, each unit with the time of its frame, in groups of a second', async () => {
    const read = async (): Promise<string> => {
      const both = encoded(mock('fast', 24));
      expect(await both.video.open(never())).toMatchObject({ keyIntervalMs: 1000 });
      const { units, frames } = await readUnits(both, 24);
      expect(units.map(({ monotonicMs }) => monotonicMs)).toEqual(frames.map(({ monotonicMs }) => monotonicMs));
      expect(units.map(({ isKey }) => isKey)).toEqual(units.map((_, i) => i % 10 === 0));
      const segmenter = new Segmenter('h264', 10);
      const segments = [...units.flatMap((unit) => segmenter.add(unit)), ...segmenter.flush()];
      expect(segments.map(({ isSync }) => isSync)).toEqual([true, true, true, true]);
      return units.map(({ bytes }) => toHex(bytes)).join();
    };
    expect((await read()) === (await read())).toBe(true);
  });

  it('names ffmpeg where there is no such encoder either, as on a camera; jpeg needs none', async () => {
    const tap = new FrameTap(mock());
    const missing = { camera: tap, video: new EncodedVideo(tap, null) };
    await missing.camera.open(never());
    await expect(readUnits(missing, 1)).rejects.toMatchObject({
      code: 'video-unsupported',
      message: expect.stringContaining('ffmpeg is not installed') as string,
      hint: expect.stringContaining('jpeg') as string,
    });
    const jpeg = withJpeg(mock());
    await jpeg.camera.open(never());
    expect((await readUnits(jpeg, 1)).units).toHaveLength(1);
  });
});

/** Makes a video file of x264 without B-frames, unless the arguments say otherwise. */
function makeClip(options: StreamOptions = {}): string {
  const { gop = 10, args = [] } = options;
  const path = join(tempFolder(), 'clip.mp4');
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-threads', '1', '-g', String(gop)];
  ffmpeg([...testPicture(options), ...encode, ...args, path]);
  return path;
}

function replayed(path: string, loop = true): WithVideo {
  const replay = new ReplayCamera({ path, folderFramesPerSecond: 10, clock: realClock, pace: 'live', loop });
  const camera = new FrameTap(replay);
  return { camera, video: new CopiedVideo({ path, clock: realClock, camera, replay }) };
}

describeWith('ffmpeg', 'video: h264, of a file', () => {
  videoContract('h264', () => Promise.resolve(replayed(makeClip({ seconds: 2 }))));

  it('copies every unit, in step with the frames, and begins again with them', async () => {
    const path = makeClip({ seconds: 1 });
    const both = replayed(path);
    expect(await both.video.open(never())).toMatchObject({ width: 320, height: 180, framesPerSecond: 10 });
    const { units, frames } = await readUnits(both, 25);
    const times = frames.map(({ monotonicMs }) => monotonicMs);
    for (const { monotonicMs } of units.slice(0, 20)) expect(times).toContain(monotonicMs);
    expect(units.map(({ isKey }) => isKey)).toEqual(units.map((_, i) => i % 10 === 0));
    const size = (unit: VideoUnit | undefined): number => unit?.bytes.length ?? 0;
    expect(units.slice(10, 20).map(size)).toEqual(units.slice(0, 10).map(size));
    const contentOf = (stream: Uint8Array): string[] =>
      [...nalsOf(stream)].filter((nal) => nalType(nal) !== NAL.delimiter).map(toHex);
    const copy = ffmpeg(['-i', path, '-c', 'copy', '-f', 'h264', 'pipe:1']);
    expect(units.slice(0, 10).flatMap(({ bytes }) => contentOf(bytes))).toEqual(contentOf(copy));
    await both.camera.close();
  });

  it('misses nothing where a later pass begins late', async () => {
    const stand = new StandIns();
    const path = makeClip({ seconds: 2 });
    const real = execFileSync('which', ['ffmpeg'], { encoding: 'utf8' }).trim();
    // Later than what belongs to the past of a pass that was joined.
    stand.add('ffmpeg', `sleep 1.3; exec ${real} "$@"`);
    const both = replayed(path);
    await both.video.open(never());
    const { units } = await readUnits(both, 15);
    const gaps = units
      .slice(1)
      .map(({ monotonicMs }, i) => Math.round((monotonicMs - (units[i]?.monotonicMs ?? 0)) / 100));
    expect(gaps.filter((gap) => gap !== 1)).toEqual([]);
    await both.camera.close();
  });

  it('comes with the next pass where the copy begins when all of the first is past', async () => {
    const stand = new StandIns();
    const path = makeClip({ seconds: 2 });
    const real = execFileSync('which', ['ffmpeg'], { encoding: 'utf8' }).trim();
    // The last key unit of the file is more than a second old by then, in every pass.
    stand.add('ffmpeg', `sleep 2.6; exec ${real} "$@"`);
    const both = replayed(path);
    await both.video.open(never());
    const { units } = await readUnits(both, 5);
    expect(units.map(({ isKey }) => isKey)).toEqual([true, false, false, false, false]);
    await both.camera.close();
  });

  it('keeps the times of a variable rate', async () => {
    const filter = "settb=1/1000,setpts='if(lt(N,5),N*100,500+(N-5)*300)/1000/TB'";
    const both = replayed(makeClip({ seconds: 1, args: ['-vf', filter, '-vsync', 'vfr', '-enc_time_base', '1/1000'] }));
    await both.video.open(never());
    const { units } = await readUnits(both, 9);
    const gaps = units
      .slice(1)
      .map(({ monotonicMs }, i) => Math.round((monotonicMs - (units[i]?.monotonicMs ?? 0)) / 100));
    expect(gaps).toEqual([1, 1, 1, 1, 1, 3, 3, 3]);
    await both.camera.close();
  });

  it('refuses HEVC, B-frames and a folder, with what to do', async () => {
    const hevc = makeClip({ seconds: 1, args: ['-c:v', 'libx265', '-x265-params', 'log-level=none'] });
    const bFrames = makeClip({ seconds: 1, args: ['-preset', 'medium', '-bf', '2'] });
    for (const path of [hevc, bFrames]) {
      await expect(replayed(path).video.open(never())).rejects.toMatchObject({
        code: 'video-unsupported',
        hint: expect.stringContaining('-bf 0') as string,
      });
    }
    const folder = await makeFrames(tempFolder(), 2);
    await expect(replayed(folder).video.open(never())).rejects.toMatchObject({ code: 'video-unsupported' });
  });

  it('names a file without key units, while its frames go on', async () => {
    const both = replayed(makeClip({ seconds: 6, gop: 250, args: ['-sc_threshold', '0'] }));
    await both.video.open(never());
    const stop = new AbortController();
    let count = 0;
    const frames = (async () => {
      for await (const _ of both.camera.frames(stop.signal)) count++;
    })();
    const error = await asyncCodeOf(async () => {
      for await (const _ of both.video.units(never()));
    });
    const before = count;
    await expect.poll(() => count).toBeGreaterThan(before);
    stop.abort();
    await frames;
    expect(error).toBe('video-keys-rare');
    await both.camera.close();
  });
});
