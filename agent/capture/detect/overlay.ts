import { EIGHTHS, TILE, type Planes } from './kernel/layout.js';

/** A change that the eye sees in writing; grey levels from one look to the next. */
const CHANGE = 16 * EIGHTHS;
const PIXELS_MIN = 3;
/** The beat of a clock that shows seconds, and how many of them make it one. */
const BEAT_MS = 1000;
const BEATS = 10;
/** What changes in more of the picture at once is a lamp. */
const WIDE = 0.15;
/** Writing stands out from its ground by so many grey levels. */
const CONTRAST = 60 * EIGHTHS;
/** Looks without change between two beats; with fewer a beat cannot be told from what always changes. */
const QUIET_MIN = 2;

/** Finds an on-screen clock: sharp, in one place, changing once a second and not in between. Says so once. */
export class OverlayWatch {
  private before = new Int16Array(0);
  private beats = new Uint8Array(0);
  private beatMs = new Float64Array(0);
  private quiet = new Uint8Array(0);
  private lookedMs = 0;
  private isFound = false;

  inspectTiles(timeMs: number, { current, layout }: Planes): boolean {
    if (this.isFound) return false;
    if (this.before.length !== current.length) this.startTiles(current, layout.tilesX * layout.tilesY, timeMs);
    const toleranceMs = 50 + (timeMs - this.lookedMs);
    this.lookedMs = timeMs;
    const changes = Array.from(this.beats, (_, tile) => this.changeOf(tile, current, layout));
    const isWide = changes.filter(({ changed }) => changed >= PIXELS_MIN).length > WIDE * changes.length;
    for (const [tile, { changed, contrast }] of changes.entries()) {
      if (changed < PIXELS_MIN) {
        this.quiet[tile] = Math.min(255, (this.quiet[tile] ?? 0) + 1);
        continue;
      }
      const sinceMs = timeMs - (this.beatMs[tile] ?? 0);
      const isOn = (beatMs: number): boolean => Math.abs(sinceMs - beatMs) <= toleranceMs;
      const isWriting = !isWide && (this.quiet[tile] ?? 0) >= QUIET_MIN && contrast >= CONTRAST;
      if (isWriting && isOn(BEAT_MS)) this.beats[tile] = (this.beats[tile] ?? 0) + 1;
      // One beat may be missed, where a digit hardly differs from the next.
      else if (!isWriting || !isOn(2 * BEAT_MS)) this.beats[tile] = 0;
      this.beatMs[tile] = timeMs;
      this.quiet[tile] = 0;
      if ((this.beats[tile] ?? 0) >= BEATS) this.isFound = true;
    }
    this.before.set(current);
    return this.isFound;
  }

  private startTiles(current: Int16Array, tiles: number, timeMs: number): void {
    this.before = current.slice();
    this.beats = new Uint8Array(tiles);
    this.beatMs = new Float64Array(tiles).fill(-Infinity);
    this.quiet = new Uint8Array(tiles);
    this.lookedMs = timeMs;
  }

  private changeOf(
    tile: number,
    current: Int16Array,
    { width, height, stride, tilesX }: Planes['layout'],
  ): { readonly changed: number; readonly contrast: number } {
    const [left, top] = [(tile % tilesX) * TILE, Math.floor(tile / tilesX) * TILE];
    const [right, bottom] = [Math.min(width, left + TILE), Math.min(height, top + TILE)];
    let [changed, least, most] = [0, Infinity, 0];
    for (let y = top; y < bottom; y += 2) {
      for (let i = y * stride + left; i < y * stride + right; i++) {
        const value = current[i] ?? 0;
        if (Math.abs(value - (this.before[i] ?? 0)) > CHANGE) changed++;
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    return { changed, contrast: most - least };
  }
}
