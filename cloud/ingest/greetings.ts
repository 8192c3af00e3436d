import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { Lru } from '../../common/lru.js';

/** Cameras that are remembered. One that is forgotten is greeted again, which does no harm. */
const CAMERAS_MAX = 65_536;
/** Least time between two greetings of one camera, whatever is published in its name. */
const INTERVAL_MIN_MS = 1000;

interface Greeted {
  readonly atMs: number;
  /** Whether the connection that was greeted last is still the present one, as far as its status says. */
  readonly isPresent: boolean;
}

/**
 * Decides when a camera receives the versions that the cloud takes: once for each connection. Its status announces a
 * connection; a cloud that started later sees the camera's first message instead. One that offers version 1 may have missed
 * it, for nobody confirms a greeting, and receives it again.
 */
export class Greetings {
  private readonly clock: Clock;
  private readonly cameras = new Lru<string, Greeted>(CAMERAS_MAX);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Notes what was seen of a camera, and returns whether it is to be greeted now. */
  isDue(device: Uint8Array, seen: 'online' | 'offline' | 'up' | 'offer-v1'): boolean {
    const name = toHex(device);
    const nowMs = this.clock.monotonicMs();
    const known = this.cameras.get(name);
    if (seen === 'offline') {
      if (known !== undefined) this.cameras.set(name, { ...known, isPresent: false });
      return false;
    }
    if (seen === 'up' && known?.isPresent === true) return false;
    if (known !== undefined && nowMs - known.atMs < INTERVAL_MIN_MS) {
      // Its next message is greeted instead; after an offer that the greeting has just crossed, the next offer.
      if (seen !== 'offer-v1') this.cameras.set(name, { ...known, isPresent: false });
      return false;
    }
    this.cameras.set(name, { atMs: nowMs, isPresent: true });
    return true;
  }
}
