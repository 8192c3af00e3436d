import { EIGHTHS_PER_LEVEL, TILE_PIXELS, type Planes } from './kernel/layout.js';

/** A pixel changed when it differs from the frame before by more; eighths of a grey level. */
const PIXEL_CHANGE_MIN = 16 * EIGHTHS_PER_LEVEL;
/** A tile changed when this many of its pixels did. */
const CHANGED_PIXELS_MIN = 3;
/** A clock that shows seconds changes at this interval; this many in a row are a clock. */
const BEAT_MS = 1000;
const BEATS_MIN = 10;
/** When a larger share of the tiles changes together, a lamp was switched. */
const CHANGED_TILES_MAX_SHARE = 0.15;
/** Writing stands out from its ground by at least this; eighths of a grey level. */
const CONTRAST_MIN = 60 * EIGHTHS_PER_LEVEL;
/** Frames without change between two beats; with fewer, a tile that always changes would count too. */
const QUIET_FRAMES_MIN = 2;

/** Finds an on-screen clock: sharp, in one place, changing once a second and not in between. */
export class OverlayWatch {
  private before = new Int16Array(0);
  private beats = new Uint8Array(0);
  private beatMs = new Float64Array(0);
  private quiet = new Uint8Array(0);
  private lastMs = 0;
  private isFound = false;

  /** Adds a frame. Returns true once, with the frame in which a clock is certain. */
  inspectTiles(timeMs: number, { current, layout }: Planes): boolean {
    if (this.isFound) return false;
    if (this.before.length !== current.length) this.startTiles(current, layout.tilesX * layout.tilesY, timeMs);
    const toleranceMs = 50 + (timeMs - this.lastMs);
    this.lastMs = timeMs;
    const changes = Array.from(this.beats, (_, tile) => this.changeOf(tile, current, layout));
    const isLamp =
      changes.filter(({ changed }) => changed >= CHANGED_PIXELS_MIN).length > CHANGED_TILES_MAX_SHARE * changes.length;
    for (const [tile, { changed, contrast }] of changes.entries()) {
      if (changed < CHANGED_PIXELS_MIN) {
        this.quiet[tile] = Math.min(255, (this.quiet[tile] ?? 0) + 1);
        continue;
      }
      const sinceMs = timeMs - (this.beatMs[tile] ?? 0);
      const isOnBeat = (beatMs: number): boolean => Math.abs(sinceMs - beatMs) <= toleranceMs;
      const isWriting = !isLamp && (this.quiet[tile] ?? 0) >= QUIET_FRAMES_MIN && contrast >= CONTRAST_MIN;
      if (isWriting && isOnBeat(BEAT_MS)) this.beats[tile] = (this.beats[tile] ?? 0) + 1;
      // One beat may be missed where a digit hardly differs from the next.
      else if (!isWriting || !isOnBeat(2 * BEAT_MS)) this.beats[tile] = 0;
      this.beatMs[tile] = timeMs;
      this.quiet[tile] = 0;
      if ((this.beats[tile] ?? 0) >= BEATS_MIN) this.isFound = true;
    }
    this.before.set(current);
    return this.isFound;
  }

  private startTiles(current: Int16Array, tiles: number, timeMs: number): void {
    this.before = current.slice();
    this.beats = new Uint8Array(tiles);
    this.beatMs = new Float64Array(tiles).fill(-Infinity);
    this.quiet = new Uint8Array(tiles);
    this.lastMs = timeMs;
  }

  private changeOf(
    tile: number,
    current: Int16Array,
    { width, height, stride, tilesX }: Planes['layout'],
  ): { readonly changed: number; readonly contrast: number } {
    const left = (tile % tilesX) * TILE_PIXELS;
    const top = Math.floor(tile / tilesX) * TILE_PIXELS;
    const right = Math.min(width, left + TILE_PIXELS);
    const bottom = Math.min(height, top + TILE_PIXELS);
    let changed = 0;
    let least = Infinity;
    let most = 0;
    for (let y = top; y < bottom; y += 2) {
      for (let i = y * stride + left; i < y * stride + right; i++) {
        const value = current[i] ?? 0;
        if (Math.abs(value - (this.before[i] ?? 0)) > PIXEL_CHANGE_MIN) changed++;
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    return { changed, contrast: most - least };
  }
}
