import type { ErrorCode } from '../../common/error-codes.js';
import { SealcamError, systemCode } from '../../common/errors.js';

/** The other end of a connection, for errors. */
export interface Peer {
  readonly name: string;
  /** The setting that holds its address. */
  readonly setting: string;
  readonly unreachable: ErrorCode;
  readonly untrusted: ErrorCode;
}

export const BROKER: Peer = {
  name: 'broker',
  setting: 'uplink.url',
  unreachable: 'broker-unreachable',
  untrusted: 'broker-untrusted',
};

interface Fault {
  readonly codes: RegExp;
  readonly message: (peer: Peer) => string;
  readonly hint: (peer: Peer) => string;
}

const clockHint = ({ name }: Peer): string =>
  `Renew the ${name}'s certificate, or set this camera's clock: \`sealcam doctor\` shows it.`;

/** Error codes of OpenSSL and Node, what they mean, and the setting to change. The first match counts. */
const FAULTS: readonly Fault[] = [
  {
    codes: /^ERR_TLS_CERT_ALTNAME_/,
    message: ({ name, setting }) => `${setting}: the ${name}'s certificate is not for this host`,
    hint: ({ setting }) => `Use a name of the certificate in ${setting}.`,
  },
  {
    codes: /^CERT_HAS_EXPIRED$/,
    message: ({ name, setting }) => `${setting}: the ${name}'s certificate has expired, or the clock is ahead`,
    hint: clockHint,
  },
  {
    codes: /^CERT_NOT_YET_VALID$/,
    message: ({ name, setting }) => `${setting}: the ${name}'s certificate is not valid yet, or the clock is behind`,
    hint: clockHint,
  },
  {
    codes:
      /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_|INVALID_|PATH_LENGTH|CA_MD_|CA_KEY_|EE_KEY_|HOSTNAME_)/,
    message: ({ name }) => `uplink.caFile: no trusted authority signed the ${name}'s certificate`,
    hint: ({ name }) => `Put the authority that signed the ${name}'s certificate into uplink.caFile.`,
  },
  {
    codes: /^ERR_SSL_.*(UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|WRONG_SSL_VERSION|NO_PROTOCOLS)/,
    message: ({ name, setting }) => `${setting}: the ${name} does not support TLS 1.2 or newer`,
    hint: ({ name }) => `Enable TLS 1.2 or 1.3 on the ${name}; older versions are never used.`,
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER)/,
    message: ({ name, setting }) => `${setting}: the ${name} does not speak TLS on this port`,
    hint: ({ name, setting }) => `Check the port in ${setting}: it must be the ${name}'s port for TLS.`,
  },
  {
    codes: /^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|DECODE_ERROR)/,
    message: ({ name }) => `uplink.certFile: the ${name} does not accept this camera's certificate`,
    hint: ({ name }) =>
      `Check that uplink.certFile is signed by an authority that the ${name} trusts, has not expired, and fits uplink.keyFile.`,
  },
];

/** Converts an error of a connection or handshake: untrusted, naming the setting, or unreachable. */
export function connectionError(error: unknown, peer: Peer = BROKER): SealcamError {
  const code = systemCode(error) ?? '';
  const text = error instanceof Error ? error.message : String(error);
  const fault = FAULTS.find(({ codes }) => codes.test(code));
  if (fault === undefined) return new SealcamError(peer.unreachable, text, { cause: error });
  return new SealcamError(peer.untrusted, fault.message(peer), {
    hint: fault.hint(peer),
    cause: error,
    details: { code },
  });
}
