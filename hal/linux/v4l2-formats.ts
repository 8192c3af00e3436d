import { notOffered, offerText, type SensorMode, type RequestedMode } from './offers.js';

/** Sizes between two bounds, both included, in steps from the lower one: as the cameras of many SoCs offer them. */
export interface SizeRange {
  readonly width: Span;
  readonly height: Span;
  /** Empty: unknown. */
  readonly rates: readonly RateSpan[];
}

/** Rates between two bounds, in frames per second. A driver steps the time between two frames, from the shortest one. */
export interface RateSpan {
  readonly slowest: number;
  readonly fastest: number;
  /** Seconds; 0 is continuous. */
  readonly intervalStepS: number;
}

/** A size with one rate, or one span of rates. */
export interface V4l2Mode extends SensorMode {
  /** Null: unknown; `framesPerSecond` is the fastest, or 0. */
  readonly rate: RateSpan | null;
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
  readonly modes: readonly V4l2Mode[];
  readonly ranges: readonly SizeRange[];
}

function spanOf(min: string | undefined, max: string | undefined, step: string | undefined): Span {
  return { min: Number(min), max: Number(max), step: Math.max(1, Number(step ?? 1)) };
}

function isIn({ min, max, step }: Span, value: number): boolean {
  return value >= min && value <= max && (value - min) % step === 0;
}

/** The formats that can be turned into JPEG, and H.264: the four characters, and the name in ffmpeg. */
const FFMPEG_NAMES: Readonly<Record<string, string>> = {
  MJPG: 'mjpeg',
  JPEG: 'mjpeg',
  H264: 'h264',
  YUYV: 'yuyv422',
  UYVY: 'uyvy422',
  NV12: 'nv12',
  YU12: 'yuv420p',
  RGB3: 'rgb24',
  BGR3: 'bgr24',
};

interface OpenFormat extends V4l2Format {
  readonly modes: V4l2Mode[];
  readonly ranges: SizeRange[];
}

const DISCRETE = /Size: Discrete (\d+)x(\d+)/;
const RANGE = /Size: (?:Stepwise|Continuous) (\d+)x(\d+) - (\d+)x(\d+)(?: with step (\d+)\/(\d+))?/;
const RATE = /Interval: .*?(?:with step (\d+(?:\.\d+)?)s )?\((\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))? fps\)/;

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
      last.modes.push({ width: Number(size[1]), height: Number(size[2]), framesPerSecond: 0, rate: null });
    } else if (range !== null) {
      isRange = true;
      const [, minWidth, minHeight, maxWidth, maxHeight, stepX, stepY] = range;
      const spans = { width: spanOf(minWidth, maxWidth, stepX), height: spanOf(minHeight, maxHeight, stepY) };
      last.ranges.push({ ...spans, rates: [] });
    } else if (rate !== null) {
      const [, step = '0', slowest = '', fastest = slowest] = rate;
      addRate(last, isRange, {
        slowest: Number(slowest),
        fastest: Number(fastest),
        intervalStepS: Number(step),
      });
    }
  }
  return formats.filter(({ name }) => name !== '');
}

/** Adds a rate to the size that was listed last. */
function addRate({ modes, ranges }: OpenFormat, isRange: boolean, rate: RateSpan): void {
  const range = ranges.at(-1);
  if (isRange && range !== undefined) {
    ranges[ranges.length - 1] = { ...range, rates: [...range.rates, rate] };
    return;
  }
  const mode = modes.at(-1);
  if (mode === undefined) return;
  // The size alone was kept until its first rate came.
  if (mode.rate === null) modes.pop();
  modes.push({ ...mode, framesPerSecond: rate.fastest, rate });
}

/** A rate is named to this share: 29.97 is 30, and what v4l2-ctl prints is rounded. */
const RATE_TOLERANCE = 0.002;

/** Returns the slowest rate of a span that is at least the wanted one; null where none is. */
function rateIn(span: RateSpan | null, wanted: number): number | null {
  if (span === null) return wanted;
  const { slowest, fastest, intervalStepS } = span;
  if (fastest < wanted * (1 - RATE_TOLERANCE)) return null;
  if (slowest >= wanted) return slowest;
  if (fastest <= wanted) return fastest;
  if (intervalStepS === 0) return wanted;
  const shortestS = 1 / fastest;
  const steps = Math.floor((1 / wanted - shortestS) / intervalStepS + RATE_TOLERANCE);
  return Math.round(1000 / (shortestS + steps * intervalStepS)) / 1000;
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
    const modes = sizes.map((size) => ({
      width: Number(size[1]),
      height: Number(size[2]),
      framesPerSecond: 0,
      rate: null,
    }));
    const spans = [...listed.matchAll(/\{(\d+)-(\d+), (\d+)\}x\{(\d+)-(\d+), (\d+)\}/g)];
    const ranges = spans.map(([, minX, maxX, stepX, minY, maxY, stepY]) => ({
      width: spanOf(minX, maxX, stepX),
      height: spanOf(minY, maxY, stepY),
      rates: [],
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
    const spans: readonly (RateSpan | null)[] = [
      ...listed.map(({ rate }) => rate),
      ...between.flatMap(({ rates }): readonly (RateSpan | null)[] => (rates.length === 0 ? [null] : rates)),
    ];
    // The slowest rate that is fast enough: surplus frames are compressed and copied, and then dropped.
    const rates = spans.map((span) => rateIn(span, wanted.framesPerSecond)).filter((rate) => rate !== null);
    if (rates.length > 0) return { format, framesPerSecond: Math.min(...rates) };
  }
  const ranges = [...new Set(ordered.flatMap((format) => format.ranges.map(rangeText)))];
  const sizes = offerText(ordered.flatMap(({ modes }) => modes)).replaceAll(' at 0', '');
  const offered = [sizes, ...ranges].filter((each) => each !== '').join(', ');
  throw notOffered(model, wanted, offered === '' ? 'no size in a format that is known here' : offered);
}

function rangeText({ width, height, rates }: SizeRange): string {
  const steps =
    width.step === 1 && height.step === 1 ? '' : ` in steps of ${String(width.step)}x${String(height.step)}`;
  const fastest = Math.max(0, ...rates.map((each) => each.fastest));
  const rate = fastest === 0 ? '' : ` at up to ${String(Math.floor(fastest))}`;
  const text = (end: 'min' | 'max'): string => `${String(width[end])}x${String(height[end])}`;
  return `${text('min')} to ${text('max')}${steps}${rate}`;
}
