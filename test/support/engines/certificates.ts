import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface IssueOptions {
  /** In the form of openssl's subjectAltName. */
  readonly names?: string;
  /** Validity, in the form of openssl's `-startdate`: 20200101000000Z. Default: two days from now. */
  readonly valid?: readonly [from: string, to: string];
  /** serverAuth or clientAuth. Default: unrestricted. */
  readonly usage?: string;
  readonly isAuthority?: boolean;
  /** Leaves out the issuer's key id, so that any authority of the same name looks like its issuer. */
  readonly hidesKey?: boolean;
}

export interface IssuedFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: string;
  readonly issue: (name: string, options?: IssueOptions) => IssuedFiles;
  /** Makes an intermediate authority. A server must send its certificate along with its own. */
  readonly between: (name: string) => Certificates;
  /** Signs with these files, even if they are not those of an authority. */
  readonly with: (files: IssuedFiles) => Certificates;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/**
 * Makes an authority for one test, with openssl. By default its certificates are for 127.0.0.1 and valid for two days.
 */
export function certificates(folder: string, authority = 'ca', validity?: IssueOptions['valid']): Certificates {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const path = (name: string): string => join(folder, name);
  const ca = path(`${authority}.pem`);
  const caKey = path(`${authority}.key`);
  /** Signs with given dates. Only `openssl ca` can do that, and it needs a database. */
  const signWithDates = (
    [from, to]: readonly [string, string],
    byKey: string,
    files: readonly string[],
    extensions: string,
  ): void => {
    const config = path('openssl.cnf');
    const serial = path('serial');
    const paths = `new_certs_dir=${folder}\ndatabase=${path('index.txt')}\nserial=${serial}\n`;
    writeFileSync(
      config,
      `[ca]\ndefault_ca=d\n[d]\n${paths}default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n`,
    );
    writeFileSync(path('index.txt'), '');
    writeFileSync(serial, String(10 + Math.floor(Math.random() * 89)).repeat(4));
    const how = ['-batch', '-notext', '-config', config, '-extfile', extensions, '-startdate', from, '-enddate', to];
    openssl('ca', ...how, '-keyfile', byKey, ...files);
  };
  if (validity === undefined) {
    openssl('req', '-x509', ...CURVE, '-days', '2', '-subj', `/CN=${authority}`, '-keyout', caKey, '-out', ca);
  } else {
    const request = path(`${authority}.csr`);
    const extensions = path(`${authority}.ext`);
    writeFileSync(extensions, 'basicConstraints=critical,CA:TRUE\n');
    openssl('req', ...CURVE, '-subj', `/CN=${authority}`, '-keyout', caKey, '-out', request);
    signWithDates(validity, caKey, ['-selfsign', '-in', request, '-out', ca], extensions);
  }
  const authorityOf = (by: IssuedFiles): Certificates => {
    const issue: Certificates['issue'] = (
      name,
      { names = 'IP:127.0.0.1', valid = validity, usage, isAuthority, hidesKey } = {},
    ) => {
      const key = path(`${name}.key`);
      const request = path(`${name}.csr`);
      const cert = path(`${name}.pem`);
      const extensions = path(`${name}.ext`);
      const restricted = usage === undefined ? '' : `extendedKeyUsage=${usage}\n`;
      const kind = isAuthority === true ? 'basicConstraints=critical,CA:TRUE\n' : `subjectAltName=${names}\n`;
      const issuer = hidesKey === true ? 'authorityKeyIdentifier=none\n' : '';
      writeFileSync(extensions, kind + restricted + issuer);
      openssl('req', ...CURVE, '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
      if (valid !== undefined) {
        signWithDates(valid, by.key, ['-cert', by.cert, '-in', request, '-out', cert], extensions);
        return { cert, key };
      }
      const signing = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-extfile', extensions];
      openssl('x509', '-req', '-days', '2', '-in', request, ...signing, '-out', cert);
      return { cert, key };
    };
    return {
      ca: by.cert,
      issue,
      between: (name) => authorityOf(issue(name, { isAuthority: true })),
      with: authorityOf,
    };
  };
  return authorityOf({ cert: ca, key: caKey });
}
