import type { Clock } from '../../common/clock.js';

/** Bytes for which a message counts as one record more: the shortest signed record is about half of it. */
const RECORD_BYTES = 512;
const MESSAGE_RECORDS_MAX = 16;
/**
 * Records that a camera may have sent lately before it counts as busy. Use halves in `USE_HALF_LIFE_MS`, so this is a
 * burst of 4 full messages or pictures, or one in four seconds for long. A good camera may be busy too, and comes before
 * all that sent more.
 */
const BUSY_RECORDS_MIN = 64;
const USE_HALF_LIFE_MS = 10_000;
/** Cameras whose use is remembered. Those that sent least recently are forgotten first. */
const CAMERAS_MAX = 4096;

interface Use {
  readonly records: number;
  readonly atMs: number;
}

/** How much each camera sent lately, so that one that sends without end waits behind all others. */
export class CameraUse {
  private readonly clock: Clock;
  /** In the order of the last message. */
  private readonly uses = new Map<string, Use>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Counts a message: as many records as fit into it, since they are not decoded yet. */
  add(camera: string, bytes: number): void {
    const records = this.of(camera) + Math.min(MESSAGE_RECORDS_MAX, Math.ceil(bytes / RECORD_BYTES));
    this.uses.delete(camera);
    this.uses.set(camera, { records, atMs: this.clock.monotonicMs() });
    if (this.uses.size <= CAMERAS_MAX) return;
    const [oldest] = this.uses.keys();
    if (oldest !== undefined) this.uses.delete(oldest);
  }

  isBusy(camera: string): boolean {
    return this.of(camera) >= BUSY_RECORDS_MIN;
  }

  /** Returns the records that a camera sent lately; older ones count less. */
  of(camera: string): number {
    const use = this.uses.get(camera);
    if (use === undefined) return 0;
    return use.records * 2 ** -((this.clock.monotonicMs() - use.atMs) / USE_HALF_LIFE_MS);
  }
}
