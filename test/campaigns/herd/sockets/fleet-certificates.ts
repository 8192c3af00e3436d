import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inParallel } from '../../../../scripts/in-parallel.js';

const run = promisify(execFile);

export interface FleetCertificates {
  /** Paths of the broker's files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** PEM of the authority's certificate. */
  readonly caText: string;
  /** PEM of the one key that all cameras of the test share. A real camera has its own. */
  readonly cameraKey: string;
  /** Returns a certificate in PEM for each name, in order. */
  readonly issue: (names: readonly string[]) => Promise<readonly string[]>;
}

/**
 * Makes a certificate authority for one run, a broker's certificate for these addresses, and cameras' certificates
 * named by their ids.
 */
export function fleetCertificates(folder: string, addresses: readonly string[]): FleetCertificates {
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
  const newKey = (name: string): string => {
    const pem = openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256');
    writeFileSync(path(`${name}.key`), pem, { mode: 0o600 });
    writeFileSync(path(`${name}.pub`), openssl('pkey', '-in', path(`${name}.key`), '-pubout'));
    return pem;
  };
  newKey('ca');
  newKey('broker');
  const cameraKey = newKey('camera');
  const ca = path('ca.pem');
  const cert = path('broker.pem');
  openssl('req', '-x509', '-key', path('ca.key'), '-days', '2', '-subj', '/CN=herd', '-out', ca);
  const signing = (name: string, key: string): string[] => [
    'x509',
    '-new',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-force_pubkey',
    path(`${key}.pub`),
    '-CA',
    ca,
    '-CAkey',
    path('ca.key'),
  ];
  writeFileSync(path('broker.ext'), `subjectAltName=${addresses.map((address) => `IP:${address}`).join(',')}\n`);
  openssl(...signing('broker', 'broker'), '-extfile', path('broker.ext'), '-out', cert);
  return {
    ca,
    cert,
    key: path('broker.key'),
    cameraKey,
    caText: readFileSync(ca, 'utf8'),
    issue: async (names) => {
      const certs = new Array<string>(names.length).fill('');
      await inParallel(names.entries(), availableParallelism(), async ([i, name]) => {
        certs[i] = (await run('openssl', signing(name, 'camera'))).stdout;
      });
      return certs;
    },
  };
}
