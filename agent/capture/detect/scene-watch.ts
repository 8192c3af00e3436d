import type { Overview } from './kernel/evidence.js';
import type { LocalLight } from './kernel/light.js';

/** A change of the whole scene, by the wire's names; the duration of what has ended. */
export interface SceneChange {
  readonly class: 'illumination' | 'ir-cut' | 'tamper' | 'overlay';
  readonly durationMs?: number;
}

/** What happens within this time is sudden: no person grows that fast. */
const SUDDEN_MS = 450;
/** So much more of the picture differs than a moment ago; or so much, with another level of light. */
const MUCH = 0.12;
const SOME = 0.02;
const LEVEL = 0.18;
/** Less light than this is dark, and changes of it say nothing; grey levels. */
const LEVEL_MIN = 8;
/** With fewer of its edges left the picture is covered or out of focus. */
const EDGES_LEFT = 0.5;
/** With less of its texture, in so much of the picture, it shows something else. */
const TEXTURE_LEFT = 0.5;
const ELSEWHERE = 0.4;
/** The same texture in another light, or a change too large for anything in front of the camera. */
const TEXTURE_SAME = 0.8;
const FLOOD = 0.55;
/** With so small a gain the background's contrast is gone. */
const GAIN_GONE = 0.4;
/** The new picture is learnt for this long, and nothing in it is motion. */
const SETTLE_MS = 600;
/** The infrared-cut filter swings for a moment, and exposure follows; what changes meanwhile is its doing. */
const SWITCH_SETTLE_MS = 1000;
const SWITCH_MS = 3000;

interface Moment {
  readonly timeMs: number;
  readonly marked: number;
  readonly level: number;
}

/** Tells sudden changes of the whole picture from things that move in it. */
export class SceneWatch {
  private history: Moment[] = [];
  private settledMs = -Infinity;
  private switchedMs = -Infinity;

  /** Whether the picture settles after a change. */
  isSettling(timeMs: number): boolean {
    return timeMs < this.settledMs;
  }

  /** The picture is another one from here on, and learnt anew. */
  holdOff(timeMs: number, forMs = SETTLE_MS): void {
    this.history = [];
    this.settledMs = Math.max(this.settledMs, timeMs + forMs);
  }

  /** The hardware says that its infrared-cut filter switches now. */
  expectSwitch(timeMs: number): void {
    this.switchedMs = timeMs;
    this.holdOff(timeMs, SWITCH_SETTLE_MS);
  }

  /** `marked` is the share of the picture that differs when its light is taken out. Looks closely only when it must. */
  inspectEvidence(
    timeMs: number,
    marked: number,
    { level, gain, relit }: LocalLight,
    look: () => Overview,
  ): SceneChange['class'] | null {
    // Where looks are rarer than that, what changed from one to the next is sudden, local light too.
    const last = this.history.length - 1;
    const isRare = timeMs - (this.history[last]?.timeMs ?? timeMs) > SUDDEN_MS;
    this.history = this.history.filter((moment, i) => i === last || timeMs - moment.timeMs <= SUDDEN_MS);
    const more = marked - Math.min(marked, ...this.history.map((moment) => moment.marked));
    const brighter = Math.max(0, ...this.history.map((moment) => change(moment.level, level)));
    this.history.push({ timeMs, marked, level });
    const isRelit = relit > MUCH;
    const isSudden = more > MUCH || brighter > LEVEL || (isRare && isRelit);
    if (!isSudden || this.isSettling(timeMs)) return null;
    const seen = timeMs - this.switchedMs <= SWITCH_MS ? 'ir-cut' : classOf(marked, brighter, look());
    // The same other light everywhere is exposure, and was taken out. A white cloth over the lens is that too, but no gain.
    const found = more > SOME || isRelit || (seen === 'tamper' && gain < GAIN_GONE) ? seen : null;
    if (found !== null) this.holdOff(timeMs);
    return found;
  }
}

function change(before: number, now: number): number {
  return Math.abs(now - before) / Math.max(LEVEL_MIN, Math.min(before, now));
}

function classOf(
  marked: number,
  brighter: number,
  { texture, edges, isBlank }: Overview,
): 'illumination' | 'tamper' | null {
  // Where nothing was to be seen, whatever appears in another light came with it.
  if (isBlank && brighter > LEVEL) return 'illumination';
  if (edges < EDGES_LEFT || (texture < TEXTURE_LEFT && marked > ELSEWHERE)) return 'tamper';
  return marked > FLOOD || texture > TEXTURE_SAME ? 'illumination' : null;
}
