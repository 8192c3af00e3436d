import { Detector } from '../../agent/capture/detect/detector.js';
import { loadAgentConfig } from '../../agent/config/keys.js';
import { captureSettings } from '../../agent/main/settings.js';
import { seededRandom } from '../../common/seeded-random.js';
import type { LumaPlane } from '../../hal/camera.js';

/** A drawn person who crosses the picture. */
export interface Figure {
  /** As a share of the picture's height. */
  readonly height: number;
  /** Grey levels by which it is darker than the wall behind it. */
  readonly contrast: number;
  /** Whether the wall has a pattern that the figure covers. Without one only its contrast shows. */
  readonly isPatterned: boolean;
}

/** The smallest and the faintest figure that the detector reports at a sensitivity. */
export interface Meaning {
  readonly sensitivity: number;
  /** At a contrast of 40 in front of a pattern; null where not even the largest figure is reported. */
  readonly smallestHeight: number | null;
  /** Of a figure a fifth of the picture high, in front of a plain wall. */
  readonly faintestContrast: number | null;
}

const WIDTH = 160;
const HEIGHT = 90;
const FRAME_MS = 100;
const WARM_UP_FRAMES = 40;
const SEEDS = 5;
/** Seeds out of five with which a figure has to be reported. */
const REPORTED_MIN = 4;
const USUAL: Figure = { height: 0.2, contrast: 40, isPatterned: true };
const GREY = 120;
const PATTERN = 12;
const NOISE = 4;
/** A person walks about 0.8 of their own height in a second. */
const WALK_HEIGHTS_PER_S = 0.8;
const HEIGHT_TO_WIDTH = 2.6;
const HEIGHTS = Array.from({ length: 40 }, (_, i) => (i + 2) / 100);
/** From zero, at which every report is a false alarm. */
const CONTRASTS = Array.from({ length: 80 }, (_, i) => i);

/**
 * Draws figures of known size and contrast in front of a wall. Returns the smallest and the faintest that the detector
 * reports.
 */
export function meaningOf(sensitivity: number): Meaning {
  const first = <T>(candidates: readonly T[], figure: (value: T) => Figure): T | null =>
    candidates.find((value) => isSeen(figure(value), sensitivity)) ?? null;
  return {
    sensitivity,
    smallestHeight: first(HEIGHTS, (height) => ({ ...USUAL, height })),
    faintestContrast: first(CONTRASTS, (contrast) => ({ ...USUAL, contrast, isPatterned: false })),
  };
}

function isSeen(figure: Figure, sensitivity: number): boolean {
  let seen = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    if (walk(figure, sensitivity, seed)) seen++;
    if (seen >= REPORTED_MIN || seen + SEEDS - seed < REPORTED_MIN) break;
  }
  return seen >= REPORTED_MIN;
}

function walk({ height, contrast, isPatterned }: Figure, sensitivity: number, seed: number): boolean {
  const { detector: settings } = captureSettings(loadAgentConfig({ file: null, environment: {} }));
  const detector = new Detector({ ...settings, sensitivity });
  const { uniform } = seededRandom(seed);
  const high = Math.max(1, Math.round(height * HEIGHT));
  const wide = Math.max(1, Math.round(high / HEIGHT_TO_WIDTH));
  const perFrame = (WALK_HEIGHTS_PER_S * height * HEIGHT * FRAME_MS) / 1000;
  const frames = WARM_UP_FRAMES + Math.min(200, Math.ceil((WIDTH - wide) / perFrame));
  const top = Math.round((HEIGHT - high) * (0.3 + 0.5 * uniform()));
  for (let index = 0; index < frames; index++) {
    const left = Math.round((index - WARM_UP_FRAMES) * perFrame);
    const isFigure = (x: number, y: number): boolean =>
      index >= WARM_UP_FRAMES && x >= left && x < left + wide && y >= top && y < top + high;
    const grey = (x: number, y: number): number =>
      isFigure(x, y) ? GREY - contrast : GREY + (isPatterned ? PATTERN * (((x >> 3) % 2) + ((y >> 3) % 2) - 1) : 0);
    if (detector.observe(draw(grey, uniform), index * FRAME_MS, index).motion) return true;
  }
  return false;
}

function draw(grey: (x: number, y: number) => number, uniform: () => number): LumaPlane {
  const data = new Uint8Array(WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++) {
    const x = i % WIDTH;
    data[i] = Math.round(grey(x, (i - x) / WIDTH) + (uniform() - 0.5) * 2 * NOISE);
  }
  return { width: WIDTH, height: HEIGHT, data };
}

/**
 * Returns the distance in metres at which a person of 1.7 m has this height in the picture of a lens with 60° from top
 * to bottom.
 */
function metresAt(height: number): number {
  return 1.7 / height / (2 * Math.tan(Math.PI / 6));
}

/** Formats the meanings for docs/detector.md. */
export function meaningTable(meanings: readonly Meaning[]): string {
  const rows = meanings.map(({ sensitivity, smallestHeight, faintestContrast }) => {
    const size =
      smallestHeight === null ? 'none | –' : `${percent(smallestHeight)} | ${metresAt(smallestHeight).toFixed(0)} m`;
    return `| ${String(sensitivity)} | ${size} | ${faintestContrast === null ? 'none' : String(faintestContrast)} |`;
  });
  return [
    '| sensitivity | smallest figure, of the picture’s height | somebody of 1.7 m, through a lens of 60° | faintest, in grey levels |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
