import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { realClock } from '../../../common/adapters/real-clock.js';
import type { Camera, Frame } from '../../../hal/camera.js';
import { MockCamera } from '../../../hal/mock/camera.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import { jpegSize } from '../../../hal/image.js';
import { ReplayCamera } from '../../../hal/replay/camera.js';
import { asyncCodeOf } from '../../support/codes.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { makeFrames, makeVideo } from '../../support/engines/video.js';
import { limitMs } from '../../support/runner/speed.js';

const FRAMES = 12;

function runTool(name: 'ffmpeg' | 'ffprobe', args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  return stdout;
}

/** The contract of every camera driver. `make` returns a camera of at least FRAMES frames. */
function cameraContract(make: (pace: 'live' | 'fast') => Promise<Camera>): void {
  const readFrames = async (camera: Camera, count: number, signal = new AbortController().signal): Promise<Frame[]> => {
    const out: Frame[] = [];
    for await (const frame of camera.frames(signal)) {
      out.push(frame);
      if (out.length >= count) break;
    }
    return out;
  };

  it('reports its model and size, and delivers JPEG of that size', async () => {
    const camera = await make('fast');
    const info = await camera.open(new AbortController().signal);
    expect(info.width).toBeGreaterThan(0);
    expect(info.framesPerSecond).toBe(10);
    expect(info.timeBase).toBe('recorded');
    const [frame] = await readFrames(camera, 1);
    expect(await sharp(frame?.jpeg).metadata()).toMatchObject({
      format: 'jpeg',
      width: info.width,
      height: info.height,
    });
    await camera.close();
  });

  it('numbers its frames from 0, in rising time', async () => {
    const camera = await make('fast');
    await camera.open(new AbortController().signal);
    const frames = await readFrames(camera, FRAMES);
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: FRAMES }, (_, i) => i));
    expect(frames.map(({ monotonicMs }) => monotonicMs)).toEqual(Array.from({ length: FRAMES }, (_, i) => i * 100));
    await camera.close();
  });

  it('delivers a luma plane of its own shape, if any', async () => {
    const camera = await make('fast');
    const { width, height } = await camera.open(new AbortController().signal);
    for (const { luma } of await readFrames(camera, 3)) {
      if (luma === undefined) continue;
      expect(luma.data).toHaveLength(luma.width * luma.height);
      expect(luma.width / luma.height).toBeCloseTo(width / height, 1);
    }
    await camera.close();
  });

  it('delivers the same frames a second time', async () => {
    const camera = await make('fast');
    await camera.open(new AbortController().signal);
    const first = await readFrames(camera, 4);
    const second = await readFrames(camera, 4);
    expect(second.map(({ jpeg }) => Buffer.from(jpeg).toString('hex'))).toEqual(
      first.map(({ jpeg }) => Buffer.from(jpeg).toString('hex')),
    );
    await camera.close();
  });

  it('takes a still', async () => {
    const camera = await make('fast');
    const { width } = await camera.open(new AbortController().signal);
    const still = await camera.still(new AbortController().signal);
    expect((await sharp(still.jpeg).metadata()).width).toBe(width);
    await camera.close();
  });

  it('streams once at a time, only while it is open', async () => {
    const camera = await make('fast');
    expect(await asyncCodeOf(() => readFrames(camera, 1))).toBe('camera-unavailable');
    await camera.open(new AbortController().signal);
    const running = camera.frames(new AbortController().signal)[Symbol.asyncIterator]();
    await running.next();
    expect(await asyncCodeOf(() => readFrames(camera, 1))).toBe('camera-unavailable');
    await running.return?.();
    expect(await readFrames(camera, 1)).toHaveLength(1);
    await camera.close();
  });

  it('plays live in real time on the live clock, and stops within 1.5 s', async () => {
    const camera = await make('live');
    const { timeBase } = await camera.open(new AbortController().signal);
    expect(timeBase).toBe('live');
    const controller = new AbortController();
    const started = realClock.monotonicMs();
    const frames = await readFrames(camera, 4, controller.signal);
    const elapsed = realClock.monotonicMs() - started;
    expect(elapsed).toBeGreaterThanOrEqual(250);
    expect(frames[0]?.monotonicMs).toBeGreaterThanOrEqual(started - 200);
    const rest: Frame[] = [];
    const reading = (async () => {
      for await (const frame of camera.frames(controller.signal)) rest.push(frame);
    })();
    controller.abort();
    const stopping = realClock.monotonicMs();
    await reading;
    expect(realClock.monotonicMs() - stopping).toBeLessThan(limitMs(1500));
    await camera.close();
    await camera.close();
  });
}

describe('camera: mock', () => {
  cameraContract((pace) =>
    Promise.resolve(
      new MockCamera({
        script: buildScript('garden', 'walk', 1),
        framesPerSecond: 10,
        clock: realClock,
        pace,
        frameLimit: 400,
        withLuma: true,
      }),
    ),
  );

  it('delivers bytes that are not a JPEG, and no frames in a stall, at the times of the script', async () => {
    const frames = async (scenario: 'corrupt' | 'stall', limit: number): Promise<Frame[]> => {
      const camera = new MockCamera({
        script: buildScript('porch', scenario, 1),
        framesPerSecond: 10,
        clock: realClock,
        pace: 'fast',
        frameLimit: limit,
        withLuma: false,
      });
      await camera.open();
      const out: Frame[] = [];
      for await (const frame of camera.frames(new AbortController().signal)) out.push(frame);
      return out;
    };
    const corrupt = (await frames('corrupt', 60)).filter(({ jpeg }) => jpeg.length < 20);
    expect(corrupt.map(({ index }) => index)).toEqual([40, 43, 50]);
    const indices = (await frames('stall', 210)).map(({ index }) => index);
    expect(indices).not.toContain(150);
    expect(indices).toContain(205);
  });
});

describe('camera: replay of a folder of JPEG files', () => {
  cameraContract(async (pace) => {
    const path = await makeFrames(tempFolder(), 14);
    return new ReplayCamera({ path, folderFramesPerSecond: 10, clock: realClock, pace, loop: false });
  });
});

describe('camera: replay of a folder with a bad first file', () => {
  it.each([
    ['empty', 'frame-0.jpg', () => Buffer.alloc(0)],
    ['a file of macOS', '._frame0.jpg', () => Buffer.alloc(4096, 7)],
    [
      'a PNG',
      'frame-0.jpg',
      () =>
        sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
          .png()
          .toBuffer(),
    ],
  ])('%s: the size is that of the first JPEG, and every file is played', async (_, name, content) => {
    const frames = await makeFrames(tempFolder(), 4);
    writeFileSync(join(frames, name), await content());
    const camera = new ReplayCamera({
      path: frames,
      folderFramesPerSecond: 10,
      clock: realClock,
      pace: 'fast',
      loop: false,
    });
    const { signal } = new AbortController();
    expect(await camera.open(signal)).toMatchObject({ width: 640 });
    let count = 0;
    for await (const _frame of camera.frames(signal)) count++;
    expect(count).toBe(5);
  });

  it('a folder without any JPEG in its files is refused', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'a.jpg'), '');
    const camera = new ReplayCamera({
      path: folder,
      folderFramesPerSecond: 10,
      clock: realClock,
      pace: 'fast',
      loop: false,
    });
    expect(await asyncCodeOf(() => camera.open(new AbortController().signal))).toBe('video-unreadable');
  });
});

describeWith('ffmpeg', 'camera: replay of a video file', () => {
  cameraContract(async (pace) => {
    const path = await makeVideo(tempFolder(), 14);
    return new ReplayCamera({ path, folderFramesPerSecond: 10, clock: realClock, pace, loop: false });
  });

  const replay = (path: string, loop = false): ReplayCamera =>
    new ReplayCamera({ path, folderFramesPerSecond: 10, clock: realClock, pace: 'fast', loop });

  async function playAll(camera: ReplayCamera): Promise<number> {
    let count = 0;
    await camera.open(new AbortController().signal);
    for await (const frame of camera.frames(new AbortController().signal)) {
      count++;
      if (frame.index > 100) break;
    }
    return count;
  }

  it('delivers every frame of the file, and starts again when it loops', async () => {
    const path = await makeVideo(tempFolder(), 23);
    expect(await playAll(replay(path))).toBe(23);
    const controller = new AbortController();
    const looping = replay(path, true);
    await looping.open(controller.signal);
    const frames: Frame[] = [];
    for await (const frame of looping.frames(controller.signal)) {
      frames.push(frame);
      if (frames.length === 30) break;
    }
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(frames[23]?.monotonicMs).toBe(2300);
  });

  it('refuses a file that is missing, empty or not a video', async () => {
    const folder = tempFolder();
    const text = join(folder, 'x.mp4');
    writeFileSync(text, 'not a video');
    const empty = join(folder, 'empty.mp4');
    writeFileSync(empty, '');
    for (const path of [join(folder, 'none.mp4'), text, empty, '/dev/null', folder]) {
      expect(await asyncCodeOf(() => playAll(replay(path)))).toBe('video-unreadable');
    }
  });

  it('plays a clip that was cut without encoding it again: its container counts frames that are not to be seen', async () => {
    const folder = tempFolder();
    const whole = await makeVideo(folder, 40);
    const trimmed = join(folder, 'trimmed.mp4');
    runTool('ffmpeg', ['-v', 'error', '-ss', '1.55', '-i', whole, '-c', 'copy', trimmed]);
    const count = ['-v', 'error', '-show_entries', 'stream=nb_frames', '-of', 'csv=p=0', trimmed];
    const played = await playAll(replay(trimmed));
    expect(played).toBeGreaterThan(15);
    expect(Number(runTool('ffprobe', count))).toBeGreaterThan(played);
  });

  it('delivers every frame of a video whose rate changes, each with its own time', async () => {
    const folder = tempFolder();
    const frames = await makeFrames(folder, 40);
    const path = join(folder, 'vfr.mp4');
    // Twenty at 60 a second, then twenty at 12.
    const times = "setpts='if(lt(N,20),N/60,20/60+(N-20)/12)/TB'";
    const input = ['-v', 'error', '-framerate', '600', '-i', join(frames, 'frame%d.jpg'), '-vf', times];
    const rate = ['-vsync', 'vfr', '-enc_time_base', '1/600', '-video_track_timescale', '600'];
    runTool('ffmpeg', [...input, ...rate, '-c:v', 'mpeg4', '-q:v', '4', path]);
    const camera = replay(path);
    await camera.open(new AbortController().signal);
    const atMs: number[] = [];
    for await (const frame of camera.frames(new AbortController().signal)) atMs.push(frame.monotonicMs);
    expect(atMs).toHaveLength(40);
    const entries = ['-v', 'error', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', path];
    const own = runTool('ffprobe', entries).trim().split('\n');
    expect(atMs).toEqual(own.map((text) => Math.round(1000 * Number(text.replace(',', '')))));
    expect((atMs[19] ?? 0) - (atMs[9] ?? 0)).toBeLessThan(200);
  });

  it.each([
    ['64/45', [642, 90, 160, 22]],
    ['16/15', [482, 90, 160, 30]],
    ['1/2', [226, 90, 160, 64]],
    ['1/1', [452, 90, 160, 32]],
  ])('shows a video with pixels of %s in the shape that a player gives it', async (aspect, expected) => {
    const folder = tempFolder();
    const frames = await makeFrames(folder, 6);
    const path = join(folder, 'wide.mp4');
    // Pixels that are not square are how a camera of analogue origin, or a clip of one, stores its picture.
    const shape = `scale=452:90,setsar=${aspect}`;
    const input = ['-v', 'error', '-framerate', '10', '-i', join(frames, 'frame%d.jpg'), '-vf', shape];
    runTool('ffmpeg', [...input, '-c:v', 'mpeg4', '-q:v', '4', path]);
    const camera = replay(path);
    const { width, height } = await camera.open(new AbortController().signal);
    let frame: Frame | undefined;
    for await (const each of camera.frames(new AbortController().signal)) frame ??= each;
    const delivered = jpegSize(frame?.jpeg ?? new Uint8Array());
    expect([delivered.width, delivered.height]).toEqual([width, height]);
    expect([width, height, frame?.luma?.width, frame?.luma?.height]).toEqual(expected);
  });

  it('delivers the frames of a truncated file, then fails with video-truncated', async () => {
    const folder = tempFolder();
    const path = await makeVideo(folder, 40);
    const bytes = readFileSync(path);
    const cut = join(folder, 'cut.mp4');
    writeFileSync(cut, bytes.subarray(0, Math.round(bytes.length * 0.6)));
    const camera = replay(cut);
    await camera.open(new AbortController().signal);
    let count = 0;
    const code = await asyncCodeOf(async () => {
      for await (const _ of camera.frames(new AbortController().signal)) count++;
    });
    expect(code).toBe('video-truncated');
    expect(count).toBeGreaterThan(5);
    expect(count).toBeLessThan(40);
  });

  it('opens a file whose name starts with a dash or looks like a protocol', async () => {
    const folder = tempFolder();
    const bytes = readFileSync(await makeVideo(folder, 5));
    for (const name of ['-i.mp4', 'concat:x.mp4']) {
      writeFileSync(join(folder, name), bytes);
      expect(await playAll(replay(join(folder, name)))).toBe(5);
    }
  });
});

describe('camera: replay without ffmpeg', () => {
  it('fails with the package to install', async () => {
    const folder = tempFolder();
    const path = join(folder, 'clip.mp4');
    writeFileSync(path, 'x');
    const before = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      const camera = new ReplayCamera({ path, folderFramesPerSecond: 10, clock: realClock, pace: 'fast', loop: false });
      await expect(camera.open(new AbortController().signal)).rejects.toMatchObject({
        code: 'ffmpeg-missing',
        hint: expect.stringContaining('apt install ffmpeg') as string,
      });
    } finally {
      process.env['PATH'] = before;
    }
  });
});
