/** Width of a slot of simulated time. */
export const SLOT_MS = 10;

/**
 * Who is due when: each device has at most one event ahead, so a slot is a list of devices through one array.
 * Putting and taking cost the same for a thousand devices and for a million.
 */
export class Calendar {
  private readonly first: Int32Array;
  private readonly next: Int32Array;
  private readonly slots: number;

  constructor(devices: number, horizonMs: number) {
    this.slots = Math.ceil(horizonMs / SLOT_MS) + 1;
    this.first = new Int32Array(this.slots).fill(-1);
    this.next = new Int32Array(devices).fill(-1);
  }

  /** Beyond the horizon nothing is due; the device counts as not back. */
  put(device: number, atMs: number): void {
    const slot = Math.max(0, Math.ceil(atMs / SLOT_MS));
    if (slot >= this.slots) return;
    this.next[device] = this.first[slot] ?? -1;
    this.first[slot] = device;
  }

  /** Calls `visit` for each device in order of time; what it puts into the present slot is visited too. */
  run(visit: (device: number, nowMs: number) => void, isOver: () => boolean): void {
    for (let slot = 0; slot < this.slots && !isOver(); slot++) {
      for (let device = this.first[slot] ?? -1; device >= 0; device = this.first[slot] ?? -1) {
        this.first[slot] = this.next[device] ?? -1;
        visit(device, slot * SLOT_MS);
      }
    }
  }
}
