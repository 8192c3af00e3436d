import type { Random } from '../../common/random.js';
import { seededRandom } from '../../common/seeded-random.js';
import type { LumaPlane } from '../camera.js';
import { drawSvg, encodeJpeg, type Raster } from '../image.js';
import { apply, BEHIND_PEOPLE } from './effects.js';
import { ActorPainter } from './actors.js';
import { figureLook, figureSvg, poseAt, UPRIGHT, WALK_PHASES } from './figure.js';
import { driveway } from './scenes/driveway.js';
import { garden } from './scenes/garden.js';
import { gateway } from './scenes/gateway.js';
import { porch } from './scenes/porch.js';
import { room } from './scenes/room.js';
import { SCENE_HEIGHT, SCENE_WIDTH, sceneSvg, type SceneArt, type SceneLight } from './scenes/scene-art.js';
import { street } from './scenes/street.js';
import { SpriteCache } from './sprite-cache.js';
import { momentAt, type Moment, type Person, type SceneScript } from './script.js';

const SCENE_ARTS: Readonly<Record<SceneScript['scene'], SceneArt>> = {
  porch,
  garden,
  driveway,
  gateway,
  room,
  street,
};
/** Full-size pixels per pixel of the luma plane. */
const LUMA_STEP_PIXELS = 4;
const JPEG_QUALITY = 82;
const STRIDE_MS = 110;
const NOISE_SAMPLES = 1 << 16;
/** Steps of the grain's table in a grey level. */
const GRAIN_PER_LEVEL = 16;

export interface RenderedFrame {
  readonly jpeg: Uint8Array;
  readonly luma: LumaPlane;
}

/**
 * Draws a script frame by frame. A frame depends on script and time only. Backgrounds and people are drawn once and kept.
 * A `scale` of 4 draws a sixteenth of the pixels, for the luma plane alone.
 */
export class SceneRenderer {
  private readonly art: SceneArt;
  private readonly noise: Int8Array;
  private readonly backgrounds = new Map<SceneLight, Promise<Raster>>();
  private readonly walkers = new SpriteCache();
  private readonly painter = new ActorPainter();
  private readonly grain: Int8Array | null;
  private readonly script: SceneScript;
  private readonly scale: 1 | 4;

  constructor(script: SceneScript, scale: 1 | 4 = 1) {
    this.script = script;
    this.scale = scale;
    this.art = SCENE_ARTS[script.scene];
    this.noise = gaussianNoise(seededRandom(script.seed), script.noise);
    const { grain } = script;
    this.grain = grain === undefined ? null : gaussianNoise(seededRandom(script.seed + 1), grain * GRAIN_PER_LEVEL);
  }

  /** Draws the frame at a time since the start of the script. */
  async render(timeMs: number): Promise<RenderedFrame> {
    const raster = await this.raster(timeMs);
    return { jpeg: await encodeJpeg(raster, this.script.quality ?? JPEG_QUALITY), luma: lumaOf(raster) };
  }

  /** Draws the luma plane alone. At a scale of 4 noise is not averaged over 16 pixels, as in the picture of a worse camera. */
  async luma(timeMs: number): Promise<LumaPlane> {
    return lumaOf(await this.raster(timeMs));
  }

  private async raster(timeMs: number): Promise<Raster> {
    const moment = momentAt(this.script, timeMs);
    const random = seededRandom(this.script.seed + Math.round(timeMs) * 2 ** 20);
    const background = await this.background(moment);
    const data = background.data.slice();
    const raster: Raster = { ...background, data };
    const behind = moment.effects.filter(({ effect }) => BEHIND_PEOPLE.includes(effect.kind));
    const before = moment.effects.filter(({ effect }) => !BEHIND_PEOPLE.includes(effect.kind));
    for (const applied of behind) apply(applied, raster, random);
    for (const { person, progress } of moment.people) {
      await this.drawPerson(raster, { person, progress, timeMs, isNight: moment.night });
    }
    for (const actor of moment.actors) await this.painter.draw(raster, actor, moment.atMs, moment.night);
    for (const applied of before) apply(applied, raster, random);
    if (this.grain !== null) addGrain(raster, this.grain, random);
    addNoise(data, this.noise, random);
    return raster;
  }

  private background(moment: Moment): Promise<Raster> {
    const light: SceneLight = `${moment.night ? 'night' : 'day'}${moment.lamp ? '-lamp' : ''}`;
    let drawn = this.backgrounds.get(light);
    if (drawn === undefined) {
      drawn = drawSvg(sceneSvg(this.art, light), { ...this.drawing(), alpha: false, grey: moment.night });
      this.backgrounds.set(light, drawn);
    }
    return drawn;
  }

  private drawing(): { readonly width?: number } {
    return this.scale === 1 ? {} : { width: SCENE_WIDTH / this.scale };
  }

  private async drawPerson(raster: Raster, { person, progress, timeMs, isNight }: Appearance): Promise<void> {
    const { scale } = this;
    const height = Math.round((this.art.figureHeight * (person.size ?? 1)) / scale);
    const width = height / 2;
    const span = SCENE_WIDTH / scale + 2 * width;
    const walk = walkOf(person.path, progress, (this.art.doorX / scale + width) / span);
    const x = Math.round(walk.along * span - width - width / 2);
    const phase = walk.standing ? null : Math.floor(timeMs / STRIDE_MS) % WALK_PHASES;
    const pose = walk.standing ? poseAt(person.look, timeMs) : UPRIGHT;
    const posture = `${String(pose.lean)},${String(pose.head)},${String(pose.arm)}`;
    const key = `${String(person.look)}/${String(phase)}/${posture}/${String(isNight)}/${String(height)}`;
    const sprite = await this.walkers.get(key, () => {
      const look = figureLook(seededRandom(person.look).uniform);
      return drawSvg(figureSvg(look, phase, height, pose), { alpha: true, grey: isNight });
    });
    // Small people are farther away, so their feet are higher in the picture.
    const ground = this.art.groundY - (1 - Math.min(1, person.size ?? 1)) * this.art.figureHeight * 0.4;
    const top = Math.round(ground / scale) - height;
    blend(raster, sprite, { left: x, top, isMirrored: walk.facesLeft, brightness: isNight ? 0.6 : 1 });
  }
}

/** A person at one moment. */
interface Appearance {
  readonly person: Person;
  /** 0 to 1 of the way. */
  readonly progress: number;
  readonly timeMs: number;
  readonly isNight: boolean;
}

interface Walk {
  /** 0 at the left edge of the walk, 1 at the right. */
  readonly along: number;
  readonly facesLeft: boolean;
  readonly standing: boolean;
}

function walkOf(path: Person['path'], progress: number, door: number): Walk {
  switch (path) {
    case 'cross':
      return { along: progress, facesLeft: false, standing: false };
    case 'cross-back':
      return { along: 1 - progress, facesLeft: true, standing: false };
    case 'visit':
      if (progress < 0.35) return { along: (progress / 0.35) * door, facesLeft: false, standing: false };
      if (progress < 0.6) return { along: door, facesLeft: false, standing: true };
      return { along: door * (1 - (progress - 0.6) / 0.4), facesLeft: true, standing: false };
    case 'stand':
      if (progress < 0.1) return { along: (progress / 0.1) * door, facesLeft: false, standing: false };
      if (progress < 0.9) return { along: door, facesLeft: false, standing: true };
      return { along: door * (1 - (progress - 0.9) / 0.1), facesLeft: true, standing: false };
  }
}

function gaussianNoise(random: Random, deviation: number): Int8Array {
  const out = new Int8Array(NOISE_SAMPLES);
  for (let i = 0; i < out.length; i++) {
    // The sum of twelve uniform numbers has variance 1, and is close to a normal distribution.
    let sum = -6;
    for (let k = 0; k < 12; k++) sum += random.uniform();
    out[i] = Math.max(-127, Math.min(127, Math.round(sum * deviation)));
  }
  return out;
}

function addNoise(data: Uint8Array, noise: Int8Array, random: Random): void {
  const clamped = new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
  let at = Math.floor(random.uniform() * NOISE_SAMPLES);
  for (let i = 0; i + 2 < clamped.length; i += 3) {
    const n = noise[at++ & (NOISE_SAMPLES - 1)] ?? 0;
    clamped[i] = (clamped[i] ?? 0) + n;
    clamped[i + 1] = (clamped[i + 1] ?? 0) + n;
    clamped[i + 2] = (clamped[i + 2] ?? 0) + n;
    // A jump now and then keeps the noise table from repeating in the same place.
    if ((i & 0x3fff) === 0) at = Math.floor(random.uniform() * NOISE_SAMPLES);
  }
}

/** Adds noise that is the same within a patch of 4×4 pixels of the full picture. */
function addGrain({ width, height, data }: Raster, grain: Int8Array, random: Random): void {
  const step = LUMA_STEP_PIXELS / (SCENE_WIDTH / width);
  const row = new Int8Array(Math.ceil(width / step));
  for (let y = 0; y < height; y++) {
    if (y % step === 0) {
      const from = Math.floor(random.uniform() * (NOISE_SAMPLES - row.length));
      row.set(grain.subarray(from, from + row.length));
    }
    for (let x = 0; x < width; x++) {
      const n = (row[Math.floor(x / step)] ?? 0) / GRAIN_PER_LEVEL + 0.5;
      const at = (y * width + x) * 3;
      for (let c = at; c < at + 3; c++) data[c] = Math.max(0, Math.min(255, (data[c] ?? 0) + n));
    }
  }
}

interface Placement {
  readonly left: number;
  readonly top: number;
  readonly isMirrored: boolean;
  /** Factor on the colours of the sprite. */
  readonly brightness: number;
}

/** Draws a sprite over a picture. */
function blend(to: Raster, sprite: Raster, { left, top, isMirrored, brightness }: Placement): void {
  for (let y = Math.max(0, top); y < Math.min(to.height, top + sprite.height); y++) {
    for (let x = Math.max(0, left); x < Math.min(to.width, left + sprite.width); x++) {
      const column = isMirrored ? sprite.width - 1 - (x - left) : x - left;
      const from = ((y - top) * sprite.width + column) * 4;
      const alpha = (sprite.data[from + 3] ?? 0) / 255;
      if (alpha === 0) continue;
      const at = (y * to.width + x) * 3;
      for (let c = 0; c < 3; c++) {
        to.data[at + c] = (to.data[at + c] ?? 0) * (1 - alpha) + (sprite.data[from + c] ?? 0) * brightness * alpha;
      }
    }
  }
}

/** Returns the luma plane of 160×90 pixels: the mean of each 4×4 block, with the weights of ITU-R BT.601. */
function lumaOf(raster: Raster): LumaPlane {
  const width = SCENE_WIDTH / LUMA_STEP_PIXELS;
  const height = SCENE_HEIGHT / LUMA_STEP_PIXELS;
  const step = raster.width / width;
  const out = new Uint8Array(width * height);
  if (step === 1) {
    const { data } = raster;
    for (let i = 0, at = 0; i < out.length; i++, at += 3) {
      out[i] = (77 * (data[at] ?? 0) + 150 * (data[at + 1] ?? 0) + 29 * (data[at + 2] ?? 0)) / 256;
    }
    return { width, height, data: out };
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let dy = 0; dy < step; dy++) {
        let at = ((y * step + dy) * raster.width + x * step) * 3;
        for (let dx = 0; dx < step; dx++, at += 3) {
          sum += 77 * (raster.data[at] ?? 0) + 150 * (raster.data[at + 1] ?? 0) + 29 * (raster.data[at + 2] ?? 0);
        }
      }
      out[y * width + x] = sum / (256 * step * step);
    }
  }
  return { width, height, data: out };
}
