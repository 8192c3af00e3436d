import { concat, toHex } from '../../common/bytes.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';

/** What the cameras say of a wall time. */
export interface CameraOpinion {
  /** Cameras that sent a record under network time lately. */
  readonly cameras: number;
  /** Cameras whose time lies within the tolerance of it, after it, and before it. */
  readonly agreeing: number;
  readonly later: number;
  readonly earlier: number;
  /** The time that half of the cameras have reached; null without a camera. */
  readonly medianMs: number | null;
}

interface Sample {
  readonly rank: string;
  /** The camera's wall time minus the monotonic time of this process. */
  readonly offsetMs: number;
  readonly atMonotonicMs: number;
}

const CAMERAS_SAMPLED_MAX = 1024;
/** Every connected camera sends a health record in a quarter of this time. */
const SAMPLE_TTL_MS = 4 * LIMITS.healthCadenceMs;
const FORGET_INTERVAL_MS = 60_000;

/**
 * The times that cameras sign under network time, one for each camera, as a witness of the cloud's own clock. A camera
 * cannot sign the future unless it lies, and a record may be late: so the newest time of a camera counts. Bounded to
 * cameras chosen by a salted hash, which no camera can aim at: many records, or a quick one, win no second voice.
 */
export class CameraTimes {
  private readonly suite: CryptoSuite;
  private readonly salt: Uint8Array;
  private readonly samples = new Map<string, Sample>();
  /** The camera that makes room for one of a lower rank; null where it has to be looked for. */
  private highest: { readonly name: string; readonly rank: string } | null = null;
  private forgottenMonotonicMs = 0;

  /** @param salt random, kept from cameras */
  constructor(suite: CryptoSuite, salt: Uint8Array) {
    this.suite = suite;
    this.salt = salt;
  }

  /** Notes the time of a record that a camera signed under network time. */
  observe(device: Uint8Array, signedMs: number, monotonicMs: number): void {
    const name = toHex(device);
    const offsetMs = signedMs - monotonicMs;
    const known = this.samples.get(name);
    if (known !== undefined) {
      const isCurrent = monotonicMs - known.atMonotonicMs <= SAMPLE_TTL_MS;
      if (isCurrent && known.offsetMs > offsetMs) return;
      this.samples.set(name, { ...known, offsetMs, atMonotonicMs: monotonicMs });
      return;
    }
    const rank = toHex(this.suite.sha256(concat(this.salt, device)));
    if (this.samples.size >= CAMERAS_SAMPLED_MAX && !this.makeRoom(rank, monotonicMs)) return;
    this.samples.set(name, { rank, offsetMs, atMonotonicMs: monotonicMs });
  }

  /** Returns what the cameras heard lately say of `wallMs`. */
  opinionOn(wallMs: number, monotonicMs: number, toleranceMs: number): CameraOpinion {
    this.forgetOld(monotonicMs);
    const times = [...this.samples.values()].map(({ offsetMs }) => offsetMs + monotonicMs).sort((a, b) => a - b);
    const later = times.filter((ms) => ms - wallMs > toleranceMs).length;
    const earlier = times.filter((ms) => wallMs - ms > toleranceMs).length;
    return {
      cameras: times.length,
      agreeing: times.length - later - earlier,
      later,
      earlier,
      // Of an even number the earlier one of the middle: less is deleted.
      medianMs: times[Math.ceil(times.length / 2) - 1] ?? null,
    };
  }

  private forgetOld(monotonicMs: number): void {
    this.forgottenMonotonicMs = monotonicMs;
    for (const [name, { atMonotonicMs }] of this.samples) {
      if (monotonicMs - atMonotonicMs > SAMPLE_TTL_MS) this.remove(name);
    }
  }

  /** Removes the camera of the highest rank, unless the newcomer's is higher still. Returns whether there is room. */
  private makeRoom(rank: string, monotonicMs: number): boolean {
    if (monotonicMs - this.forgottenMonotonicMs > FORGET_INTERVAL_MS) this.forgetOld(monotonicMs);
    if (this.samples.size < CAMERAS_SAMPLED_MAX) return true;
    if (this.highest === null) {
      for (const [name, sample] of this.samples) {
        if (this.highest === null || sample.rank > this.highest.rank) this.highest = { name, rank: sample.rank };
      }
    }
    if (this.highest === null || rank > this.highest.rank) return false;
    this.remove(this.highest.name);
    return true;
  }

  private remove(name: string): void {
    this.samples.delete(name);
    this.highest = null;
  }
}
