import { SealcamError, systemCode } from '../../common/errors.js';

interface Fault {
  readonly codes: RegExp;
  readonly message: string;
  readonly hint: string;
}

const CLOCK_HINT = "Renew the broker's certificate, or set this camera's clock: `sealcam doctor` shows it.";

/** Error codes of OpenSSL and Node, what they mean, and the setting to change. The first match counts. */
const FAULTS: readonly Fault[] = [
  {
    codes: /^ERR_TLS_CERT_ALTNAME_/,
    message: "uplink.url: the broker's certificate is not for this host",
    hint: 'Use a name of the certificate in uplink.url.',
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
    message: "uplink.caFile: no trusted authority signed the broker's certificate",
    hint: "Put the authority that signed the broker's certificate into uplink.caFile.",
  },
  {
    codes: /^ERR_SSL_.*(UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|WRONG_SSL_VERSION|NO_PROTOCOLS)/,
    message: 'uplink.url: the broker does not support TLS 1.2 or newer',
    hint: 'Enable TLS 1.2 or 1.3 on the broker; older versions are never used.',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER)/,
    message: 'uplink.url: the broker does not speak TLS on this port',
    hint: "Check the port in uplink.url: mqtts:// needs the broker's port for TLS.",
  },
  {
    codes: /^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|DECODE_ERROR)/,
    message: "uplink.certFile: the broker does not accept this camera's certificate",
    hint: 'Check that uplink.certFile is signed by an authority that the broker trusts, has not expired, and fits uplink.keyFile.',
  },
];

/** Converts an error of a connection or handshake: `broker-untrusted`, naming the setting, or `broker-unreachable`. */
export function connectionError(error: unknown): SealcamError {
  const code = systemCode(error) ?? '';
  const text = error instanceof Error ? error.message : String(error);
  const fault = FAULTS.find(({ codes }) => codes.test(code));
  if (fault === undefined) return new SealcamError('broker-unreachable', text, { cause: error });
  return new SealcamError('broker-untrusted', fault.message, { hint: fault.hint, cause: error, details: { code } });
}
