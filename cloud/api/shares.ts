import { BlockList, isIP, isIPv4 } from 'node:net';
import { addressShare } from '../../common/adapters/address-share.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import { countRefused, type ShareName } from '../alarms/shares.js';

/** What one person or one address may hold of this process at a time, and how long a request may take to arrive. */
export interface HttpLimits {
  readonly streamsPerKey: number;
  readonly streamsPerAddress: number;
  /** Streams of all keys that may read no camera: a person before the first claim, and every stranger. */
  readonly strangerStreamsMax: number;
  readonly connectionsPerAddress: number;
  readonly headersWithinMs: number;
  /** A request with its body: the largest body of a clip, at the slowest rate that is not cut off, takes 128 s. */
  readonly requestWithinMs: number;
  /** How often both are checked. */
  readonly checkIntervalMs: number;
}

export const HTTP_LIMITS: HttpLimits = {
  streamsPerKey: 16,
  streamsPerAddress: 128,
  strangerStreamsMax: 1000,
  connectionsPerAddress: 512,
  headersWithinMs: 15_000,
  requestWithinMs: 150_000,
  checkIntervalMs: 5000,
};

/** A number of things for each holder. What nobody holds takes no memory. */
export class Share {
  private readonly name: ShareName;
  private readonly most: number;
  private readonly counters: Counters;
  private readonly held = new Map<string, number>();

  constructor(name: ShareName, most: number, counters: Counters) {
    this.name = name;
    this.most = most;
    this.counters = counters;
  }

  /** Takes one for this holder; returns the function that gives it back, or null where the share is used up. */
  acquire(holder: string): (() => void) | null {
    const count = this.held.get(holder) ?? 0;
    if (count >= this.most) {
      countRefused(this.counters, this.name);
      return null;
    }
    this.held.set(holder, count + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.held.get(holder) ?? 1) - 1;
      if (left === 0) this.held.delete(holder);
      else this.held.set(holder, left);
    };
  }
}

/**
 * Takes one of each share, or none of any; returns the function that gives them back.
 *
 * @throws SealcamError `rate-limited`
 */
export function acquireAll(wanted: readonly { readonly share: Share; readonly holder: string }[]): () => void {
  const taken: (() => void)[] = [];
  const release = (): void => {
    for (const giveBack of taken) giveBack();
  };
  for (const { share, holder } of wanted) {
    const giveBack = share.acquire(holder);
    if (giveBack === null) {
      release();
      throw new SealcamError('rate-limited', 'too many at the same time');
    }
    taken.push(giveBack);
  }
  return release;
}

/** Returns whether this text names an address, or a network like 172.16.0.0/12. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const kind = isIP(address);
  if (kind === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128));
}

/** Returns whether an address lies in one of these networks. */
export function networks(named: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of named) {
    const [address = '', bits] = text.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const text = addressShare(address);
    if (isIPv4(text)) return list.check(text, 'ipv4');
    return isIP(address) === 6 && list.check(address, 'ipv6');
  };
}
