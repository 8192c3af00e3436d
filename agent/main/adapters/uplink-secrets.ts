import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { SealcamError } from '../../../common/errors.js';
import type { Config } from '../../config/keys.js';
import type { MqttSecrets } from '../../uplink/mqtt-socket.js';

/**
 * Reads password, certificates and key for the broker.
 *
 * @throws SealcamError `config-invalid-value` if a file is missing, not PEM, or a key that others may read
 */
export function uplinkSecrets(config: Config): MqttSecrets {
  const certFile = config['uplink.certFile'];
  const keyFile = config['uplink.keyFile'];
  if ((certFile === '') !== (keyFile === '')) {
    throw new SealcamError('config-invalid-value', 'uplink.certFile and uplink.keyFile go together');
  }
  if (keyFile !== '') checkMode(keyFile);
  const secrets = {
    password: read(config['uplink.passwordFile'], 'uplink.passwordFile')?.trim(),
    ca: read(config['uplink.caFile'], 'uplink.caFile'),
    cert: read(certFile, 'uplink.certFile'),
    key: read(keyFile, 'uplink.keyFile'),
  };
  checkPem(secrets);
  return secrets;
}

/** Parses the files at start, rather than failing at each connection. */
function checkPem({ ca, cert, key }: MqttSecrets): void {
  const check = (setting: string, work: () => unknown): void => {
    try {
      work();
    } catch (cause) {
      throw new SealcamError('config-invalid-value', `${setting}: TLS cannot use it`, {
        cause,
        hint: 'Give a PEM file: text with BEGIN and END lines.',
      });
    }
  };
  if (ca !== undefined) check('uplink.caFile', () => new X509Certificate(ca));
  if (cert === undefined || key === undefined) return;
  check('uplink.certFile', () => new X509Certificate(cert));
  check('uplink.keyFile', () => createSecureContext({ cert, key }));
}

function read(path: string, setting: string): string | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SealcamError('config-invalid-value', `${setting}: ${path} cannot be read`, { cause });
  }
}

function checkMode(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o077) === 0) return;
  throw new SealcamError('config-invalid-value', `uplink.keyFile: ${path} may be read by others`, {
    hint: `chmod 600 ${path}`,
  });
}
