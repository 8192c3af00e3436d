import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { SealcamError } from '../../common/errors.js';
import { BROKER, type Peer } from './tls-errors.js';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CHAIN_LENGTH_MAX = 8;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Verifies a server's certificate when the time is only known to be later than `floorMs`. OpenSSL uses the system's clock
 * and reports one fault of several, so its verdict is ignored. Checked here: the name, the signatures up to one of the
 * given authorities, and that no certificate had expired at the floor. A certificate that becomes valid after the floor
 * passes, since that time may have come.
 * @throws SealcamError as `peer` has it: `broker-untrusted` for a broker
 */
export function checkByFloor(
  socket: TLSSocket,
  host: string,
  ca: string,
  floorMs: number,
  { name, setting, untrusted: code }: Peer = BROKER,
): void {
  const untrusted = (where: string, why: string): SealcamError =>
    new SealcamError(code, `${where}: ${why} (the clock was never set; judged by the last known time)`);
  const shown = socket.getPeerCertificate(true);
  const names = checkServerIdentity(host, shown);
  if (names !== undefined) throw untrusted(setting, `the ${name}'s certificate is not for this host`);
  const [leaf, ...others] = chainOf(shown);
  if (leaf === undefined) throw untrusted('uplink.caFile', `the ${name} sent no certificate`);
  if (!((leaf.keyUsage as readonly string[] | undefined) ?? [SERVER_AUTH]).includes(SERVER_AUTH)) {
    throw untrusted('uplink.caFile', `the ${name}'s certificate is not for a server`);
  }
  const anchors = (ca.match(PEM_BLOCK) ?? []).map((pem) => new X509Certificate(pem));
  for (let at = leaf, depth = 0; depth < CHAIN_LENGTH_MAX; depth++) {
    if (Date.parse(at.validTo) < floorMs) throw untrusted(setting, `a certificate of the ${name} has expired`);
    const { raw } = at;
    if (anchors.some((anchor) => anchor.raw.equals(raw))) return;
    const issuer = issuerOf(at, anchors) ?? issuerOf(at, others);
    if (issuer === undefined) break;
    at = issuer;
  }
  throw untrusted('uplink.caFile', `no trusted authority signed the ${name}'s certificate`);
}

function issuerOf(of: X509Certificate, among: readonly X509Certificate[]): X509Certificate | undefined {
  return among.find((by) => by.ca && !by.raw.equals(of.raw) && of.checkIssued(by) && of.verify(by.publicKey));
}

/** Returns the certificates that the broker sent, its own first. A self-signed one is its own issuer, and the last. */
function chainOf(shown: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let at: DetailedPeerCertificate | undefined = shown; at !== undefined && chain.length < CHAIN_LENGTH_MAX;) {
    // An empty object if the broker sent no certificate.
    if (!Buffer.isBuffer(at.raw)) break;
    chain.push(new X509Certificate(at.raw));
    const next: DetailedPeerCertificate | undefined = at.issuerCertificate;
    at = next === at ? undefined : next;
  }
  return chain;
}
