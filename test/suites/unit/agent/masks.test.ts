import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../common/seeded-random.js';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import type { Observation } from '../../../../agent/capture/detect/observation.js';
import { decodeLuma, fitThumbnail, makeThumbnail } from '../../../../agent/capture/jpeg.js';
import { blackOut, maskPlane, type PrivacyMask } from '../../../../agent/capture/detect/masks.js';
import { isInside } from '../../../../agent/capture/detect/zones.js';
import { captureSettings, recorderSettings } from '../../../../agent/main/settings.js';
import { loadAgentConfig, reloadAgentConfig } from '../../../../agent/config/keys.js';
import { takeSnapshot } from '../../../../agent/record/snapshot.js';
import type { Frame } from '../../../../hal/camera.js';
import type { SealcamRecord } from '../../../../protocol/objects/record.js';
import { asyncCodeOf, codeOf } from '../../../support/codes.js';
import { rectangle, texturedPlane } from '../../../support/planes.js';
import { RECORDER_SETTINGS, RecorderWorld } from '../../../support/worlds/recorder-world.js';
import { tempFolder } from '../../../support/runner/temp.js';

const WIDTH = 640;
const HEIGHT = 360;
const WINDOW: PrivacyMask = { name: 'window', corners: rectangle(0.303, 0.207, 0.611, 0.703) };
const SHAPES: readonly PrivacyMask[] = [
  WINDOW,
  {
    name: 'triangle',
    corners: [
      [0.1, 0.9],
      [0.5, 0.05],
      [0.93, 0.72],
    ],
  },
  {
    name: 'hollow',
    corners: [
      [0.2, 0.2],
      [0.8, 0.15],
      [0.5, 0.5],
      [0.8, 0.85],
      [0.2, 0.8],
    ],
  },
];

/** Returns a grey scene; under the masks are bright stripes, or the scene itself. */
function pixels(masks: readonly PrivacyMask[], under: 'stripes' | 'scene'): Buffer {
  const { uniform } = seededRandom(3);
  const data = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const grey = 70 + ((x >> 4) % 2) * 20 + Math.round(uniform() * 10);
      const isUnder = masks.some((mask) => isInside(mask, (x + 0.5) / WIDTH, (y + 0.5) / HEIGHT));
      const stripe = (x >> 2) % 2 === 0 ? [255, 0, 255] : [255, 0, 0];
      data.set(isUnder && under === 'stripes' ? stripe : [grey, grey, grey], (y * WIDTH + x) * 3);
    }
  }
  return data;
}

const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;

/** Returns a JPEG as a camera makes it: half the colour, quality 85; with `hangs` turned, with an orientation tag. */
async function photograph(masks: readonly PrivacyMask[], under: 'stripes' | 'scene', hangs = false): Promise<Buffer> {
  const image = sharp(pixels(masks, under), { raw });
  return (hangs ? image.rotate(-90).withMetadata({ orientation: 6 }) : image).jpeg({ quality: 85 }).toBuffer();
}

const decoded = async (jpeg: Uint8Array): Promise<Buffer> => sharp(jpeg).raw().toBuffer();

/** Returns the saturation of the most colourful pixel; the scene itself is grey. */
async function colour(jpeg: Uint8Array): Promise<number> {
  const data = await decoded(jpeg);
  let most = 0;
  for (let i = 0; i < data.length; i += 3) {
    const [r = 0, g = 0, b = 0] = data.subarray(i, i + 3);
    most = Math.max(most, Math.max(r, g, b) - Math.min(r, g, b));
  }
  return most;
}

/** A JPEG spreads less saturation than the first within its blocks; the stripes under the masks have more than the second. */
const SPREAD_MAX = 24;
const STRIPES_MIN = 150;

describe('privacy masks in pictures', () => {
  it.each(SHAPES.map((mask) => [mask.name, mask] as const))('show nothing that is under them: %s', async (_, mask) => {
    for (const hangs of [false, true]) {
      const jpeg = await photograph([mask], 'stripes', hangs);
      for (const width of [WIDTH, 320, 97]) {
        const masked = await makeThumbnail(jpeg, width, 90, [mask]);
        expect(await colour(masked.jpeg), `${String(width)} px, hangs: ${String(hangs)}`).toBeLessThan(SPREAD_MAX);
        // The control: without the mask the same picture shows it.
        const open = await makeThumbnail(jpeg, width, 90, []);
        expect(await colour(open.jpeg)).toBeGreaterThan(STRIPES_MIN);
        expect([masked.width, masked.height]).toEqual([open.width, open.height]);
      }
    }
  });

  it('leave the rest of the picture unchanged', async () => {
    const jpeg = await photograph([], 'scene');
    const masked = await decoded((await makeThumbnail(jpeg, WIDTH, 95, [WINDOW])).jpeg);
    const open = await decoded((await makeThumbnail(jpeg, WIDTH, 95, [])).jpeg);
    const near = { name: 'near', corners: rectangle(0.27, 0.15, 0.65, 0.76) };
    let most = 0;
    for (let i = 0; i < WIDTH * HEIGHT; i++) {
      if (isInside(near, ((i % WIDTH) + 0.5) / WIDTH, (Math.floor(i / WIDTH) + 0.5) / HEIGHT)) continue;
      most = Math.max(most, Math.abs((masked[i * 3] ?? 0) - (open[i * 3] ?? 0)));
    }
    expect(most).toBeLessThan(4);
  });

  it('are black on every pixel they touch and on its neighbours, in any shape', () => {
    const { uniform } = seededRandom(11);
    for (let round = 0; round < 60; round++) {
      const count = 3 + Math.floor(uniform() * 6);
      const corners = Array.from({ length: count }, () => [uniform(), uniform()] as const);
      const mask = { name: 'any', corners };
      const width = 20 + Math.floor(uniform() * 60);
      const height = 20 + Math.floor(uniform() * 60);
      const data = new Uint8Array(width * height).fill(200);
      blackOut(data, { width, height, channels: 1 }, [mask]);
      const plane = maskPlane([mask], width, height);
      const shown: unknown[] = [];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          // Any point of the pixel, and of its neighbours.
          const near = Array.from({ length: 8 }, () => [x - 1 + 3 * uniform(), y - 1 + 3 * uniform()] as const);
          if (!near.some(([px, py]) => isInside(mask, px / width, py / height))) continue;
          if (data[y * width + x] !== 0 || plane[y * width + x] !== 1) shown.push([corners, x, y]);
        }
      }
      expect(shown).toEqual([]);
    }
  });

  it('have no hole where they are drawn crosswise', () => {
    const star = [0, 2, 4, 1, 3].map((tip) => {
      const angle = (tip * 2 * Math.PI) / 5;
      return [0.5 + 0.45 * Math.sin(angle), 0.5 - 0.45 * Math.cos(angle)] as const;
    });
    expect(maskPlane([{ name: 'star', corners: star }], 40, 40)[20 * 40 + 20]).toBe(1);
    expect(isInside({ name: 'star', corners: star }, 0.5, 0.5)).toBe(false);
  });

  it('fail closed: a mask that is not a polygon, or a frame that cannot be decoded, gives no picture', async () => {
    const jpeg = await photograph([WINDOW], 'stripes');
    const settings = { width: 320, quality: 75 };
    const bad = [[], rectangle(0, 0, NaN, 1), rectangle(0, 0, 7, 1), rectangle(0, 0, 1, 1).slice(0, 2)];
    for (const corners of bad) {
      const masks = [{ name: 'bad', corners }];
      expect(await asyncCodeOf(() => fitThumbnail(jpeg, { ...settings, masks }, 100_000))).toBe('config-invalid-value');
      expect(codeOf(() => maskPlane(masks, 16, 9))).toBe('config-invalid-value');
    }
    const cut = jpeg.subarray(0, jpeg.length / 2);
    expect(await asyncCodeOf(() => makeThumbnail(cut, 320, 75, [WINDOW]))).toBe('frame-corrupt');
  });

  it('cover greyscale and CMYK pictures', async () => {
    const source = sharp(pixels([WINDOW], 'stripes'), { raw });
    for (const picture of [source.clone().greyscale(), source.clone().toColourspace('cmyk')]) {
      const { jpeg } = await makeThumbnail(await picture.jpeg().toBuffer(), 320, 90, [WINDOW]);
      const { data, info } = await sharp(jpeg).greyscale().raw().toBuffer({ resolveWithObject: true });
      expect(data[Math.round(info.height / 2) * info.width + Math.round(0.45 * info.width)]).toBeLessThan(4);
    }
  });
});

const nameOf = ({ kind, event }: SealcamRecord): string => (kind === 'snapshot' ? kind : (event?.phase ?? ''));

const box = { left: 0.4, top: 0.4, width: 0.1, height: 0.2 };
const span = { onsetFrame: 9, onsetMs: 900, startFrame: 10, startMs: 1000 };

describe('pictures that leave the camera', () => {
  /** Returns each picture that an owner can open: of a start, an update, an end and a snapshot. */
  async function leaving(
    masks: readonly PrivacyMask[],
    jpeg: Uint8Array,
    crop: 'none' | 'subject',
  ): Promise<Map<string, Uint8Array>> {
    const settings = { ...RECORDER_SETTINGS, thumbnail: { ...RECORDER_SETTINGS.thumbnail, masks, crop } };
    const world = new RecorderWorld({ settings });
    world.claim();
    const frame: Frame = { index: 10, monotonicMs: 1000, jpeg };
    const sighting = { frame, index: 10, timeMs: 1000, area: 0.1, box, zones: [] };
    const end = { endFrame: 20, endMs: 2000, peakArea: 0.1, reason: 'motion-ended' } as const;
    await world.recordTransitions(
      { type: 'start', span, sighting },
      { type: 'update', span, sighting },
      { type: 'end', span, sighting, ...end },
    );
    await takeSnapshot(world.deps, frame, settings.thumbnail);
    return new Map(world.pictures().map(({ record, jpeg: picture }) => [nameOf(record), picture]));
  }

  it.each(['none', 'subject'] as const)(
    'show nothing that is masked, and everything without a mask: crop %s',
    async (crop) => {
      const jpeg = await photograph([WINDOW], 'stripes', true);
      const masked = await leaving([WINDOW], jpeg, crop);
      expect([...masked.keys()]).toEqual(['start', 'update', 'end', 'snapshot']);
      for (const [name, picture] of masked) expect(await colour(picture), name).toBeLessThan(SPREAD_MAX);
      for (const [name, picture] of await leaving([], jpeg, crop))
        expect(await colour(picture), name).toBeGreaterThan(STRIPES_MIN);
    },
  );
});

describe('masks of the configuration', () => {
  const text =
    '[[privacy.masks]]\nname = "window"\ncorners = [[0.303, 0.207], [0.611, 0.207], [0.611, 0.703], [0.303, 0.703]]\n';

  it('apply to pictures and detection while the camera runs, beside the zones that the owner ordered', async () => {
    const file = join(tempFolder(), 'camera.toml');
    const source = { file, environment: {} };
    writeFileSync(file, '');
    const before = loadAgentConfig(source);
    writeFileSync(file, text);
    const after = reloadAgentConfig(before, source);
    expect(captureSettings(after, { zones: [], sensitivity: 3 }).detector.masks).toEqual([WINDOW]);

    const world = new RecorderWorld({ settings: recorderSettings(before) });
    world.claim();
    const jpeg = await photograph([WINDOW], 'stripes');
    const frame: Frame = { index: 10, monotonicMs: 1000, jpeg };
    const sighting = { frame, index: 10, timeMs: 1000, area: 0.1, box, zones: [] };
    await world.recordTransitions({ type: 'start', span, sighting });
    world.recorder.configure(recorderSettings(after));
    await world.recordTransitions({ type: 'update', span, sighting });
    const [open, masked] = world.pictures();
    expect(await colour(open?.jpeg ?? new Uint8Array(0))).toBeGreaterThan(STRIPES_MIN);
    expect(await colour(masked?.jpeg ?? new Uint8Array(0))).toBeLessThan(SPREAD_MAX);
  });

  it.each(['[[0, 0], [1, 1]]', '[[0, 0], [1, 0], [1, 1.1]]', '[[0, 0], [1, 0], [1, nan]]', '[]'])(
    'are refused with the whole file when they are not polygons: %s',
    (corners) => {
      const file = join(tempFolder(), 'camera.toml');
      writeFileSync(file, `[[privacy.masks]]\nname = "window"\ncorners = ${corners}\n`);
      expect(codeOf(() => loadAgentConfig({ file, environment: {} }))).toBe('config-invalid-value');
    },
  );
});

describe('detection', () => {
  const settings = { sensitivity: 50, zones: [], minDurationMs: 300 };
  const walk = (masks: readonly PrivacyMask[], level = 100): Observation[] => {
    const detector = new Detector({ ...settings, masks });
    return Array.from({ length: 80 }, (_, i) => {
      const plane = texturedPlane(i, (paint) => {
        if (i >= 30 && i < 70) paint([10 + (i - 30) * 3, 40, 8, 22], 30);
      });
      // The light falls while somebody walks.
      if (i >= 45) for (const [k, grey] of plane.data.entries()) plane.data[k] = (grey * level) / 100;
      return detector.observe(plane, i * 100, i);
    });
  };
  const count = (seen: readonly Observation[]): number => seen.filter(({ motion }) => motion).length;

  it('finds nothing under a mask', () => {
    expect(count(walk([]))).toBeGreaterThan(20);
    expect(count(walk([{ name: 'path', corners: rectangle(0, 0.4, 1, 0.75) }]))).toBe(0);
  });

  it('detects a person who comes out from under a mask, and only outside it', () => {
    // Masked up to pixel 81 and its neighbour.
    const seen = walk([{ name: 'left half', corners: rectangle(0, 0, 81 / 160, 1) }]);
    expect(count(seen)).toBeGreaterThan(8);
    for (const { motion, box } of seen) if (motion) expect((box?.left ?? 0) * 160).toBeGreaterThanOrEqual(82);
  });

  it('ignores flashes under a mask: a person beside it is detected, and no change of light is reported', () => {
    const screen = { name: 'screen', corners: rectangle(0, 0, 1, 0.6) };
    const beside = (masks: readonly PrivacyMask[]): Observation[] => {
      const watcher = new Detector({ ...settings, masks });
      return Array.from({ length: 90 }, (_, i) => {
        const plane = texturedPlane(i, (paint) => {
          paint([0, 0, 160, 54], i % 20 < 10 ? 20 : 235);
          if (i >= 40 && i < 80) paint([10 + (i - 40) * 3, 62, 8, 22], 30);
        });
        return watcher.observe(plane, i * 100, i);
      });
    };
    const seen = beside([screen]);
    expect(seen.filter(({ scene }) => scene !== null)).toEqual([]);
    expect(count(seen)).toBeGreaterThan(25);
    expect(count(seen.slice(0, 40))).toBe(0);
    // The control: without the mask the flashes are changes of light.
    expect(beside([]).some(({ scene }) => scene !== null)).toBe(true);
  });

  it('detects a person who walks under a mask up to its edge, and no pixel further', () => {
    // Masked from pixel 81 on, and its neighbour.
    const seen = walk([{ name: 'right half', corners: rectangle(81 / 160, 0, 1, 1) }]);
    const ends = seen.flatMap(({ motion, box }) => (motion && box !== null ? [(box.left + box.width) * 160] : []));
    expect(Math.max(...ends)).toBeCloseTo(80, 6);
  });

  it('finds nothing under a mask when a large person darkens the rest', () => {
    const watcher = new Detector({ ...settings, masks: [{ name: 'left', corners: rectangle(0, 0, 0.5, 1) }] });
    const seen = Array.from({ length: 80 }, (_, i) => {
      const plane = texturedPlane(i, (paint) => {
        if (i >= 30) paint([Math.max(85, 160 - (i - 30) * 4), 8, 60, 80], 10);
      });
      return watcher.observe(plane, i * 100, i);
    });
    const boxes = seen.flatMap(({ motion, box }) => (motion && box !== null ? [box] : []));
    expect(boxes.length).toBeGreaterThan(10);
    for (const box of boxes) expect(box.left).toBeGreaterThanOrEqual(0.49);
  });

  it('finds no motion in a change of light with most of the picture masked', () => {
    const most = { name: 'most', corners: rectangle(0, 0, 1, 0.7) };
    expect(count(walk([most], 85))).toBe(0);
  });
});

describe('a camera that hangs on its side', () => {
  it('is analysed upright, as its owner sees it, so that zones and boxes fit both', async () => {
    const jpeg = await photograph([], 'scene', true);
    expect((await sharp(jpeg).metadata()).orientation).toBe(6);
    expect(await decodeLuma(jpeg, 160)).toMatchObject({ width: 160, height: 90 });
    const { data } = await decodeLuma(await photograph([WINDOW], 'stripes', true), 160);
    const upright = await decodeLuma(await photograph([WINDOW], 'stripes'), 160);
    const apart = (other: Uint8Array): number =>
      data.reduce((sum, grey, i) => sum + Math.abs(grey - (other[i] ?? 0)), 0) / data.length;
    // Two decoders made them, which draw the edges of stripes differently; a picture on its head has them elsewhere.
    expect(apart(upright.data)).toBeLessThan(apart(upright.data.slice().reverse()) / 3);
  });
});
