import { describe, expect, it } from 'vitest';
import { chooseCamera, parseCamList, parseHelloList } from '../../../../hal/linux/offers.js';
import { chooseFormat, parseFfmpegFormats, parseV4l2Ctl } from '../../../../hal/linux/v4l2-formats.js';
import { codeOf } from '../../../support/codes.js';
import { HELLO_LIST } from '../../../support/engines/stand-ins.js';

const V4L2_CTL = `ioctl: VIDIOC_ENUM_FMT
\tType: Video Capture

\t[0]: 'YUYV' (YUYV 4:2:2)
\t\tSize: Discrete 640x480
\t\t\tInterval: Discrete 0.033s (30.000 fps)
\t\t\tInterval: Discrete 0.067s (15.000 fps)
\t[1]: 'MJPG' (Motion-JPEG, compressed)
\t\tSize: Discrete 1280x720
\t\t\tInterval: Discrete 0.033s (30.000 fps)
\t\tSize: Discrete 640x480
\t\t\tInterval: Discrete 0.033s (30.000 fps)
\t\t\tInterval: Discrete 0.040s (25.000 fps)
\t[2]: 'H264' (H.264, compressed)
\t\tSize: Discrete 1920x1080
\t\t\tInterval: Discrete 0.033s (30.000 fps)
`;

const FFMPEG = `[video4linux2,v4l2 @ 0x55d] Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 320x240
[video4linux2,v4l2 @ 0x55d] Compressed:       mjpeg :          Motion-JPEG : 640x480 1280x720
[video4linux2,v4l2 @ 0x55d] Compressed:        h264 :                H.264 : 1920x1080
/dev/video0: Immediate exit requested
`;

describe('the list of libcamera', () => {
  it('is parsed with every mode', () => {
    const cameras = parseHelloList(HELLO_LIST);
    expect(cameras.map(({ index, model, modes }) => [index, model, modes.length])).toEqual([
      [0, 'imx708', 3],
      [1, 'imx219', 3],
    ]);
    expect(cameras[0]?.id).toBe('/base/soc/i2c0mux/i2c@1/imx708@1a');
    expect(cameras[0]?.modes[1]).toEqual({ width: 2304, height: 1296, framesPerSecond: 56.03 });
    expect(chooseCamera(cameras, '1').model).toBe('imx219');
    expect(chooseCamera(cameras, '/base/soc/i2c0mux/i2c@0/imx219@10').index).toBe(1);
    for (const text of ['', 'No cameras available!', 'Available cameras\n---']) {
      expect(parseHelloList(text)).toEqual([]);
      expect(codeOf(() => chooseCamera(parseHelloList(text), ''))).toBe('camera-unavailable');
    }
  });

  it('is parsed from `cam` too, which lists no modes', () => {
    const text =
      "Available cameras:\n1: 'imx219' (/base/soc/i2c0mux/i2c@1/imx219@10)\n" +
      "2: External camera 'Logi C270' (\\_SB_.PCI0.RP05-1:1.0-046d:0825)\n";
    expect(parseCamList(text)).toEqual([
      { index: 0, model: 'imx219', id: '/base/soc/i2c0mux/i2c@1/imx219@10', modes: [] },
      { index: 1, model: 'External camera Logi C270', id: '\\_SB_.PCI0.RP05-1:1.0-046d:0825', modes: [] },
    ]);
  });
});

describe('ranges of sizes', () => {
  const wanted = { width: 640, height: 480, framesPerSecond: 10 };
  const ctl = `\t[0]: 'YU12' (Planar YUV 4:2:0)
\t\tSize: Stepwise 32x32 - 2592x1944 with step 2/2
\t[1]: 'MJPG' (Motion-JPEG, compressed)
\t\tSize: Stepwise 32x32 - 2592x1944 with step 2/2
`;
  const continuous = `\t[0]: 'YUYV' (YUYV 4:2:2)
\t\tSize: Continuous 48x32 - 1920x1080
\t\t\tInterval: Continuous 0.017s - 1.000s (1.000-60.000 fps)
`;
  const ffmpeg = `[video4linux2,v4l2 @ 0x1] Raw       :     yuv420p :     Planar YUV 4:2:0 : {32-2592, 2}x{32-1944, 2}
[video4linux2,v4l2 @ 0x1] Compressed:       mjpeg :          JFIF JPEG : {32-2592, 2}x{32-1944, 2}
`;

  it.each([
    ['of v4l2-ctl', parseV4l2Ctl(ctl), 'mjpeg'],
    ['of ffmpeg', parseFfmpegFormats(ffmpeg), 'mjpeg'],
    ['continuous ones', parseV4l2Ctl(continuous), 'yuyv422'],
  ])('%s: a size that lies in one is chosen, at the rate that was asked for', (_, formats, name) => {
    const { format, framesPerSecond } = chooseFormat('cam', formats, wanted);
    expect([format.name, framesPerSecond]).toEqual([name, 10]);
    expect(chooseFormat('cam', formats, { ...wanted, width: 1920, height: 1080 }).format.name).toBe(name);
  });

  it('a size outside, between two steps, or faster than the range goes is refused, and the range is named', () => {
    const code = (text: string, change: object): string =>
      codeOf(() => chooseFormat('cam', parseV4l2Ctl(text), { ...wanted, ...change }));
    expect(code(ctl, { width: 641 })).toBe('camera-unavailable');
    expect(code(ctl, { width: 16, height: 16 })).toBe('camera-unavailable');
    expect(code(ctl, { width: 4000 })).toBe('camera-unavailable');
    expect(code(continuous, { framesPerSecond: 61 })).toBe('camera-unavailable');
    expect(code(continuous, { framesPerSecond: 60 })).toBe('accepted');
    expect(() => chooseFormat('cam', parseV4l2Ctl(continuous), { ...wanted, width: 4000 })).toThrow(
      '48x32 to 1920x1080 at up to 60',
    );
  });
});

describe('ranges of rates', () => {
  const at = (text: string, framesPerSecond: number): number | string => {
    try {
      return chooseFormat('cam', parseV4l2Ctl(text), { width: 640, height: 480, framesPerSecond }).framesPerSecond;
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };
  const discrete = (...intervals: readonly string[]): string =>
    [
      "\t[0]: 'YUYV' (YUYV 4:2:2)",
      '\t\tSize: Discrete 640x480',
      ...intervals.map((each) => `\t\t\tInterval: ${each}`),
    ].join('\n');
  const stepwise = 'Stepwise 0.020s - 1.000s with step 0.020s (1.000-50.000 fps)';
  const range = (...intervals: readonly string[]): string =>
    discrete(...intervals).replace('Discrete 640x480', 'Stepwise 32x32 - 2592x1944 with step 2/2');

  it.each([
    ['discrete sizes', discrete],
    ['a range of sizes', range],
  ])('%s: a rate within a continuous range is asked for as it is', (_, text) => {
    const offer = text('Continuous 0.017s - 0.200s (5.000-60.000 fps)');
    expect(at(offer, 10)).toBe(10);
    expect(at(offer, 30)).toBe(30);
    // Slower than the slowest: surplus frames are dropped.
    expect(at(offer, 2)).toBe(5);
    expect(at(offer, 61)).toContain('does not offer 640x480 at 61');
  });

  it.each([
    ['discrete sizes', discrete],
    ['a range of sizes', range],
  ])('%s: between two steps the next faster rate is chosen', (_, text) => {
    const offer = text(stepwise);
    // Steps of 20 ms: 50, 25, 16.667, 12.5, 10 frames a second.
    expect([50, 26, 25, 15, 11, 10].map((rate) => at(offer, rate))).toEqual([50, 50, 25, 16.667, 12.5, 10]);
    expect(at(offer, 51)).toContain('does not offer');
  });

  it('a list of rates in a range of sizes is a list: the slowest one that is fast enough', () => {
    const offer = range('Discrete 0.033s (30.000 fps)', 'Discrete 0.067s (15.000 fps)');
    expect([10, 15, 16, 30].map((rate) => at(offer, rate))).toEqual([15, 15, 30, 30]);
    expect(at(offer, 31)).toContain('32x32 to 2592x1944 in steps of 2x2 at up to 30');
  });

  it('a rate of television counts as the whole number that it is called by', () => {
    expect(at(discrete('Discrete 0.033s (29.970 fps)'), 30)).toBe(29.97);
    expect(at(discrete('Discrete 0.034s (29.000 fps)'), 30)).toContain('does not offer');
  });
});

describe('the formats of a video device', () => {
  it('are chosen with JPEG first, at the slowest rate that is fast enough', () => {
    const formats = parseV4l2Ctl(V4L2_CTL);
    expect(formats.map(({ name, modes }) => [name, modes.length])).toEqual([
      ['yuyv422', 2],
      ['mjpeg', 3],
      ['h264', 1],
    ]);
    // Pictures and video are chosen apart.
    const at = (width: number, height: number, framesPerSecond: number, isVideo = false): unknown => {
      const offered = formats.filter(({ name }) => (name === 'h264') === isVideo);
      const { format, framesPerSecond: rate } = chooseFormat('cam', offered, { width, height, framesPerSecond });
      return [format.name, rate];
    };
    expect(at(1920, 1080, 10, true)).toEqual(['h264', 30]);
    expect(at(640, 480, 10)).toEqual(['mjpeg', 25]);
    expect(at(640, 480, 25)).toEqual(['mjpeg', 25]);
    expect(at(1280, 720, 30)).toEqual(['mjpeg', 30]);
    expect(() => at(1920, 1080, 10)).toThrow(
      'cam does not offer 1920x1080 at 10 frames a second; it offers ' +
        '1280x720 at 30, 640x480 at 30, 640x480 at 25, 640x480 at 15',
    );
  });

  it('are parsed from ffmpeg where v4l2-ctl is missing, without rates', () => {
    const formats = parseFfmpegFormats(FFMPEG);
    expect(formats.map(({ name }) => name)).toEqual(['yuyv422', 'mjpeg', 'h264']);
    const small = chooseFormat('cam', formats, { width: 320, height: 240, framesPerSecond: 10 });
    expect([small.format.name, small.framesPerSecond]).toEqual(['yuyv422', 10]);
    expect(() => chooseFormat('cam', formats, { width: 800, height: 600, framesPerSecond: 10 })).toThrow(
      'it offers 640x480, 1280x720, 320x240',
    );
    expect(parseFfmpegFormats('')).toEqual([]);
    expect(() => chooseFormat('cam', [], { width: 8, height: 8, framesPerSecond: 1 })).toThrow('no size');
  });
});
