import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface IssueOptions {
  /** As openssl's subjectAltName has it. */
  readonly names?: string;
  /** Validity, as openssl's `-startdate` has it: 20200101000000Z. Two days from now where nothing is said. */
  readonly valid?: readonly [from: string, to: string];
  /** serverAuth, clientAuth: nothing said, nothing restricted. */
  readonly usage?: string;
  readonly isAuthority?: boolean;
  /** Names its issuer, and not the issuer's key: whoever has the same name could have signed it. */
  readonly hidesKey?: boolean;
}

export interface IssuedFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: string;
  readonly issue: (name: string, options?: IssueOptions) => IssuedFiles;
  /** An authority that this one vouches for; who shows a certificate of it shows its own too. */
  readonly between: (name: string) => Certificates;
  /** Signs with whatever is given, whether it may or not. */
  readonly with: (files: IssuedFiles) => Certificates;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority of its own for one test, with openssl; certificates are for 127.0.0.1 and live for two days. */
export function certificates(folder: string, authority = 'ca', lives?: IssueOptions['valid']): Certificates {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const path = (name: string): string => join(folder, name);
  const [ca, caKey] = [path(`${authority}.pem`), path(`${authority}.key`)];
  /** Only `openssl ca` takes dates, and it wants a database. */
  const signWithDates = (
    [from, to]: readonly [string, string],
    byKey: string,
    files: readonly string[],
    extensions: string,
  ): void => {
    const [config, serial] = [path('openssl.cnf'), path('serial')];
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
  if (lives === undefined) {
    openssl('req', '-x509', ...CURVE, '-days', '2', '-subj', `/CN=${authority}`, '-keyout', caKey, '-out', ca);
  } else {
    const [request, extensions] = [path(`${authority}.csr`), path(`${authority}.ext`)];
    writeFileSync(extensions, 'basicConstraints=critical,CA:TRUE\n');
    openssl('req', ...CURVE, '-subj', `/CN=${authority}`, '-keyout', caKey, '-out', request);
    signWithDates(lives, caKey, ['-selfsign', '-in', request, '-out', ca], extensions);
  }
  const authorityOf = (by: IssuedFiles): Certificates => {
    const issue: Certificates['issue'] = (
      name,
      { names = 'IP:127.0.0.1', valid = lives, usage, isAuthority, hidesKey } = {},
    ) => {
      const [key, request, cert, extensions] = ['key', 'csr', 'pem', 'ext'].map((end) => path(`${name}.${end}`));
      if (key === undefined || request === undefined || cert === undefined || extensions === undefined)
        throw new Error();
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
