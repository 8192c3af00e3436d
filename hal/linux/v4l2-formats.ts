import { notOffered, offerText, type SensorMode, type RequestedMode } from './offers.js';

/** A pixel format with its sizes and rates; a rate of 0 is unknown. */
export interface V4l2Format {
  readonly isJpeg: boolean;
  /** The name in ffmpeg. */
  readonly name: string;
  readonly modes: readonly SensorMode[];
}

/** The formats that can be turned into JPEG: the four characters, and the name in ffmpeg. */
const FFMPEG_NAMES: Readonly<Record<string, string>> = {
  MJPG: 'mjpeg',
  JPEG: 'mjpeg',
  YUYV: 'yuyv422',
  UYVY: 'uyvy422',
  NV12: 'nv12',
  YU12: 'yuv420p',
  RGB3: 'rgb24',
  BGR3: 'bgr24',
};

/** Parses the output of `v4l2-ctl --list-formats-ext`. */
export function parseV4l2Ctl(text: string): V4l2Format[] {
  const formats: { isJpeg: boolean; name: string; modes: SensorMode[] }[] = [];
  let width = 0;
  let height = 0;
  for (const line of text.split('\n')) {
    const format = /^\s*\[\d+\]: '(.{4})'/.exec(line);
    const size = /Size: (?:Discrete (\d+)x(\d+)|(?:Stepwise|Continuous) \d+x\d+ - (\d+)x(\d+))/.exec(line);
    const rate = /\((\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))? fps\)/.exec(line);
    if (format !== null) {
      const name = FFMPEG_NAMES[format[1] ?? ''] ?? '';
      formats.push({ isJpeg: name === 'mjpeg', name, modes: [] });
    } else if (size !== null) {
      width = Number(size[1] ?? size[3]);
      height = Number(size[2] ?? size[4]);
      formats.at(-1)?.modes.push({ width, height, framesPerSecond: 0 });
    } else if (rate !== null) {
      const modes = formats.at(-1)?.modes;
      // The size alone was kept until its first rate came.
      if (modes?.at(-1)?.framesPerSecond === 0) modes.pop();
      modes?.push({ width, height, framesPerSecond: Number(rate[2] ?? rate[1]) });
    }
  }
  return formats.filter(({ name }) => name !== '');
}

/** Parses what `ffmpeg -f v4l2 -list_formats all` prints on stderr, without rates. */
export function parseFfmpegFormats(text: string): V4l2Format[] {
  const known = new Set(Object.values(FFMPEG_NAMES));
  const formats: V4l2Format[] = [];
  for (const line of text.split('\n')) {
    const match = /(?:Compressed|Raw\s*):\s*(\w+) :.*? : ([\dx {}\-,]+)$/.exec(line.trimEnd());
    if (match === null || !known.has(match[1] ?? '')) continue;
    const sizes = [...(match[2] ?? '').matchAll(/\b(\d+)x(\d+)\b/g)];
    const modes = sizes.map((size) => ({ width: Number(size[1]), height: Number(size[2]), framesPerSecond: 0 }));
    formats.push({ isJpeg: match[1] === 'mjpeg', name: match[1] ?? '', modes });
  }
  return formats;
}

/** Chooses a format: JPEG where the camera makes it, else one to compress here. @throws SealcamError `camera-unavailable` */
export function chooseFormat(
  model: string,
  formats: readonly V4l2Format[],
  wanted: RequestedMode,
): { readonly format: V4l2Format; readonly framesPerSecond: number } {
  const ordered = [...formats].sort((a, b) => Number(b.isJpeg) - Number(a.isJpeg));
  for (const format of ordered) {
    const rates = format.modes
      .filter(({ width, height }) => width === wanted.width && height === wanted.height)
      .map(({ framesPerSecond }) => framesPerSecond)
      .filter((rate) => rate === 0 || rate >= wanted.framesPerSecond);
    // The slowest rate that is fast enough: surplus frames are compressed and copied, and then dropped.
    if (rates.length > 0) return { format, framesPerSecond: Math.max(wanted.framesPerSecond, Math.min(...rates)) };
  }
  const offered = offerText(ordered.flatMap(({ modes }) => modes)).replaceAll(' at 0', '');
  throw notOffered(model, wanted, offered === '' ? 'no size in a format that is known here' : offered);
}
