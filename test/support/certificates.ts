import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  readonly ca: string;
  readonly issue: (name: string) => { readonly cert: string; readonly key: string };
}

/** An authority of its own for one test, with openssl; certificates are for 127.0.0.1 and live for two days. */
export function certificates(folder: string, authority = 'ca'): Certificates {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const path = (name: string): string => join(folder, name);
  const [ca, caKey] = [path(`${authority}.pem`), path(`${authority}.key`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...curve, '-days', '2', '-subj', `/CN=${authority}`, '-keyout', caKey, '-out', ca);
  return {
    ca,
    issue: (name) => {
      const [key, request, cert, extensions] = ['key', 'csr', 'pem', 'ext'].map((end) => path(`${name}.${end}`));
      if (key === undefined || request === undefined || cert === undefined || extensions === undefined)
        throw new Error();
      writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1\n');
      openssl('req', ...curve, '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
      const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', extensions];
      openssl('x509', '-req', '-days', '2', '-in', request, ...signing, '-out', cert);
      return { cert, key };
    },
  };
}
