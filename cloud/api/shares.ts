import { BlockList, isIP, isIPv4 } from 'node:net';
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
  /** A request with its body. */
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
  requestWithinMs: 60_000,
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
      throw new SealcamError('rate-limited', 'too many open streams');
    }
    taken.push(giveBack);
  }
  return release;
}

const IPV6_GROUPS = 8;
/** A network of one subscriber has at least this much: anybody can use any address in it. */
const IPV6_SHARE_GROUPS = 4;

/**
 * Returns what shares are counted by: an IPv4 address, also where it is written inside an IPv6 address, or the /64 of an
 * IPv6 address. What is not an address has one share in all.
 */
export function addressShare(address: string): string {
  const text = withoutPort(address);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  const kind = isIP(text);
  if (kind === 4) return text;
  if (kind !== 6) return 'unknown';
  const [head = '', tail] = (text.split('%')[0] ?? '').toLowerCase().split('::');
  const groups = (part: string): string[] => part.split(':').filter((group) => group !== '');
  const before = groups(head);
  // An IPv4 address at the end stands for two groups; the first four never hold it.
  const after = tail === undefined ? [] : groups(tail).flatMap((group) => (isIPv4(group) ? ['0', '0'] : [group]));
  const zeros = Array.from({ length: Math.max(0, IPV6_GROUPS - before.length - after.length) }, () => '0');
  const all = [...before, ...(tail === undefined ? [] : zeros), ...after];
  return `${all
    .slice(0, IPV6_SHARE_GROUPS)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Some proxies write the client's port behind its address. */
function withoutPort(address: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1];
  return bracketed ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address)?.[1] ?? address;
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
