import type { VideoUnit } from '../../hal/video-source.js';

export interface RingLimits {
  readonly prerollMs: number;
  readonly maxBytes: number;
}

/** The last seconds of video, from a key unit on. */
export class UnitRing {
  private readonly limits: RingLimits;
  private readonly groups: VideoUnit[][] = [];
  private bytes = 0;

  constructor(limits: RingLimits) {
    this.limits = limits;
  }

  /** Time of the oldest unit; null where it is empty. */
  get firstMs(): number | null {
    return this.groups[0]?.[0]?.monotonicMs ?? null;
  }

  /** Time that the ring holds. */
  get heldMs(): number {
    const { firstMs } = this;
    const last = this.groups.at(-1)?.at(-1);
    return firstMs === null || last === undefined ? 0 : last.monotonicMs - firstMs;
  }

  get heldBytes(): number {
    return this.bytes;
  }

  /** What it holds, from a key unit on. */
  get units(): readonly VideoUnit[] {
    return this.groups.flat();
  }

  /** Adds a unit, and drops the oldest ones up to a key unit where time or bytes are enough without them. */
  add(unit: VideoUnit): void {
    if (unit.isKey) this.groups.push([unit]);
    else if (this.groups.length === 0) return;
    else this.groups.at(-1)?.push(unit);
    this.bytes += unit.bytes.length;
    while (this.bytes > this.limits.maxBytes || this.isLongWithoutFirst(unit.monotonicMs)) {
      for (const { bytes } of this.groups.shift() ?? []) this.bytes -= bytes.length;
    }
  }

  /** Forgets what it holds: nothing of it may be kept, or what comes does not continue it. */
  clear(): void {
    this.bytes = 0;
    this.groups.length = 0;
  }

  private isLongWithoutFirst(nowMs: number): boolean {
    const second = this.groups[1]?.[0];
    return second !== undefined && nowMs - second.monotonicMs >= this.limits.prerollMs;
  }
}
