/** `npm run page`: builds the owner's page into static files. */
import { existsSync, readFileSync } from 'node:fs';
import { nodeSuite } from '../protocol/crypto/node.js';
import { formatMakerKey, parseMakerKey, parseMakerSecret } from '../protocol/page/minisign.js';
import { PAGE_LIST } from '../protocol/page/page-list.js';
import { buildPage } from './build-page.js';
import { runCommand } from './command.js';
import type { PageMaker } from './page-release.js';

const HELP = `npm run page -- --cloud ORIGIN --out FOLDER

Builds the owner's page into static files for any web server.

  --cloud ORIGIN     origin of the cloud's API, such as https://cloud.example; the page may connect to no other.
                     Without it: the origin that serves the page.
  --out FOLDER       where the files go; default dist/page
  --key FILE         the maker's secret key, as \`minisign -G -W\` writes it: signs the list of the page's files. Browsers
                     then keep the page, and take another one only with this key's signature.
  --maker-key KEY    instead: the maker's public key, a .pub file of minisign or its second line. Writes the list without
                     a signature; make that with: minisign -S -m page-list.json
  --number N         number of this list, above that of every list before; default: seconds since 1970, or SOURCE_DATE_EPOCH
  --help             print this text

The cloud must know the page's origin: http.pageOrigins in docs/configuration.md. docs/cloud.md lists the headers to send.
Exit status: 0 built, 1 the build failed, 2 wrong usage.
`;

/** Reads who signs the page. @throws SealcamError `key-file-invalid`; Error for a number that is not one */
function makerOf(keyFile: string, publicKey: string, numberText: string): PageMaker | undefined {
  if (keyFile === '' && publicKey === '') return undefined;
  if (keyFile !== '' && publicKey !== '') throw new Error('--key holds the public key too: give one of the two');
  const number = Number(numberText);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`--number ${numberText}: expected a whole number above 0`);
  if (keyFile !== '') {
    const secret = parseMakerSecret(nodeSuite, readFileSync(keyFile, 'utf8'));
    return { key: secret.key, secret, number };
  }
  const key = parseMakerKey(existsSync(publicKey) ? readFileSync(publicKey, 'utf8') : publicKey);
  return { key, secret: null, number };
}

await runCommand({
  name: 'page',
  help: HELP,
  options: {
    cloud: { type: 'string', default: '' },
    out: { type: 'string', default: 'dist/page' },
    key: { type: 'string', default: '' },
    'maker-key': { type: 'string', default: '' },
    number: { type: 'string', default: process.env['SOURCE_DATE_EPOCH'] ?? String(Math.floor(Date.now() / 1000)) },
  },
  readOptions: ({ cloud, out, key, 'maker-key': publicKey, number }) => ({
    cloud,
    out,
    maker: makerOf(key, publicKey, number),
  }),
  main: async ({ cloud, out, maker }) => {
    await buildPage({ outFolder: out, cloudOrigin: cloud, demo: false, ...(maker === undefined ? {} : { maker }) });
    process.stdout.write(`the page is in ${out}\n`);
    if (maker !== undefined) {
      const what = maker.secret === null ? `is not signed yet: minisign -S -m ${out}/${PAGE_LIST}` : 'is signed';
      process.stdout.write(`its list, number ${String(maker.number)}, ${what}\n`);
      process.stdout.write(`anyone checks it with: sealcam verify --page URL --key ${formatMakerKey(maker.key)}\n`);
    }
    return 0;
  },
});
