import { toHex } from '../../common/bytes.js';
import { retryMs } from '../uplink/machine.js';

interface Hold {
  readonly times: number;
  readonly dueMs: number;
}

/** Bodies that are remembered as held back; of the oldest the next answer is asked again. */
const HELD_MAX = 256;
const WAIT_MAX_MS = 3_600_000;

/**
 * Bodies that the cloud does not want yet, though their record has its receipt: it may have been restored from a backup. Each
 * waits, twice as long each time, and is never given up.
 */
export class Held {
  private readonly byHash = new Map<string, Hold>();

  get size(): number {
    return this.byHash.size;
  }

  /** Holds a body back for the machine's window, longer each time. */
  hold(bodyHash: Uint8Array, nowMs: number, windowMs: number, uniform: number): void {
    const key = toHex(bodyHash);
    const times = this.byHash.get(key)?.times ?? 0;
    const waitMs = Math.min(WAIT_MAX_MS, retryMs(windowMs, uniform) * 2 ** times);
    this.byHash.delete(key);
    this.byHash.set(key, { times: times + 1, dueMs: nowMs + waitMs });
    if (this.byHash.size <= HELD_MAX) return;
    const [oldest] = this.byHash.keys();
    if (oldest !== undefined) this.byHash.delete(oldest);
  }

  /** Returns when a body may be tried; in the past if it is not held back. */
  dueMs(bodyHash: Uint8Array): number {
    return this.byHash.get(toHex(bodyHash))?.dueMs ?? -Infinity;
  }

  /** Forgets the bodies that are not among these. */
  keepOnly(bodyHashes: readonly Uint8Array[]): void {
    const kept = new Set(bodyHashes.map((hash) => toHex(hash)));
    for (const key of this.byHash.keys()) if (!kept.has(key)) this.byHash.delete(key);
  }

  release(bodyHash: Uint8Array): void {
    this.byHash.delete(toHex(bodyHash));
  }
}
