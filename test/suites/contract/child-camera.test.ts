import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { jpegSize } from '../../../hal/image.js';
import { JpegSplitter } from '../../../hal/jpeg-splitter.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import type { Camera } from '../../../hal/camera.js';
import { ChildCamera, type StreamPlan } from '../../../hal/linux/child-camera.js';
import { LibcameraCommands } from '../../../hal/linux/libcamera.js';
import { V4l2Commands } from '../../../hal/linux/v4l2.js';
import { MockCamera } from '../../../hal/mock/camera.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '../../../hal/mock/scenes/scene-art.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import { ReplayCamera } from '../../../hal/replay/camera.js';
import { liveCameraContract, readFrames } from '../../support/contracts/live-camera-contract.js';
import { HELLO_LIST, StandIns } from '../../support/engines/stand-ins.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { makeFrames } from '../../support/engines/video.js';
import { limitMs } from '../../support/runner/speed.js';

const WIDTH = SCENE_WIDTH;
const HEIGHT = SCENE_HEIGHT;
const SIZE = [
  `--width ${String(WIDTH)} --height ${String(HEIGHT)}`,
  `width=${String(WIDTH)},height=${String(HEIGHT)}`,
] as const;

/** Installs stand-ins for the programs of a Raspberry Pi. */
async function raspberryPi(names: { readonly list: string; readonly stream: string }): Promise<StandIns> {
  const stand = new StandIns();
  await makeFrames(stand.folder, 10);
  stand.add(names.list, `cat <<'END'\n${HELLO_LIST}END`);
  stand.add(names.stream, 'while :; do for f in "$here"/frames/*.jpg; do cat "$f" || exit 0; sleep 0.1; done; done');
  return stand;
}

function libcamera(device = ''): ChildCamera {
  const wanted = { width: WIDTH, height: HEIGHT, framesPerSecond: 10 };
  return new ChildCamera(new LibcameraCommands({ ...wanted, device, clock: realClock, withVideo: false }), realClock);
}

describe('live camera: mock', () => {
  liveCameraContract(() =>
    Promise.resolve(
      new MockCamera({
        script: buildScript('garden', 'walk', 1),
        framesPerSecond: 10,
        clock: realClock,
        pace: 'live',
        frameLimit: null,
        withLuma: false,
      }),
    ),
  );
});

describe('live camera: replay', () => {
  liveCameraContract(async () => {
    const path = await makeFrames(tempFolder(), 14);
    return new ReplayCamera({ path, folderFramesPerSecond: 10, clock: realClock, pace: 'live', loop: true });
  });
});

describe('live camera: libcamera, stand-in for rpicam-vid', () => {
  liveCameraContract(async () => {
    await raspberryPi({ list: 'rpicam-hello', stream: 'rpicam-vid' });
    return libcamera();
  });

  it('passes the configuration to the command as arguments', async () => {
    const stand = await raspberryPi({ list: 'rpicam-hello', stream: 'rpicam-vid' });
    const camera = libcamera('1');
    expect(await camera.open(new AbortController().signal)).toMatchObject({ driver: 'libcamera', model: 'imx219' });
    await readFrames(camera, 1);
    expect(stand.argv('rpicam-vid').join(' ')).toBe(
      `--camera 1 --codec mjpeg --quality 80 ${SIZE[0]} --framerate 10 -t 0 -n --flush -o -`,
    );
  });

  it('uses the older names, or GStreamer, where only those are installed', async () => {
    const stand = await raspberryPi({ list: 'libcamera-hello', stream: 'libcamera-vid' });
    const camera = libcamera();
    await camera.open(new AbortController().signal);
    expect(await readFrames(camera, 2)).toHaveLength(2);
    expect(stand.argv('libcamera-vid')).toContain('mjpeg');
    const debian = await raspberryPi({ list: 'unused', stream: 'gst-launch-1.0' });
    // The stand-ins added above must not be found.
    debian.alone();
    debian.add('cam', "echo 'Available cameras:'; echo \"1: 'imx219' (/base/soc/i2c0mux/i2c@1/imx219@10)\"");
    debian.add('gst-launch-1.0', 'case "$1" in --version) exit 0;; esac; exec /bin/cat "$here/frames/frame0.jpg"');
    const gst = libcamera();
    expect(await gst.open(new AbortController().signal)).toMatchObject({ model: 'imx219' });
    await readFrames(gst, 1).catch(() => []);
    expect(debian.argv('gst-launch-1.0').slice(1).join(' ')).toBe(
      '-q libcamerasrc camera-name=/base/soc/i2c0mux/i2c@1/imx219@10 ! ' +
        `video/x-raw,format=NV12,${SIZE[1]} ! jpegenc ! fdsink fd=1`,
    );
  });
});

/** Returns a USB camera on /dev/null, a device that exists everywhere, which offers this format. */
function usbCamera(stand: StandIns, format: 'MJPG' | 'YUYV'): ChildCamera {
  const size = `${String(WIDTH)}x${String(HEIGHT)}`;
  stand.add(
    'v4l2-ctl',
    `printf "\\t[0]: '${format}' (x)\\n\\t\\tSize: Discrete ${size}\\n\\t\\t\\tInterval: Discrete 0.100s (10.000 fps)\\n"`,
  );
  const wanted = {
    width: WIDTH,
    height: HEIGHT,
    framesPerSecond: 10,
    device: '/dev/null',
    clock: realClock,
    withVideo: false,
  };
  return new ChildCamera(new V4l2Commands(wanted), realClock);
}

describe('live camera: v4l2, stand-in for ffmpeg', () => {
  const stream = (): Promise<StandIns> => raspberryPi({ list: 'unused', stream: 'ffmpeg' });

  liveCameraContract(async () => {
    const stand = await stream();
    stand.add(
      'ffmpeg',
      'case "$1" in -version) exit 0;; esac; while :; do for f in "$here"/frames/*.jpg; do cat "$f" || exit 0; sleep 0.1; done; done',
    );
    return usbCamera(stand, 'MJPG');
  });

  it('copies JPEG, compresses other formats, and uses GStreamer without ffmpeg', async () => {
    const size = `${String(WIDTH)}x${String(HEIGHT)}`;
    const planned = async (camera: ChildCamera, stand: StandIns, program: string): Promise<string> => {
      stand.add(program, 'case "$1" in -version) exit 0;; esac; exec /bin/cat "$here/frames/frame0.jpg"');
      await camera.open(new AbortController().signal);
      await readFrames(camera, 1);
      return stand.argv(program).join(' ').replace('-version ', '');
    };
    const jpeg = await stream();
    expect(await planned(usbCamera(jpeg, 'MJPG'), jpeg, 'ffmpeg')).toBe(
      `-hide_banner -nostdin -loglevel error -f v4l2 -input_format mjpeg -video_size ${size} -framerate 10 -i /dev/null ` +
        '-an -c:v copy -bsf:v mjpeg2jpeg -f image2pipe -flush_packets 1 pipe:1',
    );
    const raw = await stream();
    expect(await planned(usbCamera(raw, 'YUYV'), raw, 'ffmpeg')).toContain(
      `-input_format yuyv422 -video_size ${size} -framerate 10 -i /dev/null -an -c:v mjpeg`,
    );
    const gst = await raspberryPi({ list: 'unused', stream: 'unused-too' });
    gst.alone();
    const camera = usbCamera(gst, 'MJPG');
    expect(await planned(camera, gst, 'gst-launch-1.0')).toBe(
      `-q v4l2src device=/dev/null ! image/jpeg,${SIZE[1]} ! fdsink fd=1`,
    );
  });
});

describeWith('ffmpeg', 'the filter for the pictures of USB cameras', () => {
  it('makes a JPEG that every decoder reads', () => {
    const encode = spawnSync('ffmpeg', [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=160x120:rate=10',
      '-frames:v',
      '3',
      '-c:v',
      'mjpeg',
      '-f',
      'avi',
      'pipe:1',
    ]);
    const copied = spawnSync(
      'ffmpeg',
      ['-v', 'error', '-i', 'pipe:0', '-c:v', 'copy', '-bsf:v', 'mjpeg2jpeg', '-f', 'image2pipe', 'pipe:1'],
      { input: encode.stdout },
    );
    const jpegs = new JpegSplitter().push(new Uint8Array(copied.stdout));
    expect(jpegs).toHaveLength(3);
    expect(jpegSize(jpegs[0] ?? new Uint8Array(0))).toEqual({ width: 160, height: 120 });
  });
});

describeWith('ffmpeg', 'live camera: a real ffmpeg as the camera program', () => {
  const plan = (rate: number, mayDeliverMore: boolean): StreamPlan => ({
    model: 'test picture',
    width: WIDTH,
    height: HEIGHT,
    framesPerSecond: 10,
    installHint: '',
    mayDeliverMore,
    command: {
      program: 'ffmpeg',
      args: [
        '-v',
        'error',
        '-nostdin',
        '-re',
        '-f',
        'lavfi',
        '-i',
        `testsrc2=size=${String(WIDTH)}x${String(HEIGHT)}:rate=${String(rate)}`,
        '-c:v',
        'mjpeg',
        '-f',
        'image2pipe',
        '-flush_packets',
        '1',
        'pipe:1',
      ],
    },
  });
  const make = (rate: number, mayDeliverMore: boolean): Camera =>
    new ChildCamera(
      {
        driver: 'v4l2',
        plan: () => Promise.resolve(plan(rate, mayDeliverMore)),
        deviceUsers: () => Promise.resolve([]),
      },
      realClock,
    );

  liveCameraContract(() => Promise.resolve(make(10, false)));

  it('thins a camera that delivers three times the frames asked for', async () => {
    const camera = make(30, true);
    await camera.open(new AbortController().signal);
    const frames = await readFrames(camera, 16);
    const elapsedMs = (frames.at(-1)?.monotonicMs ?? 0) - (frames[0]?.monotonicMs ?? 0);
    expect(elapsedMs).toBeGreaterThan(1200);
    expect(elapsedMs).toBeLessThan(limitMs(2500));
    expect(frames.map(({ index }) => index)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    await camera.close();
  });
});
