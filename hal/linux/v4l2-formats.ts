import { notOffered, offerText, type SensorMode, type RequestedMode } from './offers.js';

/** Sizes between two bounds, both included, in steps from the lower one: as the cameras of many SoCs offer them. */
export interface SizeRange {
  readonly width: Span;
  readonly height: Span;
  /** The fastest rate; 0 is unknown. */
  readonly framesPerSecond: number;
}

interface Span {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** A pixel format with its sizes and rates; a rate of 0 is unknown. */
export interface V4l2Format {
  readonly isJpeg: boolean;
  /** The name in ffmpeg. */
  readonly name: string;
  readonly modes: readonly SensorMode[];
  readonly ranges: readonly SizeRange[];
}

function spanOf(min: string | undefined, max: string | undefined, step: string | undefined): Span {
  return { min: Number(min), max: Number(max), step: Math.max(1, Number(step ?? 1)) };
}

function isIn({ min, max, step }: Span, value: number): boolean {
  return value >= min && value <= max && (value - min) % step === 0;
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

interface OpenFormat extends V4l2Format {
  readonly modes: SensorMode[];
  readonly ranges: SizeRange[];
}

const DISCRETE = /Size: Discrete (\d+)x(\d+)/;
const RANGE = /Size: (?:Stepwise|Continuous) (\d+)x(\d+) - (\d+)x(\d+)(?: with step (\d+)\/(\d+))?/;
const RATE = /\((\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))? fps\)/;

/** Parses the output of `v4l2-ctl --list-formats-ext`. */
export function parseV4l2Ctl(text: string): V4l2Format[] {
  const formats: OpenFormat[] = [];
  let isRange = false;
  for (const line of text.split('\n')) {
    const format = /^\s*\[\d+\]: '(.{4})'/.exec(line);
    if (format !== null) {
      const name = FFMPEG_NAMES[format[1] ?? ''] ?? '';
      formats.push({ isJpeg: name === 'mjpeg', name, modes: [], ranges: [] });
      continue;
    }
    const last = formats.at(-1);
    if (last === undefined) continue;
    const size = DISCRETE.exec(line);
    const range = RANGE.exec(line);
    const rate = RATE.exec(line);
    if (size !== null) {
      isRange = false;
      last.modes.push({ width: Number(size[1]), height: Number(size[2]), framesPerSecond: 0 });
    } else if (range !== null) {
      isRange = true;
      const [, minWidth, minHeight, maxWidth, maxHeight, stepX, stepY] = range;
      const spans = { width: spanOf(minWidth, maxWidth, stepX), height: spanOf(minHeight, maxHeight, stepY) };
      last.ranges.push({ ...spans, framesPerSecond: 0 });
    } else if (rate !== null) {
      addRate(last, isRange, Number(rate[2] ?? rate[1]));
    }
  }
  return formats.filter(({ name }) => name !== '');
}

/** Adds a rate to the size that was listed last. Of a range only the fastest one counts. */
function addRate({ modes, ranges }: OpenFormat, isRange: boolean, framesPerSecond: number): void {
  const range = ranges.at(-1);
  if (isRange && range !== undefined) {
    ranges[ranges.length - 1] = { ...range, framesPerSecond: Math.max(range.framesPerSecond, framesPerSecond) };
    return;
  }
  const mode = modes.at(-1);
  if (mode === undefined) return;
  // The size alone was kept until its first rate came.
  if (mode.framesPerSecond === 0) modes.pop();
  modes.push({ ...mode, framesPerSecond });
}

/** Parses what `ffmpeg -f v4l2 -list_formats all` prints on stderr, without rates. A range is `{32-2592, 2}x{32-1944, 2}`. */
export function parseFfmpegFormats(text: string): V4l2Format[] {
  const known = new Set(Object.values(FFMPEG_NAMES));
  const formats: V4l2Format[] = [];
  for (const line of text.split('\n')) {
    const match = /(?:Compressed|Raw\s*):\s*(\w+) :.*? : ([\dx {}\-,]+)$/.exec(line.trimEnd());
    if (match === null || !known.has(match[1] ?? '')) continue;
    const listed = match[2] ?? '';
    const sizes = [...listed.matchAll(/\b(\d+)x(\d+)\b/g)];
    const modes = sizes.map((size) => ({ width: Number(size[1]), height: Number(size[2]), framesPerSecond: 0 }));
    const spans = [...listed.matchAll(/\{(\d+)-(\d+), (\d+)\}x\{(\d+)-(\d+), (\d+)\}/g)];
    const ranges = spans.map(([, minX, maxX, stepX, minY, maxY, stepY]) => ({
      width: spanOf(minX, maxX, stepX),
      height: spanOf(minY, maxY, stepY),
      framesPerSecond: 0,
    }));
    formats.push({ isJpeg: match[1] === 'mjpeg', name: match[1] ?? '', modes, ranges });
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
    const listed = format.modes.filter(({ width, height }) => width === wanted.width && height === wanted.height);
    const between = format.ranges.filter(
      ({ width, height }) => isIn(width, wanted.width) && isIn(height, wanted.height),
    );
    // In a range of sizes the camera keeps to any rate up to the fastest.
    const rates = [...listed, ...between.map(({ framesPerSecond }) => ({ framesPerSecond }))]
      .map(({ framesPerSecond }) => framesPerSecond)
      .filter((rate) => rate === 0 || rate >= wanted.framesPerSecond);
    // The slowest rate that is fast enough: surplus frames are compressed and copied, and then dropped.
    if (listed.length === 0 && rates.length > 0) return { format, framesPerSecond: wanted.framesPerSecond };
    if (rates.length > 0) return { format, framesPerSecond: Math.max(wanted.framesPerSecond, Math.min(...rates)) };
  }
  const ranges = [...new Set(ordered.flatMap((format) => format.ranges.map(rangeText)))];
  const sizes = offerText(ordered.flatMap(({ modes }) => modes)).replaceAll(' at 0', '');
  const offered = [sizes, ...ranges].filter((each) => each !== '').join(', ');
  throw notOffered(model, wanted, offered === '' ? 'no size in a format that is known here' : offered);
}

function rangeText({ width, height, framesPerSecond }: SizeRange): string {
  const steps =
    width.step === 1 && height.step === 1 ? '' : ` in steps of ${String(width.step)}x${String(height.step)}`;
  const rate = framesPerSecond === 0 ? '' : ` at up to ${String(Math.floor(framesPerSecond))}`;
  const text = (end: 'min' | 'max'): string => `${String(width[end])}x${String(height[end])}`;
  return `${text('min')} to ${text('max')}${steps}${rate}`;
}
