import { drawPng, greyPng } from '../../hal/image.js';
import type { LumaPlane } from '../../hal/camera.js';
import type { Box, Reason } from '../capture/detect/observation.js';
import { makeThumbnail, type Thumbnail } from '../capture/jpeg.js';
import type { Nature } from '../capture/detect/track.js';
import { REASON_TEXTS } from '../capture/detect/reasons.js';
import type { Look, Moment, Stretch } from './stretch.js';

const WIDTH = 960;
const GAP = 12;
const COLUMN = (WIDTH - 4 * GAP) / 3;
const CAPTION = 18;
const CHART = 110;
const STRIP = 10;
const PICTURE_QUALITY = 80;

const NATURE_COLOURS: Readonly<Record<Nature, string>> = {
  object: '#ffd000',
  light: '#40c0ff',
  hole: '#c080ff',
  erratic: '#ff6040',
  unknown: '#b0b0b0',
};
const REASON_COLOURS: Readonly<Record<Reason, string>> = {
  motion: '#ffd000',
  light: '#40c0ff',
  left: '#c080ff',
  erratic: '#ff6040',
  'too-short': '#b0b0b0',
  'too-small': '#787878',
  'outside-zones': '#60d090',
  'small-for-zone': '#60d090',
  'off-schedule': '#808000',
  still: '#505050',
  starting: '#404060',
  resized: '#404060',
};

/** One PNG that shows a stretch of a video as the detector saw it. */
export async function drawSheet(title: string, stretch: Stretch): Promise<Uint8Array> {
  const { first, best, last, kind } = stretch;
  const looks = [
    ['start', first],
    ['best', best],
    ['end', last],
  ] as const;
  const isEvent = kind === 'event';
  const pictures = await Promise.all(looks.map(([, { frame }]) => pictureOf(frame.jpeg)));
  const high = Math.max(...pictures.map((one) => (one === null ? COLUMN / 2 : (COLUMN * one.height) / one.width)));
  const { background, mask } = best.inspection;
  const top = 2 * GAP + 2 * CAPTION;
  const middle = top + high + CAPTION + GAP;
  const chart = middle + high + CAPTION + GAP;
  const parts = [
    text(GAP, GAP + 14, title, 'font-size="16" font-weight="bold"'),
    text(GAP, GAP + 14 + CAPTION, sentenceOf(stretch)),
    ...looks.map(([name, look], i) => {
      const caption = `${isEvent ? name : (['first', 'largest', 'last'][i] ?? '')}  ${seconds(look.frame.monotonicMs)}`;
      return cell(i, top, high, caption, jpegUrl(pictures[i] ?? null), boxesOf(look, isEvent));
    }),
    cell(0, middle, high, 'background', await planeUrl(background), []),
    cell(1, middle, high, 'mask, with what each patch is taken for', await planeUrl(mask), patchesOf(best)),
    facts(2, middle, stretch),
    timeline(chart, stretch),
  ];
  const height = Math.ceil(chart + CHART + STRIP + 2 * CAPTION + GAP);
  return drawPng(svg(WIDTH, height, parts));
}

export interface Cell {
  readonly thumbnail: Thumbnail;
  readonly box: Box | null;
  readonly caption: string;
}

const CELLS_ACROSS = 4;

/** One PNG of many thumbnails with their boxes, in rows. */
export async function drawContactSheet(title: string, cells: readonly Cell[]): Promise<Uint8Array> {
  const wide = (WIDTH - (CELLS_ACROSS + 1) * GAP) / CELLS_ACROSS;
  const high = Math.max(1, ...cells.map(({ thumbnail }) => (wide * thumbnail.height) / thumbnail.width));
  const top = 2 * GAP + CAPTION;
  const drawn = cells.map(({ thumbnail, box, caption }, i) => {
    const x = GAP + (i % CELLS_ACROSS) * (wide + GAP);
    const y = top + Math.floor(i / CELLS_ACROSS) * (high + CAPTION + GAP);
    const boxes: readonly Outline[] = box === null ? [] : [{ box, colour: NATURE_COLOURS.object, label: '' }];
    return frame([x, y, wide, high], caption, jpegUrl(thumbnail), boxes);
  });
  const height = Math.ceil(top + Math.ceil(cells.length / CELLS_ACROSS) * (high + CAPTION + GAP));
  return drawPng(svg(WIDTH, height, [text(GAP, GAP + 14, title, 'font-size="16" font-weight="bold"'), ...drawn]));
}

interface Outline {
  readonly box: Box;
  readonly colour: string;
  readonly label: string;
}

async function pictureOf(jpeg: Uint8Array): Promise<Thumbnail | null> {
  try {
    return await makeThumbnail(jpeg, Math.round(COLUMN), PICTURE_QUALITY, []);
  } catch {
    // A driver's plane was fine while its JPEG is not: the sheet has an empty place.
    return null;
  }
}

function boxesOf(look: Look, isEvent: boolean): readonly Outline[] {
  const { box } = look.observation;
  if (!isEvent) return patchesOf(look);
  return box === null ? [] : [{ box, colour: NATURE_COLOURS.object, label: '' }];
}

function patchesOf({ inspection }: Look): readonly Outline[] {
  return inspection.patches.map(({ box, nature }) => ({ box, colour: NATURE_COLOURS[nature], label: nature }));
}

function sentenceOf({ kind, span, endMs, reason, moments }: Stretch): string {
  const times = `${seconds(span.onsetMs)} to ${seconds(endMs)}`;
  if (kind === 'event') return `event, ${times}, raised at ${seconds(span.startMs)}; end: ${reason}`;
  const share = moments.filter((moment) => moment.reason === kind).length;
  return `no event, ${times}: ${kind} in ${String(share)} frames; ${REASON_TEXTS[kind]}`;
}

function facts(column: number, y: number, { best, kind, moments }: Stretch): string {
  const { observation, inspection, frame } = best;
  const { box } = observation;
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  const counts = new Map<Reason, number>();
  for (const { reason } of moments) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const lines = [
    `frame ${String(frame.index)}, ${seconds(frame.monotonicMs)}`,
    `${observation.reason}: ${REASON_TEXTS[observation.reason]}`,
    `area ${percent(kind === 'event' ? observation.area : (inspection.patches[0]?.area ?? 0))} of the picture`,
    ...(box === null ? [] : [`box ${[box.left, box.top, box.width, box.height].map((n) => n.toFixed(2)).join(' ')}`]),
    ...(observation.zones.length === 0 ? [] : [`zones ${observation.zones.join(', ')}`]),
    ...(observation.scene === null ? [] : [`scene ${observation.scene.class}`]),
    'frames by reason:',
    ...[...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `  ${reason} ${String(count)}`),
  ];
  const x = GAP + column * (COLUMN + GAP);
  return lines
    .flatMap(folded)
    .map((line, i) => text(x, y + 14 + i * 16, line))
    .join('');
}

/** Lines that fit a column. */
function folded(line: string): readonly string[] {
  return line.match(/.{1,42}(?:\s|$)/g) ?? [line];
}

/** Area over time, below it a strip of each frame's reason, with onset, start, best picture and end. */
function timeline(y: number, { kind, span, endMs, moments, best }: Stretch): string {
  const [fromMs, toMs] = [
    moments[0]?.timeMs ?? 0,
    Math.max(moments.at(-1)?.timeMs ?? 0, (moments[0]?.timeMs ?? 0) + 1),
  ];
  const most = Math.max(0.001, ...moments.map(({ area }) => area));
  const x = (timeMs: number): number => GAP + ((timeMs - fromMs) / (toMs - fromMs)) * (WIDTH - 2 * GAP);
  const base = y + CHART;
  const points = moments.map(({ timeMs, area }) => `${n(x(timeMs))},${n(base - (area / most) * (CHART - CAPTION))}`);
  const strip = runs(moments).map(
    ([one, untilMs]) =>
      `<rect x="${n(x(one.timeMs))}" y="${n(base)}" width="${n(Math.max(1, x(untilMs) - x(one.timeMs)))}" height="${String(STRIP)}" fill="${REASON_COLOURS[one.reason]}"/>`,
  );
  const marks =
    kind === 'event'
      ? ([
          ['onset', span.onsetMs, 0],
          ['start', span.startMs, 1],
          ['best', best.frame.monotonicMs, 0],
          ['end', endMs, 1],
        ] as const)
      : ([
          ['first', span.onsetMs, 0],
          ['largest', best.frame.monotonicMs, 1],
          ['last', endMs, 0],
        ] as const);
  const seen = [...new Set(moments.map(({ reason }) => reason))];
  return [
    `<polyline points="${points.join(' ')}" fill="none" stroke="#ffffff" stroke-width="1.2"/>`,
    ...strip,
    ...marks.flatMap(([name, timeMs, row]) => {
      const at = Math.min(WIDTH - GAP, Math.max(GAP, x(timeMs)));
      const anchor = at > WIDTH - 80 ? 'text-anchor="end"' : '';
      return [
        `<line x1="${n(at)}" x2="${n(at)}" y1="${n(y)}" y2="${n(base + STRIP)}" stroke="#80ff80" stroke-dasharray="3 3"/>`,
        text(at + (anchor === '' ? 3 : -3), y + 10 + row * 14, name, `fill="#80ff80" ${anchor}`),
      ];
    }),
    text(GAP, base + STRIP + 14, `${seconds(fromMs)}; area up to ${(most * 100).toFixed(2)} % of the picture`),
    text(WIDTH - GAP, base + STRIP + 14, seconds(toMs), 'text-anchor="end"'),
    ...seen.map((reason, i) =>
      text(GAP + i * 110, base + STRIP + 14 + CAPTION, `■ ${reason}`, `fill="${REASON_COLOURS[reason]}"`),
    ),
  ].join('');
}

/** Frames of one reason, one after the other, as one. */
function runs(moments: readonly Moment[]): readonly (readonly [Moment, number])[] {
  const starts = moments.filter(({ reason }, i) => reason !== moments[i - 1]?.reason);
  return starts.map((one, i) => [one, starts[i + 1]?.timeMs ?? moments.at(-1)?.timeMs ?? one.timeMs]);
}

function cell(
  column: number,
  y: number,
  high: number,
  caption: string,
  url: string,
  boxes: readonly Outline[],
): string {
  return frame([GAP + column * (COLUMN + GAP), y, COLUMN, high], caption, url, boxes);
}

function frame(
  [x, y, wide, high]: readonly [number, number, number, number],
  caption: string,
  url: string,
  boxes: readonly Outline[],
): string {
  const image =
    url === '' ? '' : `<image x="${n(x)}" y="${n(y)}" width="${n(wide)}" height="${n(high)}" href="${url}"/>`;
  const outlines = boxes.map(({ box, colour, label }) => {
    const [left, top] = [x + box.left * wide, y + box.top * high];
    const rect = `<rect x="${n(left)}" y="${n(top)}" width="${n(box.width * wide)}" height="${n(box.height * high)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
    return rect + (label === '' ? '' : text(left, Math.max(y + 10, top - 2), label, `font-size="10" fill="${colour}"`));
  });
  return image + outlines.join('') + text(x, y + high + 14, caption);
}

function svg(width: number, height: number, parts: readonly string[]): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" ` +
    `font-family="DejaVu Sans, sans-serif" font-size="12" fill="#e8e8e8"><rect width="100%" height="100%" fill="#181818"/>` +
    `${parts.join('')}</svg>`
  );
}

function text(x: number, y: number, words: string, more = ''): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${n(x)}" y="${n(y)}" ${more}>${safe}</text>`;
}

function jpegUrl(picture: Thumbnail | null): string {
  return picture === null ? '' : `data:image/jpeg;base64,${Buffer.from(picture.jpeg).toString('base64')}`;
}

async function planeUrl({ width, height, data }: LumaPlane): Promise<string> {
  return `data:image/png;base64,${Buffer.from(await greyPng(width, height, data)).toString('base64')}`;
}

function n(value: number): string {
  return value.toFixed(1);
}

function seconds(timeMs: number): string {
  return `${(timeMs / 1000).toFixed(1)} s`;
}
