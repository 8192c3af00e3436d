import type { Blob } from './blobs.js';
import type { Planes } from './layout.js';
import type { Light } from './light.js';

/** How a patch compares with the background it covers; each from 0 to 1 where nothing else is stated. */
export interface Evidence {
  /** Share of new edges among those that appeared or vanished: near 1 for an object, near 0 for the hole it left. */
  readonly novelty: number;
  /** Correlation with the texture of the background, −1 to 1; a shadow or a patch of light keeps it. */
  readonly texture: number;
  /** Mean change in grey levels, with its sign. */
  readonly change: number;
  /** Mean steepness of the changed edges, per grey level of change. */
  readonly steepness: number;
}

/** Compares the edges of picture and background over the pixels of a patch. */
export function evidenceOf({ cells }: Blob, planes: Planes, gain: number): Evidence {
  const { current, mean, difference, deviation, clean, layout } = planes;
  const { stride } = layout;
  const scale = gain / 16;
  let gained = 0;
  let lost = 0;
  let cross = 0;
  let energyNow = 0;
  let energyBefore = 0;
  let changeSum = 0;
  let absoluteSum = 0;
  let steepnessSum = 0;
  let count = 0;
  let noiseEnergy = 0;
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
      // Noise has edges too: the difference of two blurred pixels, by the usual deviation.
      const noise = ((deviation[i] ?? 0) / 16) * 2;
      energyNow += cx * cx + cy * cy;
      noiseEnergy += noise * noise;
      energyBefore += mx * mx + my * my;
      const d = difference[i] ?? 0;
      changeSum += d;
      absoluteSum += Math.abs(d);
      steepnessSum += Math.abs(cx - mx) + Math.abs(cy - my);
      count++;
    }
  }
  return {
    novelty: gained + lost === 0 ? 0.5 : gained / (gained + lost),
    // A background without texture beyond its noise shows nothing.
    texture:
      energyBefore < noiseEnergy / 2
        ? 0
        : Math.min(1, cross / Math.sqrt(Math.max(energyNow - noiseEnergy, 0.25 * energyBefore) * energyBefore)),
    change: count === 0 ? 0 : changeSum / count / 8,
    steepness: absoluteSum === 0 ? 0 : steepnessSum / absoluteSum,
  };
}

/** How far things sway, in pixels. */
const SWAY_X_PIXELS = 10;
const SWAY_Y_PIXELS = 4;
const SWAY_STEP_PIXELS = 2;
/** This many pixels of a patch are enough, and as many around it. */
const SWAY_SAMPLES = 120;

/**
 * Returns which share of a patch's difference is left when the background is moved under it and its rim, at the best of all
 * moves: near 0 where a thing of the background swayed there, near 1 for somebody who was not in it. The rim counts, since
 * something as dark as a person is found nearby in most pictures, but not with the same outline.
 */
export function displacedRest(blob: Blob, { difference, mean, clean, layout }: Planes, gain: number): number {
  const { stride, count } = layout;
  const scale = gain / 16;
  const samples = samplesOf(blob, clean, stride);
  let whole = 0;
  for (const i of samples) whole += Math.abs(difference[i] ?? 0);
  let least = whole;
  let best = 0;
  const tryMove = (move: number): void => {
    let rest = 0;
    for (const i of samples) {
      const from = i + move;
      const change = from < 0 || from >= count ? 0 : ((mean[i] ?? 0) - (mean[from] ?? 0)) * scale;
      rest += Math.abs((difference[i] ?? 0) + change);
      if (rest >= least) return;
    }
    least = rest;
    best = move;
  };
  for (let dy = -SWAY_Y_PIXELS; dy <= SWAY_Y_PIXELS; dy += SWAY_STEP_PIXELS) {
    for (let dx = -SWAY_X_PIXELS; dx <= SWAY_X_PIXELS; dx += SWAY_STEP_PIXELS) tryMove(dy * stride + dx);
  }
  const near = best;
  for (const row of [-stride, 0, stride]) for (const step of [-1, 0, 1]) tryMove(near + row + step);
  return whole === 0 ? 1 : least / whole;
}

/** Returns pixels of a patch and of its rim. */
function samplesOf({ cells }: Blob, clean: Uint8Array, stride: number): number[] {
  const every = Math.max(1, Math.floor((cells.length * 2) / SWAY_SAMPLES));
  const samples: number[] = [];
  for (let at = 0; at < cells.length; at += every) {
    const cell = cells[at] ?? 0;
    for (const i of [cell, cell + stride + 1]) if (clean[i] === 1) samples.push(i);
    for (const i of [cell - 2, cell + 3, cell - 2 * stride, cell + 3 * stride]) if (clean[i] === 0) samples.push(i);
  }
  return samples;
}

/** How the whole picture compares with the background. */
export interface Overview {
  /** As in {@link Evidence}. */
  readonly texture: number;
  /** The same where the picture differs from the background: light keeps it, a face that fills the picture does not. */
  readonly markedTexture: number;
  /** Share of the background's edges that are left in this light: 0 for a covered lens, small for a blurred picture. */
  readonly edges: number;
  /** The background has no edges beyond its noise: it is black, white or covered. */
  readonly isBlank: boolean;
}

/** Every other pixel of every other row is compared. */
const OVERVIEW_STEP_PIXELS = 2;
/** Contrast of the background is scaled down with the light, but to no less than this share. */
const DIMMED_CONTRAST_MIN_SHARE = 0.25;

/** Compares the edges of the whole picture with those of the background. */
export function overviewOf(
  { current, mean, deviation, mask, layout }: Pick<Planes, 'current' | 'mean' | 'deviation' | 'mask' | 'layout'>,
  { level, usual }: Pick<Light, 'level' | 'usual'>,
): Overview {
  const { width, height, stride } = layout;
  // Half the light has half the contrast. The gain does not serve here: it also falls when the picture is out of focus.
  const dimmed = Math.min(1, Math.max(DIMMED_CONTRAST_MIN_SHARE, level / Math.max(1, usual)));
  const scale = dimmed / 16;
  const whole = new Sums();
  const marked = new Sums();
  // The outermost pixels are smoothed with the zeros outside the picture, which makes an edge of a white one.
  for (let y = 2; y < height - 2; y += OVERVIEW_STEP_PIXELS) {
    for (let x = 2; x < width - 2; x += OVERVIEW_STEP_PIXELS) {
      const i = y * stride + x;
      const cx = (current[i + 1] ?? 0) - (current[i - 1] ?? 0);
      const cy = (current[i + stride] ?? 0) - (current[i - stride] ?? 0);
      const mx = ((mean[i + 1] ?? 0) - (mean[i - 1] ?? 0)) * scale;
      const my = ((mean[i + stride] ?? 0) - (mean[i - stride] ?? 0)) * scale;
      const noise = ((deviation[i] ?? 0) / 16) * 2;
      for (const sums of mask[i] === 0 ? [whole] : [whole, marked]) {
        sums.cross += cx * mx + cy * my;
        sums.now += cx * cx + cy * cy;
        sums.before += mx * mx + my * my;
        sums.noise += noise * noise;
      }
    }
  }
  // Compared in its own light, so that a person in front of most of it does not make it blank.
  if (whole.before < (whole.noise / 2) * dimmed * dimmed)
    return { texture: 0, markedTexture: 0, edges: 1, isBlank: true };
  return {
    texture: whole.texture,
    markedTexture: marked.texture,
    edges: Math.sqrt(Math.max(0, whole.now - whole.noise) / whole.before),
    isBlank: false,
  };
}

/** Products of the edges of picture and background, and what their noise alone gives. */
class Sums {
  cross = 0;
  now = 0;
  before = 0;
  noise = 0;

  /** Correlation of the edges, at most 1; 0 without any. */
  get texture(): number {
    if (this.before === 0) return 0;
    const clean = Math.max(this.now - this.noise, 0.01 * this.before);
    return Math.min(1, this.cross / Math.sqrt(clean * this.before));
  }
}
