import { codeNumber, SealcamError, systemCode } from '../../common/errors.js';

/** Why the broker is not reached, in an operator's words: each cause with the setting to change. */

interface Cause {
  readonly pattern: RegExp;
  readonly code: 'broker-unreachable' | 'broker-refused' | 'broker-untrusted';
  readonly message: string;
  readonly hint: string;
}

/** Error codes of the operating system, of Node and of OpenSSL. The first match counts. */
const CAUSES: readonly Cause[] = [
  {
    pattern: /^ECONNREFUSED$/,
    code: 'broker-unreachable',
    message: 'nothing listens at this address',
    hint: 'Start the broker, or correct mqtt.url.',
  },
  {
    pattern: /^(ENOTFOUND|EAI_)/,
    code: 'broker-unreachable',
    message: 'its name cannot be resolved',
    hint: 'Correct the name in mqtt.url, or the name server of this machine.',
  },
  {
    pattern: /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EHOSTDOWN|ENETDOWN)$/,
    code: 'broker-unreachable',
    message: 'the network does not reach it',
    hint: 'Check mqtt.url, routes and firewalls between this machine and the broker.',
  },
  {
    pattern: /^ERR_TLS_CERT_ALTNAME_/,
    code: 'broker-untrusted',
    message: 'its certificate is not for this host',
    hint: 'Use a name of the certificate in mqtt.url.',
  },
  {
    pattern: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    code: 'broker-untrusted',
    message: 'its certificate has expired, is not valid yet, or the clock of this machine is wrong',
    hint: "Renew the broker's certificate, or set the clock.",
  },
  {
    pattern:
      /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_|INVALID_|PATH_LENGTH|CA_MD_|EE_KEY_|HOSTNAME_)/,
    code: 'broker-untrusted',
    message: 'no trusted authority signed its certificate',
    hint: "Put the authority that signed the broker's certificate into mqtt.caFile.",
  },
  {
    pattern: /^(ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER)|EPROTO$)/,
    code: 'broker-untrusted',
    message: 'it does not speak TLS on this port',
    hint: "Check the port in mqtt.url: mqtts:// needs the broker's port for TLS.",
  },
  {
    pattern: /^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/,
    code: 'broker-refused',
    message: 'it asks for a certificate of the client',
    hint: 'The cloud presents none: give it a listener of the broker that asks for name and password.',
  },
  {
    pattern: /^ERR_SSL_/,
    code: 'broker-untrusted',
    message: 'TLS failed',
    hint: 'Enable TLS 1.2 or 1.3 on the broker, and check mqtt.url.',
  },
];

const UNANSWERED: Omit<Cause, 'pattern'> = {
  code: 'broker-unreachable',
  message: 'it accepted the connection and did not answer MQTT',
  hint: "Check the port in mqtt.url: mqtt:// needs the broker's plain port, mqtts:// its port for TLS.",
};

/** Return codes of MQTT 3.1.1 §3.2.2.3 and reason codes of MQTT 5 §3.2.2.2. */
const WRONG_PASSWORD = [4, 134];
const NOT_AUTHORISED = [5, 135, 138, 140];
const WRONG_CLIENT_ID = [2, 133];
const BUSY = [3, 136, 137, 151, 159];

function refusal(code: number, username: string): Omit<Cause, 'pattern'> {
  const hex = `reason 0x${code.toString(16).padStart(2, '0')}`;
  const as = username === '' ? 'without a user name' : `as "${username}"`;
  if (WRONG_PASSWORD.includes(code) || NOT_AUTHORISED.includes(code)) {
    const what = WRONG_PASSWORD.includes(code) ? 'a wrong name or password' : 'not authorised';
    return {
      code: 'broker-refused',
      message: `it refuses the login ${as}: ${what} (${hex})`,
      hint: 'Correct mqtt.username and the password in mqtt.passwordFile, or add the user at the broker.',
    };
  }
  if (WRONG_CLIENT_ID.includes(code)) {
    return {
      code: 'broker-refused',
      message: `it refuses the client id (${hex})`,
      hint: 'Choose another mqtt.clientId, or allow this one at the broker.',
    };
  }
  if (BUSY.includes(code)) {
    return {
      code: 'broker-refused',
      message: `it is busy or at its limit (${hex})`,
      hint: 'Raise the limit of connections at the broker.',
    };
  }
  return { code: 'broker-refused', message: `it refuses the connection (${hex})`, hint: 'See the log of the broker.' };
}

/**
 * Returns what is wrong with the connection to a broker.
 *
 * @param name host and port, for the message
 * @param error undefined where the connection ended or stayed silent without one
 */
export function brokerFault(name: string, username: string, error: Error | undefined): SealcamError {
  const number = codeNumber(error);
  const code = systemCode(error) ?? '';
  const cause =
    number === undefined ? (CAUSES.find(({ pattern }) => pattern.test(code)) ?? UNANSWERED) : refusal(number, username);
  return new SealcamError(cause.code, `the broker ${name}: ${cause.message}`, {
    hint: cause.hint,
    ...(error === undefined ? {} : { cause: error }),
  });
}

/** Returns what is wrong where the broker does not let this user subscribe. */
export function subscriptionFault(name: string, username: string, filters: readonly string[]): SealcamError {
  return new SealcamError(
    'broker-refused',
    `the broker ${name}: its access rules do not let "${username}" subscribe to ${filters.join(' and ')}`,
    { hint: 'Let mqtt.username read these topics at the broker; docs/operations.md has the rules.' },
  );
}

/** Returns what is wrong where another client takes the connection over. */
export function takeoverFault(name: string, clientId: string): SealcamError {
  return new SealcamError(
    'broker-refused',
    `the broker ${name}: another client connects as "${clientId}", and each ends the other's connection`,
    { hint: 'Give each worker an mqtt.clientId of its own, or leave it empty.' },
  );
}
