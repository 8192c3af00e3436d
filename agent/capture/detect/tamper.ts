import { overviewOf } from './kernel/evidence.js';
import type { Light } from './kernel/light.js';
import type { Planes } from './kernel/layout.js';

/** A change this soon after tampering began belongs to it; a later one makes what the camera saw in between its view. */
const SAME_TAMPER_MS = 60_000;
const CHECK_EVERY_MS = 1000;
/** The old view is back with this much of its texture, and this share of its edges. */
const RESTORED_TEXTURE_MIN = 0.7;
const RESTORED_EDGES_MIN_SHARE = 0.5;

/** Remembers the view of a camera that is covered, blurred or turned, to notice when it is back. */
export class TamperWatch {
  private view: Int16Array | null = null;
  private level = 0;
  private beganMs = 0;
  private checkedMs = 0;

  /** When tampering began; null while the camera has its view. */
  get sinceMs(): number | null {
    return this.view === null ? null : this.beganMs;
  }

  /** Tampering begins: keeps the background as the view to wait for. */
  rememberScene(timeMs: number, { mean }: Planes, { usual }: Light): void {
    if (this.view !== null && timeMs - this.beganMs < SAME_TAMPER_MS) return;
    this.view = mean.slice();
    this.level = usual;
    this.beganMs = timeMs;
    this.checkedMs = timeMs;
  }

  /** Returns how long tampering lasted, once the old view is back. It compares once a second, and when the scene changed. */
  durationIfOver(
    timeMs: number,
    { current, deviation, mask, layout }: Planes,
    { level }: Light,
    isChanged: boolean,
  ): number | null {
    if (this.view === null || (!isChanged && timeMs - this.checkedMs < CHECK_EVERY_MS)) return null;
    this.checkedMs = timeMs;
    const background = { current, deviation, mask, layout, mean: this.view };
    const { texture, edges } = overviewOf(background, { level, usual: this.level });
    if (texture < RESTORED_TEXTURE_MIN || edges < RESTORED_EDGES_MIN_SHARE) return null;
    this.view = null;
    return timeMs - this.beganMs;
  }
}
