import type { Blob } from './blobs.js';
import type { Planes } from './layout.js';
import type { Light } from './light.js';

/** What a patch looks like beside the background it covers, each 0 to 1 unless said. */
export interface Evidence {
  /** Share of new edges among those that came or went: near 1 an object, near 0 the hole that one left behind. */
  readonly novelty: number;
  /** How well the texture of the background still shows through: a shadow or a patch of light keeps it. −1 to 1. */
  readonly texture: number;
  /** Mean change in grey levels, with its sign. */
  readonly change: number;
  /** Mean steepness of what changed, per grey level of change. */
  readonly steepness: number;
}

/** Compares edges of the picture and of the background over the pixels of a patch. */
export function evidenceOf({ cells }: Blob, planes: Planes, gain: number): Evidence {
  const { current, mean, difference, deviation, clean, layout } = planes;
  const { stride } = layout;
  const scale = gain / 16;
  let [gained, lost, cross, now, then, change, size, steep, count, noisy] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const cell of cells) {
    for (const i of [cell, cell + 1, cell + stride, cell + stride + 1]) {
      if (clean[i] === 0) continue;
      const cx = (current[i + 1] ?? 0) - (current[i - 1] ?? 0);
      const cy = (current[i + stride] ?? 0) - (current[i - stride] ?? 0);
      const mx = ((mean[i + 1] ?? 0) - (mean[i - 1] ?? 0)) * scale;
      const my = ((mean[i + stride] ?? 0) - (mean[i - stride] ?? 0)) * scale;
      const excess = Math.abs(cx) + Math.abs(cy) - Math.abs(mx) - Math.abs(my);
      if (excess > 0) gained += excess;
      else lost -= excess;
      cross += cx * mx + cy * my;
      // Noise has edges too: those of a difference of two blurred pixels, by the usual deviation.
      const noise = ((deviation[i] ?? 0) / 16) * 2;
      now += cx * cx + cy * cy;
      noisy += noise * noise;
      then += mx * mx + my * my;
      const d = difference[i] ?? 0;
      change += d;
      size += Math.abs(d);
      steep += Math.abs(cx - mx) + Math.abs(cy - my);
      count++;
    }
  }
  return {
    novelty: gained + lost === 0 ? 0.5 : gained / (gained + lost),
    // Where the background has no texture beyond its noise, nothing can be said of it.
    texture: then < noisy / 2 ? 0 : Math.min(1, cross / Math.sqrt(Math.max(now - noisy, 0.25 * then) * then)),
    change: count === 0 ? 0 : change / count / 8,
    steepness: size === 0 ? 0 : steep / size,
  };
}

/** What the whole picture shows beside the background. */
export interface Overview {
  /** As of a patch. */
  readonly texture: number;
  /** Share of the background's edges that are left in this light; 0 for a covered lens, small for a blurred picture. */
  readonly edges: number;
  /** The background has no edges beyond its noise: it was black, white or covered. */
  readonly isBlank: boolean;
}

const OVERVIEW_STEP = 2;
const DARKEST = 0.25;

/** Compares all of the picture with the background, by every other pixel of every other row. */
export function overviewOf(
  { current, mean, deviation, layout }: Pick<Planes, 'current' | 'mean' | 'deviation' | 'layout'>,
  { level, usual }: Pick<Light, 'level' | 'usual'>,
): Overview {
  const { width, height, stride } = layout;
  // Half the light has half the contrast; not by the gain, which falls with what is out of focus.
  const dimmed = Math.min(1, Math.max(DARKEST, level / Math.max(1, usual)));
  const scale = dimmed / 16;
  let [cross, now, then, noisy] = [0, 0, 0, 0];
  // Beyond the edge there is nothing, and it is smoothed into the outermost pixels: of white they make an edge.
  for (let y = 2; y < height - 2; y += OVERVIEW_STEP) {
    for (let x = 2; x < width - 2; x += OVERVIEW_STEP) {
      const i = y * stride + x;
      const cx = (current[i + 1] ?? 0) - (current[i - 1] ?? 0);
      const cy = (current[i + stride] ?? 0) - (current[i - stride] ?? 0);
      const mx = ((mean[i + 1] ?? 0) - (mean[i - 1] ?? 0)) * scale;
      const my = ((mean[i + stride] ?? 0) - (mean[i - stride] ?? 0)) * scale;
      cross += cx * mx + cy * my;
      now += cx * cx + cy * cy;
      then += mx * mx + my * my;
      const noise = ((deviation[i] ?? 0) / 16) * 2;
      noisy += noise * noise;
    }
  }
  // In its own light: who stands before most of it makes nothing blank.
  if (then < (noisy / 2) * dimmed * dimmed) return { texture: 0, edges: 1, isBlank: true };
  const clean = Math.max(0, now - noisy);
  return {
    texture: Math.min(1, cross / Math.sqrt(Math.max(clean, 0.01 * then) * then)),
    edges: Math.sqrt(clean / then),
    isBlank: false,
  };
}
