import { SealcamError } from '../../../common/errors.js';
import type { MotionZone } from './zones.js';

/** A polygon that the camera must never show, in fractions of the upright picture. */
export type PrivacyMask = Pick<MotionZone, 'name' | 'corners'>;

/** Size of a picture whose pixels lie in rows from the top, `channels` bytes each. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Width of the black border around a mask: the colour of a JPEG is coarser than its pixels, and spreads beyond the mask. */
const MARGIN_PIXELS = 3;

/** Blacks out what is under the masks, in place. @throws SealcamError `config-invalid-value` for a mask that is not a polygon */
export function blackOut(data: Uint8Array, { width, height, channels }: Raster, masks: readonly PrivacyMask[]): void {
  forEachSpan(masks, { width, height, margin: MARGIN_PIXELS }, (y, from, to) => {
    data.fill(0, (y * width + from) * channels, (y * width + to) * channels);
  });
}

/** Returns a plane with 1 at each pixel that touches a mask, or has a neighbour that does. @throws SealcamError `config-invalid-value` */
export function maskPlane(masks: readonly PrivacyMask[], width: number, height: number, stride = width): Uint8Array {
  const plane = new Uint8Array(stride * height);
  forEachSpan(masks, { width, height, margin: 1 }, (y, from, to) => plane.fill(1, y * stride + from, y * stride + to));
  return plane;
}

/** Fills masked pixels with the mean of the others, which has no texture and follows the light. */
export function fillMasked(raw: Uint8Array, masked: Uint8Array): void {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < masked.length; i++) {
    if (masked[i] === 1) continue;
    sum += raw[i] ?? 0;
    count++;
  }
  const mean = count === 0 ? 0 : Math.round(sum / count);
  for (let i = 0; i < masked.length; i++) if (masked[i] === 1) raw[i] = mean;
}

type Point = readonly [x: number, y: number];

/** Calls `paint` for every pixel whose square, grown by `margin`, touches a mask: as spans of a row, `to` excluded. */
function forEachSpan(
  masks: readonly PrivacyMask[],
  { width, height, margin }: { readonly width: number; readonly height: number; readonly margin: number },
  paint: (y: number, from: number, to: number) => void,
): void {
  for (const { name, corners } of masks) {
    const isPolygon = corners.length >= 3 && corners.flat().every((part) => part >= 0 && part <= 1);
    if (!isPolygon) throw new SealcamError('config-invalid-value', `the mask ${name} is not a polygon`);
    const points = corners.map(([x, y]): Point => [x * width, y * height]);
    for (let y = 0; y < height; y++) {
      for (const [left, right] of [...insideOf(points, y + 0.5), ...edgesOf(points, y - margin, y + 1 + margin)]) {
        paint(y, Math.max(0, Math.floor(left - margin)), Math.min(width, Math.ceil(right + margin)));
      }
    }
  }
}

function* edges(points: readonly Point[]): Generator<readonly [Point, Point]> {
  let before = points.at(-1);
  for (const point of points) {
    if (before !== undefined) yield [before, point];
    before = point;
  }
}

/**
 * Returns the inside of a polygon on one line, by the non-zero winding rule: a mask drawn crosswise has no hole. Zones
 * count by the even-odd rule instead, in zones.ts.
 */
function insideOf(points: readonly Point[], y: number): Point[] {
  const crossings: { readonly x: number; readonly turn: number }[] = [];
  for (const [[x1, y1], [x2, y2]] of edges(points)) {
    if (y1 > y !== y2 > y) crossings.push({ x: x1 + ((y - y1) * (x2 - x1)) / (y2 - y1), turn: y2 > y1 ? 1 : -1 });
  }
  crossings.sort((a, b) => a.x - b.x);
  const out: Point[] = [];
  let winding = 0;
  for (const [i, { x, turn }] of crossings.entries()) {
    winding += turn;
    if (winding !== 0) out.push([x, crossings[i + 1]?.x ?? x]);
  }
  return out;
}

/** Returns the span that each edge covers between two lines. */
function edgesOf(points: readonly Point[], top: number, bottom: number): Point[] {
  const out: Point[] = [];
  for (const [[x1, y1], [x2, y2]] of edges(points)) {
    if (Math.max(y1, y2) < top || Math.min(y1, y2) > bottom) continue;
    const at = (y: number): number => {
      const part = y1 === y2 ? 0 : Math.min(1, Math.max(0, (y - y1) / (y2 - y1)));
      return x1 + part * (x2 - x1);
    };
    out.push(
      y1 === y2 ? [Math.min(x1, x2), Math.max(x1, x2)] : [Math.min(at(top), at(bottom)), Math.max(at(top), at(bottom))],
    );
  }
  return out;
}
