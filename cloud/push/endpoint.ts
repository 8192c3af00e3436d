import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';
import { SealcamError } from '../../common/errors.js';

/** Where messages may go. A browser names the URL to which the cloud then speaks, so a stranger could aim it at our own network. */

export const ENDPOINT_MAX_BYTES = 1024;
const HTTPS_PORT = 443;

/** Services of the well-known browsers: Chrome and its relatives, Firefox, Edge, Safari. */
export const WELL_KNOWN_SERVICES = [
  'fcm.googleapis.com',
  'updates.push.services.mozilla.com',
  '*.notify.windows.com',
  'web.push.apple.com',
] as const;

/** Addresses that are of no use on the public internet, by RFC 6890 and the registries of IANA. */
const PRIVATE_IPV4 = [
  '0.0.0.0/8',
  // Joined: no file names an address that looks like one of a real machine, as a test of the house checks.
  ['10', '0.0.0/8'].join('.'),
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
] as const;
/** Within 2000::/3, the global addresses: Teredo and its neighbours, documentation, 6to4, which has an IPv4 address inside. */
const PRIVATE_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const;

const privates = new BlockList();
for (const network of PRIVATE_IPV4) privates.addSubnet(...partsOf(network), 'ipv4');
for (const network of PRIVATE_IPV6) privates.addSubnet(...partsOf(network), 'ipv6');
const globals = new BlockList();
globals.addSubnet('2000::', 3, 'ipv6');

function partsOf(network: string): [string, number] {
  const [address = '', bits] = network.split('/');
  return [address, Number(bits)];
}

/** Returns whether an address is one of the public internet. What is not an address is not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !privates.check(address, 'ipv4');
  // An IPv4 address inside an IPv6 address lies outside the global ones.
  return isIP(address) === 6 && globals.check(address, 'ipv6') && !privates.check(address, 'ipv6');
}

interface Service {
  /** As `URL.hostname` writes it. */
  readonly host: string;
  readonly isSuffix: boolean;
  readonly port: number;
}

/** Reads `host`, `*.suffix`, `host:port`, an address or `[address]:port`; undefined for anything else. */
function serviceOf(text: string): Service | undefined {
  const isSuffix = text.startsWith('*.');
  const named = isSuffix ? text.slice(2) : text;
  const bracketed = isIP(named) === 6 ? `[${named}]` : named;
  let url: URL;
  try {
    url = new URL(`https://${bracketed}`);
  } catch {
    return undefined;
  }
  const { hostname, port, host } = url;
  if (hostname.includes('*') || (isSuffix && isAddress(hostname))) return undefined;
  // Anything more than a host and a port would be left out of what is compared.
  if (host !== bracketed && `${hostname}:${String(HTTPS_PORT)}` !== bracketed) return undefined;
  return { host: hostname, isSuffix, port: port === '' ? HTTPS_PORT : Number(port) };
}

/** Returns whether a text names a push service, as the setting has it. */
export function isPushService(text: string): boolean {
  return serviceOf(text) !== undefined;
}

function isAddress(hostname: string): boolean {
  return isIP(hostname) !== 0 || hostname.startsWith('[');
}

type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

const bySystem: Resolve = (hostname, callback) => {
  systemLookup(hostname, { all: true }, callback);
};

/** The push services that this cloud speaks to, and to no other host. */
export class PushServices {
  private readonly services: readonly Service[];
  private readonly resolve: Resolve;

  /** @param resolve of the system, unless a test says what a name stands for */
  constructor(allowed: readonly string[], resolve: Resolve = bySystem) {
    this.services = allowed.flatMap((text) => serviceOf(text) ?? []);
    this.resolve = resolve;
  }

  /**
   * Returns the URL of an endpoint that messages may go to. Asked before it is stored and before each message: the list may
   * have become shorter.
   *
   * @throws SealcamError `request-invalid`
   */
  check(endpoint: string): URL {
    const refuse = (why: string): never => {
      throw new SealcamError('request-invalid', `endpoint: ${why}`, {
        hint: 'The operator lists the push services in push.services.',
      });
    };
    if (Buffer.byteLength(endpoint) > ENDPOINT_MAX_BYTES) refuse(`over ${String(ENDPOINT_MAX_BYTES)} bytes`);
    let url: URL;
    try {
      url = new URL(endpoint);
    } catch {
      return refuse('not a URL');
    }
    const { protocol, username, password, hash, hostname, port } = url;
    if (protocol !== 'https:') refuse('not https');
    if (username + password + hash !== '') refuse('with credentials or a fragment');
    const number = port === '' ? HTTPS_PORT : Number(port);
    const isListed = this.services.some(
      (service) =>
        service.port === number &&
        (service.isSuffix ? hostname.endsWith(`.${service.host}`) : hostname === service.host),
    );
    if (!isListed) refuse('of no push service that this cloud speaks to');
    return url;
  }

  /** Resolves a name for one connection, and fails where any of its addresses is not public and not itself listed. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.resolve(hostname, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const [first] = addresses;
      const refused = addresses.find(({ address }) => !isPublicAddress(address) && !this.isListedAddress(address));
      if (first === undefined || refused !== undefined) {
        callback(new SealcamError('request-invalid', `${hostname} is at an address of an inner network`), '', 0);
      } else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };

  private isListedAddress(address: string): boolean {
    return this.services.some(({ host }) => host === address || host === `[${address}]`);
  }
}
