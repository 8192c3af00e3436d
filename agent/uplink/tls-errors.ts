import { SealcamError, systemCode } from '../../common/errors.js';

interface Fault {
  readonly codes: RegExp;
  readonly message: string;
  readonly hint: string;
}

const CLOCK_HINT = "Renew the broker's certificate, or set this camera's clock: `sealcam doctor` shows it.";

/** What OpenSSL and Node call it, what it means, and which setting it is about. First match counts. */
const FAULTS: readonly Fault[] = [
  {
    codes: /^ERR_TLS_CERT_ALTNAME_/,
    message: "uplink.url: the broker's certificate is not for this host",
    hint: 'Name the broker in uplink.url as its certificate does.',
  },
  {
    codes: /^CERT_HAS_EXPIRED$/,
    message: "uplink.url: the broker's certificate has expired, or the clock is ahead",
    hint: CLOCK_HINT,
  },
  {
    codes: /^CERT_NOT_YET_VALID$/,
    message: "uplink.url: the broker's certificate is not valid yet, or the clock is behind",
    hint: CLOCK_HINT,
  },
  {
    codes:
      /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_|INVALID_|PATH_LENGTH|CA_MD_|CA_KEY_|EE_KEY_|HOSTNAME_)/,
    message: 'uplink.caFile: the broker is not vouched for by these authorities',
    hint: 'Put the certificate of the authority that signed the broker into uplink.caFile.',
  },
  {
    codes: /^ERR_SSL_.*(UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|WRONG_SSL_VERSION|NO_PROTOCOLS)/,
    message: 'uplink.url: the broker speaks no TLS of version 1.2 or newer',
    hint: 'Switch TLS 1.2 or 1.3 on at the broker; an older one is never used.',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER)/,
    message: 'uplink.url: there is no TLS at this port',
    hint: "Check the port in uplink.url: mqtts:// needs the broker's port for TLS.",
  },
  {
    codes: /^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|DECODE_ERROR)/,
    message: "uplink.certFile: the broker does not accept this camera's certificate",
    hint: 'Check uplink.certFile and uplink.keyFile: signed by an authority of the broker, and still valid.',
  },
];

/** An error of a connection or a handshake as ours; what is about trust names its setting. */
export function connectionError(error: unknown): SealcamError {
  const code = systemCode(error) ?? '';
  const text = error instanceof Error ? error.message : String(error);
  const fault = FAULTS.find(({ codes }) => codes.test(code));
  if (fault === undefined) return new SealcamError('broker-unreachable', text, { cause: error });
  return new SealcamError('broker-untrusted', fault.message, { hint: fault.hint, cause: error, details: { code } });
}
