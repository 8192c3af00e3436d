/** Width of a slot of simulated time. */
const SLOT_MS = 10;

/**
 * Schedule of a simulation. Each device has at most one event ahead, so the devices of a slot are a linked list in one
 * array, and inserting and removing take constant time for a million devices.
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

  /** Schedules a device's next event. An event beyond the horizon never happens, and the device counts as not back. */
  put(device: number, atMs: number): void {
    const slot = Math.max(0, Math.ceil(atMs / SLOT_MS));
    if (slot >= this.slots) return;
    this.next[device] = this.first[slot] ?? -1;
    this.first[slot] = device;
  }

  /** Calls `visit` for each device in order of time, those that it puts into the present slot included. */
  run(visit: (device: number, nowMs: number) => void, isOver: () => boolean): void {
    for (let slot = 0; slot < this.slots && !isOver(); slot++) {
      for (let device = this.first[slot] ?? -1; device >= 0; device = this.first[slot] ?? -1) {
        this.first[slot] = this.next[device] ?? -1;
        visit(device, slot * SLOT_MS);
      }
    }
  }
}
