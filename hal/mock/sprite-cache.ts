import type { Raster } from '../image.js';

/** Somebody who stands takes hundreds of postures; a large picture of each would be too much to keep for ever. */
const SPRITES_MAX = 256;

/** Keeps what was drawn, and forgets all of it when it becomes too much. */
export class SpriteCache {
  private readonly sprites = new Map<string, Promise<Raster>>();

  /** Returns the sprite of this key, drawn if it is not kept. */
  get(key: string, draw: () => Promise<Raster>): Promise<Raster> {
    let sprite = this.sprites.get(key);
    if (sprite === undefined) {
      if (this.sprites.size >= SPRITES_MAX) this.sprites.clear();
      sprite = draw();
      this.sprites.set(key, sprite);
    }
    return sprite;
  }
}
