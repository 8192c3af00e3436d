import { fromHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { verifyMinisign, type MakerKey } from './minisign.js';

/** The list and its signature, beside index.html. */
export const PAGE_LIST = 'page-list.json';
export const PAGE_SIGNATURE = `${PAGE_LIST}.minisig`;
/** The script that a browser fetches past every check of the page: first in the list, and compared first. */
export const PAGE_WORKER = 'sw.js';
export const PAGE_START = 'index.html';

const FORMAT = 'sealcam/page/v1';
const HASH_BYTES = 32;
/** Below the page's folder, without a way out of it, an empty name, or what an address would change. */
const PATH = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

const pageFile = v.object({
  path: v.pipe(v.string(), v.maxLength(200), v.regex(PATH)),
  /** Bytes, before any compression on the way. */
  length: v.int(0, LIMITS.pageFileMaxBytes),
  /** Hex of SHA-256 (FIPS 180-4). */
  sha256: v.pipe(
    v.string(),
    v.check((text) => fromHex(text, HASH_BYTES) !== undefined),
  ),
});
export type PageFile = v.InferOutput<typeof pageFile>;

const pageList = v.object({
  format: v.literal(FORMAT),
  /** Rises with every list of this page; a lower one is an older page. */
  number: v.int(1),
  version: v.pipe(v.string(), v.minLength(1), v.maxLength(40), v.regex(/^[\w.+-]+$/)),
  files: v.pipe(v.array(pageFile), v.minLength(2), v.maxLength(LIMITS.pageFilesMax)),
});

/** What the maker says is the page: every file of it, the worker first. */
export type PageList = v.InferOutput<typeof pageList>;

/** Writes a list, always in the same bytes. */
export function formatPageList({ number, version, files }: Omit<PageList, 'format'>): string {
  const others = files.filter(({ path }) => path !== PAGE_WORKER).sort((a, b) => (a.path < b.path ? -1 : 1));
  const sorted = [...files.filter(({ path }) => path === PAGE_WORKER), ...others];
  const lines = sorted.map(({ path, length, sha256 }) => `    ${JSON.stringify({ path, length, sha256 })}`);
  const head = `{\n  "format": "${FORMAT}",\n  "number": ${String(number)},\n  "version": ${JSON.stringify(version)},\n`;
  return `${head}  "files": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/**
 * Verifies the maker's signature, then reads the list.
 * @throws SealcamError `bad-signature`, `foreign` for another key's; `malformed`; `unsupported` for a newer format
 */
export function openPageList(suite: CryptoSuite, key: MakerKey, bytes: Uint8Array, signature: string): PageList {
  verifyMinisign(suite, key, bytes, signature);
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SealcamError('malformed', "the page's list is not JSON", { cause });
  }
  const format = v.safeParse(v.object({ format: v.string() }), raw);
  if (format.success && format.output.format !== FORMAT) {
    throw new SealcamError('unsupported', `the page's list has the format ${format.output.format.slice(0, 40)}`);
  }
  const parsed = v.safeParse(pageList, raw);
  if (!parsed.success) throw new SealcamError('malformed', "the page's list has another shape");
  const { files } = parsed.output;
  const paths = new Set(files.map(({ path }) => path));
  if (paths.size !== files.length) throw new SealcamError('malformed', "the page's list names a file twice");
  if (files[0]?.path !== PAGE_WORKER || !paths.has(PAGE_START)) {
    throw new SealcamError('malformed', `the page's list does not begin with ${PAGE_WORKER}, or lacks ${PAGE_START}`);
  }
  return parsed.output;
}
