import { overviewOf } from './kernel/evidence.js';
import type { Light } from './kernel/light.js';
import type { Planes } from './kernel/layout.js';

/** What comes so soon after it began is the same hand; later, what the camera saw in between counts as its view. */
const SAME_MS = 60_000;
const CHECK_EVERY_MS = 1000;
/** So much of the old view's texture and of its edges: it is seen again. */
const TEXTURE_BACK = 0.7;
const EDGES_BACK = 0.5;

/** Remembers what a covered, blurred or turned camera saw before, so that the end of it is known. */
export class TamperWatch {
  private view: Int16Array | null = null;
  private level = 0;
  private beganMs = 0;
  private checkedMs = 0;

  /** When it began; null while the camera sees what it should. */
  get sinceMs(): number | null {
    return this.view === null ? null : this.beganMs;
  }

  rememberScene(timeMs: number, { mean }: Planes, { usual }: Light): void {
    if (this.view !== null && timeMs - this.beganMs < SAME_MS) return;
    this.view = mean.slice();
    this.level = usual;
    this.beganMs = this.checkedMs = timeMs;
  }

  /** How long it lasted, when the old view is seen again; looks now and then, and when something changed. */
  end(timeMs: number, { current, deviation, layout }: Planes, { level }: Light, isChanged: boolean): number | null {
    if (this.view === null || (!isChanged && timeMs - this.checkedMs < CHECK_EVERY_MS)) return null;
    this.checkedMs = timeMs;
    const then = { current, deviation, layout, mean: this.view };
    const { texture, edges } = overviewOf(then, { level, usual: this.level });
    if (texture < TEXTURE_BACK || edges < EDGES_BACK) return null;
    this.view = null;
    return timeMs - this.beganMs;
  }
}
