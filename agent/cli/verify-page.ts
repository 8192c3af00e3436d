import { existsSync, readFileSync } from 'node:fs';
import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { parseMakerKey, type MakerKey } from '../../protocol/page/minisign.js';
import {
  openPageList,
  PAGE_LIST,
  PAGE_SIGNATURE,
  PAGE_START,
  type PageFile,
  type PageList,
} from '../../protocol/page/page-list.js';
import type { Output } from './output.js';
import { pageAt, type PageSource, type PlainFetch } from './page-fetch.js';

/** What came of one file: as listed, other bytes, not there, not listed but loaded by the page, or refused with a code. */
export type PageFinding = 'same' | 'altered' | 'missing' | 'unlisted' | 'refused';

export interface VerifyPageOptions {
  readonly page: string;
  /** The maker's public key: a file of minisign, or its second line. */
  readonly key?: string | undefined;
  /** The lowest number of a list that counts: what an earlier run printed. */
  readonly least?: number | undefined;
}

/** Requests at a time. */
const AT_ONCE = 4;

/**
 * Runs `sealcam verify --page URL`: compares every file that the host serves with the maker's signed list, the service worker
 * first. Returns 3 if anything differs. @throws SealcamError `usage-invalid`, `key-file-invalid`, `cloud-unreachable`; the
 * refusal of the list
 */
export async function verifyPageCommand(
  { page, key: keyText, least = 0 }: VerifyPageOptions,
  output: Output,
  { fetch, clock }: { readonly fetch: PlainFetch; readonly clock: Clock },
): Promise<number> {
  const source = pageAt(folderOf(page), fetch, clock);
  const list = await listOf(source, readKey(keyText));
  const isOld = list.number < least;
  output.printLine(
    `the maker's list of version ${list.version}, number ${String(list.number)}: the signature is valid`,
  );
  if (isOld) {
    const wanted = `expected number ${String(least)} or above`;
    output.printLine(`  OLD         the host serves an older page: ${wanted}`);
  }
  const counts: Record<PageFinding, number> = { same: 0, altered: 0, missing: 0, unlisted: 0, refused: 0 };
  const note = (path: string, finding: PageFinding, details: Readonly<Record<string, string>> = {}): void => {
    counts[finding]++;
    if (finding !== 'same') output.printLine(`  ${finding.toUpperCase().padEnd(10)}  ${path}${describe(details)}`);
    output.emit({ path, finding, ...details });
  };
  // A host may answer the folder's own address, which browsers ask for, with another file than its index.html.
  const asked = list.files.flatMap((file) => (file.path === PAGE_START ? [file, { ...file, path: './' }] : [file]));
  await compareAll(source, asked, note);
  for (const path of await unlistedIn(source, list)) note(path, 'unlisted');
  const isSame = counts.same === asked.length && counts.unlisted === 0;
  output.printLine(
    isSame
      ? `  all ${String(counts.same)} files are the maker's, byte for byte`
      : `  ${String(counts.same)} of ${String(asked.length)} files are the maker's`,
  );
  const { number, version } = list;
  output.emit({ number, version, old: isOld, ...counts, ok: isSame && !isOld });
  return isSame && !isOld ? 0 : 3;
}

function describe(details: Readonly<Record<string, string>>): string {
  const text = Object.entries(details).map(([name, value]) => `${name} ${value}`);
  return text.length === 0 ? '' : `: ${text.join(', ')}`;
}

/** Returns the address of the folder in which the page is. @throws SealcamError `usage-invalid` */
function folderOf(page: string): URL {
  const url = URL.canParse(page) ? new URL(page) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new SealcamError('usage-invalid', `${page} is not an address such as https://home.example/`);
  }
  return new URL(/\.[a-z]+$/.test(url.pathname) || url.pathname.endsWith('/') ? './' : `${url.pathname}/`, url);
}

function readKey(text: string | undefined): MakerKey {
  if (text === undefined) {
    throw new SealcamError('usage-invalid', "the page's maker is not named: give --key, or set SEALCAM_PAGE_KEY");
  }
  return parseMakerKey(existsSync(text) ? readFileSync(text, 'utf8') : text);
}

async function listOf(source: PageSource, key: MakerKey): Promise<PageList> {
  const list = await source.file(PAGE_LIST, LIMITS.pageListMaxBytes);
  const signature = await source.file(PAGE_SIGNATURE, LIMITS.pageSignatureMaxBytes);
  if (list === null || signature === null) {
    const path = list === null ? PAGE_LIST : PAGE_SIGNATURE;
    throw new SealcamError('not-found', `the host has no ${path}: nobody answers for this page`);
  }
  return openPageList(nodeSuite, key, list, new TextDecoder().decode(signature));
}

type Note = (path: string, finding: PageFinding, details?: Readonly<Record<string, string>>) => void;

/** Compares the worker first and alone, then the others; reports in the order of the list. */
async function compareAll(source: PageSource, files: readonly PageFile[], note: Note): Promise<void> {
  for (let from = 0; from < files.length; from += from === 0 ? 1 : AT_ONCE) {
    const some = files.slice(from, from === 0 ? 1 : from + AT_ONCE);
    const found = await Promise.all(some.map((file) => compare(source, file)));
    for (const [path, finding, details] of found) note(path, finding, details);
  }
}

async function compare(source: PageSource, { path, length, sha256 }: PageFile): Promise<Parameters<Note>> {
  let bytes: Uint8Array | null;
  try {
    bytes = await source.file(path, LIMITS.pageFileMaxBytes);
  } catch (error) {
    const { code, message } = asSealcamError(error);
    if (code === 'cloud-unreachable') throw error;
    return [path, code === 'too-large' ? 'altered' : 'refused', { code, message }];
  }
  if (bytes === null) return [path, 'missing'];
  const hash = toHex(nodeSuite.sha256(bytes));
  return bytes.length === length && hash === sha256 ? [path, 'same'] : [path, 'altered', { sha256: hash }];
}

/** What a page loads or links to. */
const NAMED = /\b(?:src|href)\s*=\s*["']?([^"'\s>#?]+)/gi;

/** Returns what the host's index.html loads and the list does not name. */
async function unlistedIn(source: PageSource, { files }: PageList): Promise<readonly string[]> {
  const listed = new Set(files.map(({ path }) => path));
  const found = new Set<string>();
  for (const start of [PAGE_START, './']) {
    const html = await source.file(start, LIMITS.pageFileMaxBytes).catch(() => null);
    if (html === null) continue;
    for (const [, path = ''] of new TextDecoder().decode(html).matchAll(NAMED)) found.add(path.replace(/^\.\//, ''));
  }
  return [...found].filter((path) => !listed.has(path));
}
