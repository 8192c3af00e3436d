import type { Overview } from './kernel/evidence.js';

/** A change of the whole scene; the wire's name of its class. */
export type SceneChange = 'illumination' | 'tamper';

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
/** The new picture is learnt for this long, and nothing in it is motion. */
const SETTLE_MS = 600;

interface Moment {
  readonly timeMs: number;
  readonly marked: number;
  readonly level: number;
}

/** Tells sudden changes of the whole picture from things that move in it. */
export class SceneWatch {
  private history: Moment[] = [];
  private settledMs = -Infinity;

  /** Whether the picture settles after a change. */
  isSettling(timeMs: number): boolean {
    return timeMs < this.settledMs;
  }

  /** `marked` is the share of the picture that differs, `level` its mean grey level. Looks closely only when it must. */
  step(timeMs: number, marked: number, level: number, look: () => Overview): SceneChange | null {
    this.history = this.history.filter((moment) => timeMs - moment.timeMs <= SUDDEN_MS);
    const more = marked - Math.min(marked, ...this.history.map((moment) => moment.marked));
    const brighter = Math.max(0, ...this.history.map((moment) => change(moment.level, level)));
    this.history.push({ timeMs, marked, level });
    const isSudden = more > MUCH || (more > SOME && brighter > LEVEL);
    if (!isSudden || this.isSettling(timeMs)) return null;
    const found = classOf(marked, look());
    if (found !== null) {
      this.history = [];
      this.settledMs = timeMs + SETTLE_MS;
    }
    return found;
  }
}

function change(before: number, now: number): number {
  return Math.abs(now - before) / Math.max(LEVEL_MIN, Math.min(before, now));
}

function classOf(marked: number, { texture, edges }: Overview): SceneChange | null {
  if (edges < EDGES_LEFT || (texture < TEXTURE_LEFT && marked > ELSEWHERE)) return 'tamper';
  return marked > FLOOD || texture > TEXTURE_SAME ? 'illumination' : null;
}
