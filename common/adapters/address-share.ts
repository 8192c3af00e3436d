import { isIP, isIPv4 } from 'node:net';

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
