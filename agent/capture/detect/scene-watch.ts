import type { Overview } from './kernel/evidence.js';
import type { LocalLight } from './kernel/light.js';

/** A change of the whole scene, by the names of the protocol. `durationMs` is present when something ended. */
export interface SceneChange {
  readonly class: 'illumination' | 'ir-cut' | 'tamper' | 'overlay';
  readonly durationMs?: number;
}

/** A change within this time is sudden: no person grows that fast. */
const SUDDEN_MS = 450;
/** Shares of the picture, or of its tiles, by which a sudden change counts. */
const SUDDEN_AREA_MIN_SHARE = 0.12;
/** Less than this beside a change of level is exposure alone. */
const EXPOSURE_AREA_MAX_SHARE = 0.02;
/** Relative change of the mean level that counts as sudden. */
const SUDDEN_LEVEL_CHANGE_MIN = 0.18;
/** Below this mean level the picture is dark and a relative change means nothing; grey levels. */
const LEVEL_FLOOR = 8;
/** With a smaller share of its edges left the picture is covered or out of focus. */
const TAMPER_EDGES_MIN_SHARE = 0.5;
/** With less of its texture left in a larger share of the picture, the camera was turned. */
const TURNED_TEXTURE_MAX = 0.5;
const TURNED_AREA_MIN_SHARE = 0.4;
/** With more of its texture left, there too where much differs, it is the same view in another light. A face leaves none there. */
const SAME_VIEW_TEXTURE_MIN = 0.8;
const RELIT_TEXTURE_MIN = 0.3;
/** A larger share that changes suddenly is light: nothing in front of the camera is that large. */
const LIGHT_AREA_MIN_SHARE = 0.55;
/** With a smaller gain the contrast of the background is gone. */
const TAMPER_GAIN_MAX = 0.4;
/** The new picture is learnt for this long, and nothing in it counts as motion. */
const SETTLE_MS = 600;
/** The same while the infrared-cut filter swings and exposure adjusts. */
const SWITCH_SETTLE_MS = 1000;
/** A sudden change this soon after the hardware reported a switch is attributed to the filter. */
const SWITCH_MS = 3000;

/** What one recent frame had; `marked` is the share of the picture that differed. */
interface Moment {
  readonly timeMs: number;
  readonly marked: number;
  readonly level: number;
}

/** Finds sudden changes of the whole picture, and distinguishes them from things that move in it. */
export class SceneWatch {
  private history: Moment[] = [];
  private settledMs = -Infinity;
  private switchedMs = -Infinity;

  /** Reports whether the picture still settles after a change. */
  isSettling(timeMs: number): boolean {
    return timeMs < this.settledMs;
  }

  /** The picture is a different one from now on; it is learnt again, and nothing in it is motion meanwhile. */
  holdOff(timeMs: number, forMs = SETTLE_MS): void {
    this.history = [];
    this.settledMs = Math.max(this.settledMs, timeMs + forMs);
  }

  /** The infrared-cut filter switches now, as the hardware reports. */
  expectSwitch(timeMs: number): void {
    this.switchedMs = timeMs;
    this.holdOff(timeMs, SWITCH_SETTLE_MS);
  }

  /**
   * Adds a frame; `marked` is the share of the picture that differs from the background in this light. Returns the class
   * of a sudden change. `overview` is expensive, and called only when something changed suddenly.
   */
  inspectEvidence(
    timeMs: number,
    marked: number,
    { level, gain, relit }: LocalLight,
    overview: () => Overview,
  ): SceneChange['class'] | null {
    // Where frames are farther apart than that, any change between two of them is sudden, local light too.
    const last = this.history.length - 1;
    const isRare = timeMs - (this.history[last]?.timeMs ?? timeMs) > SUDDEN_MS;
    this.history = this.history.filter((moment, i) => i === last || timeMs - moment.timeMs <= SUDDEN_MS);
    const more = marked - Math.min(marked, ...this.history.map((moment) => moment.marked));
    const levelChange = Math.max(0, ...this.history.map((moment) => relativeChange(moment.level, level)));
    this.history.push({ timeMs, marked, level });
    const isRelit = relit > SUDDEN_AREA_MIN_SHARE;
    const isSudden = more > SUDDEN_AREA_MIN_SHARE || levelChange > SUDDEN_LEVEL_CHANGE_MIN || (isRare && isRelit);
    if (!isSudden || this.isSettling(timeMs)) return null;
    const candidate = timeMs - this.switchedMs <= SWITCH_MS ? 'ir-cut' : classOf(marked, levelChange, overview());
    // The same change everywhere is exposure, which was taken out. A white cloth over the lens looks the same, but leaves no gain.
    const found =
      more > EXPOSURE_AREA_MAX_SHARE || isRelit || (candidate === 'tamper' && gain < TAMPER_GAIN_MAX)
        ? candidate
        : null;
    if (found !== null) this.holdOff(timeMs);
    return found;
  }
}

/** Returns the change of the mean level, relative to the lower of the two. */
function relativeChange(before: number, now: number): number {
  return Math.abs(now - before) / Math.max(LEVEL_FLOOR, Math.min(before, now));
}

function classOf(
  marked: number,
  levelChange: number,
  { texture, markedTexture, edges, isBlank }: Overview,
): 'illumination' | 'tamper' | null {
  // The background showed nothing, so all that appears in another light came with the light.
  if (isBlank && levelChange > SUDDEN_LEVEL_CHANGE_MIN) return 'illumination';
  if (edges < TAMPER_EDGES_MIN_SHARE || (texture < TURNED_TEXTURE_MAX && marked > TURNED_AREA_MIN_SHARE))
    return 'tamper';
  const isReplaced = marked > SUDDEN_AREA_MIN_SHARE && markedTexture < RELIT_TEXTURE_MIN;
  return marked > LIGHT_AREA_MIN_SHARE || (texture > SAME_VIEW_TEXTURE_MIN && !isReplaced) ? 'illumination' : null;
}
