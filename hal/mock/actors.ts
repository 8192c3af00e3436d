import { seededRandom } from '../../common/seeded-random.js';
import { drawSvg, type Raster } from '../image.js';
import { figureLook, figureSvg, poseAt, WALK_PHASES } from './figure.js';
import { SpriteCache } from './sprite-cache.js';
import { carSvg, catSvg, faceSvg, parcelSvg, robotSvg } from './sprites.js';

/** A place on a way: at this time the feet are at (x, y), and the thing is so high; pixels of the full picture. */
export type Waypoint = readonly [atMs: number, x: number, y: number, height: number];

/** Somebody or something that goes from place to place, evenly between two of them, and stands where two are the same. */
export interface Actor {
  readonly what: 'person' | 'car' | 'cat' | 'robot' | 'parcel' | 'face';
  /** Seed of its looks. */
  readonly look: number;
  readonly way: readonly Waypoint[];
  /** Factor on its colours; 1 where it is missing. */
  readonly brightness?: number;
  /** Share of its contrast that is left by darkness and distance; 1 where it is missing. */
  readonly contrast?: number;
}

/** Width of each, as a share of its height. */
const SHAPES: Readonly<Record<Actor['what'], number>> = {
  person: 0.5,
  car: 2.36,
  cat: 1.5,
  robot: 3,
  parcel: 1.3,
  face: 0.9,
};
const STRIDE_MS = 110;
/** A sprite is drawn again when it grows by more than this factor. */
const GROWTH = 1.2;
/** Slower than this, in heights a second, it stands. */
const STANDING_SPEED = 0.02;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  /** Heights a second to the right; negative to the left. */
  readonly speed: number;
}

/** Returns where an actor is; null before and after its way. */
export function placeOf(way: Actor['way'], atMs: number): Place | null {
  const next = way.findIndex(([ms]) => ms > atMs);
  const to = way[next];
  const from = way[next - 1];
  if (to === undefined || from === undefined) return null;
  const share = (atMs - from[0]) / (to[0] - from[0]);
  const between = (i: 1 | 2 | 3): number => from[i] + (to[i] - from[i]) * share;
  const speed = ((to[1] - from[1]) / (to[0] - from[0])) * 1000;
  const height = between(3);
  return { x: between(1), y: between(2), height, speed: speed / height };
}

/** Draws actors, and keeps what it drew. */
export class ActorPainter {
  private readonly sprites = new SpriteCache();

  /** Draws an actor on a picture at a time of the script. */
  async draw(raster: Raster, actor: Actor, atMs: number, isNight: boolean): Promise<void> {
    const place = placeOf(actor.way, atMs);
    if (place === null) return;
    const scale = 640 / raster.width;
    const height = place.height / scale;
    const spriteHeight = Math.max(8, Math.ceil(GROWTH ** Math.ceil(Math.log(height) / Math.log(GROWTH))));
    const sprite = await this.spriteOf(actor, place, { atMs, isNight, spriteHeight });
    const width = height * SHAPES[actor.what];
    blendScaled(raster, sprite, {
      left: place.x / scale - width / 2,
      top: place.y / scale - height,
      width,
      height,
      isMirrored: place.speed < -STANDING_SPEED,
      brightness: (actor.brightness ?? 1) * (isNight ? 0.6 : 1),
      contrast: actor.contrast ?? 1,
    });
  }

  private spriteOf(
    { what, look }: Actor,
    { speed }: Place,
    { atMs, isNight, spriteHeight }: { atMs: number; isNight: boolean; spriteHeight: number },
  ): Promise<Raster> {
    const phase = Math.abs(speed) < STANDING_SPEED ? null : Math.floor(atMs / STRIDE_MS) % WALK_PHASES;
    const pose = poseAt(look, atMs);
    const isPosed = what === 'face' || (what === 'person' && phase === null);
    const posture = isPosed ? `${String(pose.lean)},${String(pose.head)},${String(pose.arm)}` : String(phase);
    const key = `${what}/${String(look)}/${posture}/${String(isNight)}/${String(spriteHeight)}`;
    return this.sprites.get(key, () => {
      const svg = (): string => {
        switch (what) {
          case 'person':
            return figureSvg(figureLook(seededRandom(look).uniform), phase, spriteHeight, pose);
          case 'car':
            return carSvg(look, spriteHeight);
          case 'cat':
            return catSvg(phase, spriteHeight);
          case 'robot':
            return robotSvg(spriteHeight);
          case 'parcel':
            return parcelSvg(spriteHeight);
          case 'face':
            return faceSvg(figureLook(seededRandom(look).uniform), pose, spriteHeight);
        }
      };
      return drawSvg(svg(), { alpha: true, grey: isNight });
    });
  }
}

interface Placement {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly isMirrored: boolean;
  readonly brightness: number;
  readonly contrast: number;
}

/** Draws a sprite at any size and between pixels: what creeps must not jump from pixel to pixel. */
function blendScaled(to: Raster, sprite: Raster, placement: Placement): void {
  const { left, top, width, height, isMirrored, brightness, contrast } = placement;
  const stepX = sprite.width / width;
  const stepY = sprite.height / height;
  const sample = new Float64Array(4);
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(to.height, top + height); y++) {
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(to.width, left + width); x++) {
      const along = (x + 0.5 - left) * stepX;
      sampleAt(sprite, isMirrored ? sprite.width - along : along, (y + 0.5 - top) * stepY, sample);
      const alpha = ((sample[3] ?? 0) / 255) * contrast;
      if (alpha === 0) continue;
      const at = (y * to.width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const color = (sample[c] ?? 0) * brightness * contrast;
        to.data[at + c] = Math.min(255, (to.data[at + c] ?? 0) * (1 - alpha) + color + 0.5);
      }
    }
  }
}

/** Reads a sprite between its pixels; colours are weighted with their opacity, and outside it is empty. */
function sampleAt({ width, height, data }: Raster, x: number, y: number, out: Float64Array): void {
  const left = Math.floor(x - 0.5);
  const top = Math.floor(y - 0.5);
  out.fill(0);
  for (let corner = 0; corner < 4; corner++) {
    const sx = left + (corner & 1);
    const sy = top + (corner >> 1);
    if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue;
    const share = (1 - Math.abs(x - 0.5 - sx)) * (1 - Math.abs(y - 0.5 - sy));
    const at = (sy * width + sx) * 4;
    const alpha = ((data[at + 3] ?? 0) / 255) * share;
    for (let c = 0; c < 3; c++) out[c] = (out[c] ?? 0) + (data[at + c] ?? 0) * alpha;
    out[3] = (out[3] ?? 0) + 255 * alpha;
  }
}
