import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { jpegSize } from '../../../hal/image.js';
import { ChildCamera } from '../../../hal/linux/child-camera.js';
import { LibcameraCommands } from '../../../hal/linux/libcamera.js';
import { V4l2Commands } from '../../../hal/linux/v4l2.js';
import { asyncCodeOf } from '../../support/codes.js';
import { readUnits, videoContract, type WithVideo } from '../../support/contracts/video-contract.js';
import { HELLO_LIST, StandIns } from '../../support/engines/stand-ins.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';

const never = (): AbortSignal => new AbortController().signal;
const WANTED = { width: 640, height: 480, framesPerSecond: 10, clock: realClock, withVideo: true };

const PICTURE = '-v error -re -f lavfi -i testsrc2=size=640x480:rate=10';
const X264 =
  '-c:v libx264 -preset ultrafast -tune zerolatency -g 10 -threads 1 -x264-params sliced-threads=0:repeat-headers=1 -f h264';
const JPEG = '-c:v mjpeg -f image2pipe';

/** Returns a shell's line that runs the real ffmpeg, which a stand-in of that name hides. */
const ffmpeg = (args: string): string => `PATH=/usr/bin:/bin ffmpeg ${args}`;

function both(camera: ChildCamera): WithVideo {
  return { camera, video: camera.video };
}

function libcamera(): ChildCamera {
  return new ChildCamera(new LibcameraCommands({ ...WANTED, device: '' }), realClock);
}

/** Returns a USB camera on /dev/null, whose program is the body of this script. */
function usbCamera(stand: StandIns, body: string, format = 'H264'): ChildCamera {
  const offer = `[0]: '${format}' (x)\\n\\t\\tSize: Discrete 640x480\\n\\t\\t\\tInterval: Discrete 0.100s (10.000 fps)`;
  stand.add('v4l2-ctl', `printf "\\t${offer}\\n"`);
  stand.add('ffmpeg', `case "$1" in -version) exit 0;; esac\n${body}`);
  return new ChildCamera(new V4l2Commands({ ...WANTED, device: '/dev/null' }), realClock);
}

const BOTH_OUTPUTS = `exec env ${ffmpeg(`${PICTURE} -map 0:v ${X264} pipe:3 -map 0:v ${JPEG} pipe:1`)}`;

describeWith('ffmpeg', 'video: h264 of rpicam-vid, a stand-in, beside the real ffmpeg', () => {
  const raspberryPi = (): StandIns => {
    const stand = new StandIns();
    stand.add('rpicam-hello', `cat <<'END'\n${HELLO_LIST}END`);
    stand.add('rpicam-vid', `exec ffmpeg ${PICTURE} ${X264} pipe:1`);
    return stand;
  };

  videoContract('h264', () => {
    raspberryPi();
    return Promise.resolve(both(libcamera()));
  });

  it('takes a still beside a busy encoder: the newest picture, without a second program', async () => {
    const stand = raspberryPi();
    const camera = libcamera();
    await camera.video.open(never());
    for await (const _ of camera.frames(never())) {
      const units = camera.video.units(never())[Symbol.asyncIterator]();
      expect((await units.next()).done).toBe(false);
      expect(jpegSize((await camera.still(never())).jpeg)).toEqual({ width: 640, height: 480 });
      await units.return?.();
      break;
    }
    expect(stand.argv('rpicam-vid').filter((arg) => arg === '--codec')).toHaveLength(1);
    await camera.close();
  });

  it('asks for headers in each key unit, a key unit every two seconds, and a rate', async () => {
    const stand = raspberryPi();
    const camera = libcamera();
    expect(await camera.video.open(never())).toMatchObject({
      codec: 'h264',
      width: 640,
      height: 480,
      keyIntervalMs: 2000,
    });
    await readUnits(both(camera), 1);
    expect(stand.argv('rpicam-vid').join(' ')).toBe(
      '--camera 0 --codec h264 --profile baseline --inline --intra 20 --bitrate 1500000 --width 640 --height 480 --framerate 10 -t 0 -n --flush -o -',
    );
    await camera.close();
  });
});

describeWith('rtsp', 'video: h264 of GStreamer, whose source is a test picture', () => {
  const debian = (): StandIns => {
    const stand = new StandIns();
    stand.add('cam', 'echo "1: \'imx219\' (/base/soc/imx219@10)"');
    // There is no board's encoder here; x264enc stands in.
    stand.add('gst-inspect-1.0', '[ "$2" = x264enc ]');
    const source = 'case "$a" in libcamerasrc) a=videotestsrc;; camera-name=*) a=is-live=true;; esac';
    stand.add(
      'gst-launch-1.0',
      `case "$1" in --version) exit 0;; esac\nfor a; do shift; ${source}; set -- "$@" "$a"; done\nexec /usr/bin/gst-launch-1.0 "$@"`,
    );
    // The programs of a Raspberry Pi must not be found.
    for (const name of ['rpicam-hello', 'libcamera-hello']) expect(existsSync(`/usr/bin/${name}`)).toBe(false);
    return stand;
  };

  videoContract('h264', () => {
    debian();
    return Promise.resolve(both(libcamera()));
  });

  it('takes the encoder of a board that has one, and says what to install', async () => {
    const stand = debian();
    stand.add('gst-inspect-1.0', 'exit 1');
    await expect(libcamera().video.open(never())).rejects.toMatchObject({ code: 'video-unsupported' });
    stand.add('gst-inspect-1.0', 'exit 0');
    stand.add('gst-launch-1.0', 'case "$1" in --version) exit 0;; esac; exit 1');
    const camera = libcamera();
    await camera.video.open(never());
    await asyncCodeOf(() => readUnits(both(camera), 1));
    expect(stand.argv('gst-launch-1.0').join(' ')).toContain(
      '! v4l2h264enc extra-controls=controls,video_bitrate=1500000,h264_i_frame_period=20,repeat_sequence_header=1 ! video/x-h264,level=(string)4 ! h264parse',
    );
  });
});

describeWith('ffmpeg', 'video: h264 of a V4L2 camera, a stand-in for its ffmpeg', () => {
  videoContract('h264', () => Promise.resolve(both(usbCamera(new StandIns(), BOTH_OUTPUTS))));

  it('copies the video of the camera, and makes pictures of it', async () => {
    const stand = new StandIns();
    const camera = usbCamera(stand, BOTH_OUTPUTS);
    await camera.video.open(never());
    await readUnits(both(camera), 1);
    expect(stand.argv('ffmpeg').join(' ').replace('-version ', '')).toBe(
      '-hide_banner -nostdin -loglevel error -f v4l2 -input_format h264 -video_size 640x480 -framerate 10 -i /dev/null ' +
        '-map 0:v:0 -c:v copy -bsf:v h264_metadata=aud=remove,dump_extra=freq=keyframe,h264_metadata=aud=insert -flush_packets 1 -f h264 pipe:3 ' +
        '-map 0:v:0 -vf fps=10,scale=640:480 -c:v mjpeg -q:v 5 -f image2pipe -flush_packets 1 pipe:1',
    );
    await camera.close();
  });

  it('goes on with pictures when its encoder dies, and starts it again for the next reader', async () => {
    const stand = new StandIns();
    const first = ffmpeg(`${PICTURE} -map 0:v ${JPEG} pipe:1 -map 0:v -t 1 ${X264} pipe:3`);
    const camera = usbCamera(
      stand,
      `[ -e "$here/ran" ] && ${BOTH_OUTPUTS}\ntouch "$here/ran"\n${first} 3>&3 &\nexec 3>&-\nwait`,
    );
    await camera.video.open(never());
    const stop = new AbortController();
    const indices: number[] = [];
    const frames = (async () => {
      for await (const { index } of camera.frames(stop.signal)) indices.push(index);
    })();
    const died = await asyncCodeOf(async () => {
      for await (const _ of camera.video.units(never()));
    });
    expect(died).toBe('video-ended');
    const before = indices.length;
    await until('a picture without video', () => indices.length > before);
    for await (const unit of camera.video.units(never())) {
      expect(unit.isKey).toBe(true);
      break;
    }
    stop.abort();
    await frames;
    expect([...indices].sort((a, b) => a - b)).toEqual(indices);
    expect(new Set(indices).size).toBe(indices.length);
    await camera.close();
  });

  it('ends both when its pictures end while the encoder lives', async () => {
    const body = `(${ffmpeg(`${PICTURE} ${X264} pipe:3`)} >/dev/null &)\n${ffmpeg(`${PICTURE} -t 1 ${JPEG} pipe:1`)}\nexec sleep 60 >/dev/null`;
    const camera = usbCamera(new StandIns(), body);
    await camera.video.open(never());
    const units = asyncCodeOf(async () => {
      for await (const _ of camera.video.units(never()));
    });
    const frames = asyncCodeOf(async () => {
      for await (const _ of camera.frames(never()));
    });
    expect([await frames, await units]).toEqual(['camera-ended', 'video-ended']);
    await camera.close();
  });

  it('says that a camera offers no H.264, and streams its pictures', async () => {
    const camera = usbCamera(new StandIns(), `exec env ${ffmpeg(`${PICTURE} ${JPEG} pipe:1`)}`, 'MJPG');
    await expect(camera.video.open(never())).rejects.toMatchObject({ code: 'video-unsupported' });
    for await (const frame of camera.frames(never())) {
      expect(frame.index).toBe(0);
      break;
    }
    await camera.close();
  });
});

describe('video of a camera that was asked for none', () => {
  it('is refused', async () => {
    const stand = new StandIns();
    const offer = 'printf "\\t[0]: \'MJPG\' (x)\\n\\t\\tSize: Discrete 640x480\\n"';
    stand.add('v4l2-ctl', offer);
    stand.add('ffmpeg', 'exit 0');
    const commands = new V4l2Commands({ ...WANTED, withVideo: false, device: '/dev/null' });
    expect(await asyncCodeOf(() => new ChildCamera(commands, realClock).video.open(never()))).toBe('video-unsupported');
  });
});
