import { drawPng, greyPng } from '../../hal/image.js';
import type { LumaPlane } from '../../hal/camera.js';
import type { Box, Reason } from '../capture/detect/observation.js';
import { makeThumbnail, type Thumbnail } from '../capture/jpeg.js';
import type { Nature } from '../capture/detect/track.js';
import { REASON_TEXTS } from '../capture/detect/reasons.js';
import type { InspectedFrame, Moment, Stretch } from './stretch.js';

const WIDTH_PX = 960;
const GAP_PX = 12;
const COLUMN_PX = (WIDTH_PX - 4 * GAP_PX) / 3;
const CAPTION_PX = 18;
const CHART_PX = 110;
const STRIP_PX = 10;
const LINE_PX = 16;
/** Characters that fit into a column. */
const COLUMN_CHARACTERS = 42;
const JPEG_QUALITY = 80;

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

/**
 * Draws a stretch of a video as the detector saw it: pictures, background, mask, facts and a timeline. Returns a PNG.
 */
export async function drawSheet(title: string, stretch: Stretch): Promise<Uint8Array> {
  const { first, best, last, kind } = stretch;
  const isEvent = kind === 'event';
  const shown = [
    { name: isEvent ? 'start' : 'first', inspected: first },
    { name: isEvent ? 'best' : 'largest', inspected: best },
    { name: isEvent ? 'end' : 'last', inspected: last },
  ];
  const pictures = await Promise.all(shown.map(({ inspected }) => pictureOf(inspected.frame.jpeg)));
  const high = Math.max(
    ...pictures.map((one) => (one === null ? COLUMN_PX / 2 : (COLUMN_PX * one.height) / one.width)),
  );
  const { background, mask } = best.inspection;
  const top = 2 * GAP_PX + 2 * CAPTION_PX;
  const middle = top + high + CAPTION_PX + GAP_PX;
  const chart = middle + high + CAPTION_PX + GAP_PX;
  const parts = [
    text(GAP_PX, GAP_PX + 14, title, 'font-size="16" font-weight="bold"'),
    text(GAP_PX, GAP_PX + 14 + CAPTION_PX, sentenceOf(stretch)),
    ...shown.map(({ name, inspected }, column) =>
      drawTile({
        x: columnX(column),
        y: top,
        wide: COLUMN_PX,
        high,
        caption: `${name}  ${seconds(inspected.frame.monotonicMs)}`,
        url: jpegUrl(pictures[column] ?? null),
        outlines: outlinesOf(inspected, isEvent),
      }),
    ),
    drawTile({
      x: columnX(0),
      y: middle,
      wide: COLUMN_PX,
      high,
      caption: 'background',
      url: await planeUrl(background),
      outlines: [],
    }),
    drawTile({
      x: columnX(1),
      y: middle,
      wide: COLUMN_PX,
      high,
      caption: 'mask, with the nature of each patch',
      url: await planeUrl(mask),
      outlines: patchOutlines(best),
    }),
    facts(2, middle, stretch),
    timeline(chart, stretch),
  ];
  const height = Math.ceil(chart + CHART_PX + STRIP_PX + 2 * CAPTION_PX + GAP_PX);
  return drawPng(svg(WIDTH_PX, height, parts));
}

export interface Cell {
  readonly thumbnail: Thumbnail;
  readonly box: Box | null;
  readonly caption: string;
}

const CELLS_ACROSS = 4;

/** Draws thumbnails with their boxes, in rows. Returns a PNG. */
export async function drawContactSheet(title: string, cells: readonly Cell[]): Promise<Uint8Array> {
  const wide = (WIDTH_PX - (CELLS_ACROSS + 1) * GAP_PX) / CELLS_ACROSS;
  const high = Math.max(1, ...cells.map(({ thumbnail }) => (wide * thumbnail.height) / thumbnail.width));
  const top = 2 * GAP_PX + CAPTION_PX;
  const drawn = cells.map(({ thumbnail, box, caption }, i) => {
    const x = GAP_PX + (i % CELLS_ACROSS) * (wide + GAP_PX);
    const y = top + Math.floor(i / CELLS_ACROSS) * (high + CAPTION_PX + GAP_PX);
    const outlines: readonly Outline[] = box === null ? [] : [{ box, colour: NATURE_COLOURS.object, label: '' }];
    return drawTile({ x, y, wide, high, caption, url: jpegUrl(thumbnail), outlines });
  });
  const height = Math.ceil(top + Math.ceil(cells.length / CELLS_ACROSS) * (high + CAPTION_PX + GAP_PX));
  return drawPng(
    svg(WIDTH_PX, height, [text(GAP_PX, GAP_PX + 14, title, 'font-size="16" font-weight="bold"'), ...drawn]),
  );
}

interface Outline {
  readonly box: Box;
  readonly colour: string;
  readonly label: string;
}

async function pictureOf(jpeg: Uint8Array): Promise<Thumbnail | null> {
  try {
    return await makeThumbnail(jpeg, Math.round(COLUMN_PX), JPEG_QUALITY, []);
  } catch {
    // The driver delivered a good luma plane with a corrupt JPEG: the sheet has an empty place.
    return null;
  }
}

function outlinesOf(inspected: InspectedFrame, isEvent: boolean): readonly Outline[] {
  const { box } = inspected.observation;
  if (!isEvent) return patchOutlines(inspected);
  return box === null ? [] : [{ box, colour: NATURE_COLOURS.object, label: '' }];
}

function patchOutlines({ inspection }: InspectedFrame): readonly Outline[] {
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
  const x = columnX(column);
  return lines
    .flatMap(folded)
    .map((line, i) => text(x, y + 14 + i * LINE_PX, line))
    .join('');
}

/** Returns the left edge of a column. */
function columnX(column: number): number {
  return GAP_PX + column * (COLUMN_PX + GAP_PX);
}

/** Breaks a line at the width of a column. */
function folded(line: string): readonly string[] {
  return line.match(new RegExp(`.{1,${String(COLUMN_CHARACTERS)}}(?:\\s|$)`, 'g')) ?? [line];
}

/** Draws area over time, below it a strip with each frame's reason; marks onset, start, best picture and end. */
function timeline(y: number, { kind, span, endMs, moments, best }: Stretch): string {
  const fromMs = moments[0]?.timeMs ?? 0;
  const toMs = Math.max(moments.at(-1)?.timeMs ?? 0, fromMs + 1);
  const areaMax = Math.max(0.001, ...moments.map(({ area }) => area));
  const x = (timeMs: number): number => GAP_PX + ((timeMs - fromMs) / (toMs - fromMs)) * (WIDTH_PX - 2 * GAP_PX);
  const base = y + CHART_PX;
  const points = moments.map(
    ({ timeMs, area }) => `${n(x(timeMs))},${n(base - (area / areaMax) * (CHART_PX - CAPTION_PX))}`,
  );
  const strip = runs(moments).map(
    ([one, untilMs]) =>
      `<rect x="${n(x(one.timeMs))}" y="${n(base)}" width="${n(Math.max(1, x(untilMs) - x(one.timeMs)))}" height="${String(STRIP_PX)}" fill="${REASON_COLOURS[one.reason]}"/>`,
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
      const at = Math.min(WIDTH_PX - GAP_PX, Math.max(GAP_PX, x(timeMs)));
      const anchor = at > WIDTH_PX - 80 ? 'text-anchor="end"' : '';
      return [
        `<line x1="${n(at)}" x2="${n(at)}" y1="${n(y)}" y2="${n(base + STRIP_PX)}" stroke="#80ff80" stroke-dasharray="3 3"/>`,
        text(at + (anchor === '' ? 3 : -3), y + 10 + row * 14, name, `fill="#80ff80" ${anchor}`),
      ];
    }),
    text(GAP_PX, base + STRIP_PX + 14, `${seconds(fromMs)}; area up to ${(areaMax * 100).toFixed(2)} % of the picture`),
    text(WIDTH_PX - GAP_PX, base + STRIP_PX + 14, seconds(toMs), 'text-anchor="end"'),
    ...seen.map((reason, i) =>
      text(GAP_PX + i * 110, base + STRIP_PX + 14 + CAPTION_PX, `■ ${reason}`, `fill="${REASON_COLOURS[reason]}"`),
    ),
  ].join('');
}

/** Returns runs of frames with the same reason: the first of each, and the time when it ends. */
function runs(moments: readonly Moment[]): readonly (readonly [Moment, number])[] {
  const starts = moments.filter(({ reason }, i) => reason !== moments[i - 1]?.reason);
  return starts.map((one, i) => [one, starts[i + 1]?.timeMs ?? moments.at(-1)?.timeMs ?? one.timeMs]);
}

interface Tile {
  readonly x: number;
  readonly y: number;
  readonly wide: number;
  readonly high: number;
  readonly caption: string;
  /** Data URL of the image; empty for none. */
  readonly url: string;
  readonly outlines: readonly Outline[];
}

function drawTile({ x, y, wide, high, caption, url, outlines }: Tile): string {
  const image =
    url === '' ? '' : `<image x="${n(x)}" y="${n(y)}" width="${n(wide)}" height="${n(high)}" href="${url}"/>`;
  const drawn = outlines.map(({ box, colour, label }) => {
    const left = x + box.left * wide;
    const top = y + box.top * high;
    const rect = `<rect x="${n(left)}" y="${n(top)}" width="${n(box.width * wide)}" height="${n(box.height * high)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
    return rect + (label === '' ? '' : text(left, Math.max(y + 10, top - 2), label, `font-size="10" fill="${colour}"`));
  });
  return image + drawn.join('') + text(x, y + high + 14, caption);
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
