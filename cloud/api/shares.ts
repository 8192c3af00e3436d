import { BlockList, isIP, isIPv4 } from 'node:net';
import { addressShare } from '../../common/adapters/address-share.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import { countRefused, type ShareName } from '../alarms/shares.js';

const MINUTE_MS = 60_000;

/** What one person or one address may hold of this process at a time, and how long a request may take to arrive. */
export interface HttpLimits {
  readonly streamsPerKey: number;
  readonly streamsPerAddress: number;
  /** Streams of all keys that may read no camera: a person before the first claim, and every stranger. */
  readonly strangerStreamsMax: number;
  /** Looks of one person, of all members at the cameras of one account, and from one address. */
  readonly looksPerKey: number;
  readonly looksPerAccount: number;
  readonly looksPerAddress: number;
  /** Orders to look, renewals included, of one person. */
  readonly lookOrdersPerMinute: number;
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
  looksPerKey: 8,
  looksPerAccount: 16,
  looksPerAddress: 64,
  lookOrdersPerMinute: 30,
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

/** A number of things in a minute for each holder. */
export class MinuteShare {
  private readonly name: ShareName;
  private readonly most: number;
  private readonly deps: { readonly clock: Clock; readonly counters: Counters };
  private readonly used = new Map<string, number>();
  private minute = 0;

  constructor(name: ShareName, most: number, deps: { readonly clock: Clock; readonly counters: Counters }) {
    this.name = name;
    this.most = most;
    this.deps = deps;
  }

  /** Counts one of this holder. @throws SealcamError `rate-limited` */
  use(holder: string): void {
    const minute = Math.floor(this.deps.clock.monotonicMs() / MINUTE_MS);
    if (minute !== this.minute) this.used.clear();
    this.minute = minute;
    const count = (this.used.get(holder) ?? 0) + 1;
    this.used.set(holder, count);
    if (count <= this.most) return;
    countRefused(this.deps.counters, this.name);
    throw new SealcamError('rate-limited', 'too many in a minute');
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
