import { Detector } from '../../agent/capture/detector.js';
import { loadAgentConfig } from '../../agent/config/keys.js';
import { captureSettings } from '../../agent/settings.js';
import { seededRandom } from '../../common/seeded-random.js';
import type { LumaPlane } from '../../hal/camera.js';

/** Somebody who crosses the picture. */
export interface Figure {
  /** Of the picture's height. */
  readonly height: number;
  /** Grey levels darker than what is behind. */
  readonly contrast: number;
}

/** The smallest figure and the faintest that a sensitivity sees. */
export interface Meaning {
  readonly sensitivity: number;
  /** At a contrast of 40; null: not even the largest. */
  readonly smallestHeight: number | null;
  /** Of a figure a fifth of the picture high. */
  readonly faintestContrast: number | null;
}

const WIDTH = 160;
const HEIGHT = 90;
const FRAME_MS = 100;
const WARM_UP_FRAMES = 40;
const SEEDS = 5;
/** Seen in so many of them is seen. */
const SEEN_MIN = 4;
const PLAIN: Figure = { height: 0.2, contrast: 40 };
const NOISE = 4;
/** A person walks about 0.8 of their own height in a second, and is 2.6 times as high as wide. */
const HEIGHTS_PER_S = 0.8;
const SLIMNESS = 2.6;
const HEIGHTS = Array.from({ length: 40 }, (_, i) => (i + 2) / 100);
const CONTRASTS = Array.from({ length: 80 }, (_, i) => i + 1);

/** Draws figures of known size and contrast before a textured wall, and asks the detector which of them it sees. */
export function meaningOf(sensitivity: number): Meaning {
  const first = <T>(candidates: readonly T[], figure: (value: T) => Figure): T | null =>
    candidates.find((value) => isSeen(figure(value), sensitivity)) ?? null;
  return {
    sensitivity,
    smallestHeight: first(HEIGHTS, (height) => ({ ...PLAIN, height })),
    faintestContrast: first(CONTRASTS, (contrast) => ({ ...PLAIN, contrast })),
  };
}

function isSeen(figure: Figure, sensitivity: number): boolean {
  let seen = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    if (walk(figure, sensitivity, seed)) seen++;
    if (seen >= SEEN_MIN || seen + SEEDS - seed < SEEN_MIN) break;
  }
  return seen >= SEEN_MIN;
}

function walk({ height, contrast }: Figure, sensitivity: number, seed: number): boolean {
  const { detector: settings } = captureSettings(loadAgentConfig({ file: null, environment: {} }));
  const detector = new Detector({ ...settings, sensitivity });
  const { uniform } = seededRandom(seed);
  const high = Math.max(1, Math.round(height * HEIGHT));
  const wide = Math.max(1, Math.round(high / SLIMNESS));
  const perFrame = (HEIGHTS_PER_S * height * HEIGHT * FRAME_MS) / 1000;
  const frames = WARM_UP_FRAMES + Math.min(200, Math.ceil((WIDTH - wide) / perFrame));
  const top = Math.round((HEIGHT - high) * (0.3 + 0.5 * uniform()));
  for (let index = 0; index < frames; index++) {
    const plane = wall(uniform);
    const left = Math.round((index - WARM_UP_FRAMES) * perFrame);
    if (index >= WARM_UP_FRAMES) darken(plane, left, top, wide, high, contrast);
    if (detector.observe(plane, index * FRAME_MS, index).motion) return true;
  }
  return false;
}

function wall(uniform: () => number): LumaPlane {
  const data = new Uint8Array(WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++) {
    const x = i % WIDTH;
    const y = (i - x) / WIDTH;
    data[i] = 110 + ((x >> 3) % 2) * 14 + ((y >> 3) % 2) * 9 + Math.round((uniform() - 0.5) * 2 * NOISE);
  }
  return { width: WIDTH, height: HEIGHT, data };
}

/** Plain clothes, as they come: the wall's texture does not show through. */
function darken({ data }: LumaPlane, left: number, top: number, wide: number, high: number, contrast: number): void {
  for (let y = top; y < top + high; y++) {
    for (let x = left; x < Math.min(WIDTH, left + wide); x++) {
      const noise = (data[y * WIDTH + x] ?? 0) - (110 + ((x >> 3) % 2) * 14 + ((y >> 3) % 2) * 9);
      data[y * WIDTH + x] = Math.max(0, 121 - contrast + noise);
    }
  }
}

/** A lens that sees 60° from top to bottom shows somebody of 1.7 m this high at so many metres. */
function metresAt(height: number): number {
  return 1.7 / height / (2 * Math.tan(Math.PI / 6));
}

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
