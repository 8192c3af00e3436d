import { LIMITS } from '../../common/limits.js';
import { toHex } from '../../common/bytes.js';
import type { PageFile, PageList } from '../../protocol/page/page-list.js';
import { headersOf } from './page-headers.js';

/** A file that is not the one in the maker's list. */
export class AlteredFile extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path} is not the file in the maker's list`);
    this.path = path;
  }
}

/** What a page needs to run: not what developers read. */
const isKept = ({ path }: PageFile): boolean => !/\.(map|LEGAL\.txt)$/.test(path);

/** Fetches one file past every cache. Returns null where the host has none. @throws TypeError without a connection */
export async function fetchFile(url: URL, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const response = await fetch(url, { cache: 'no-store', credentials: 'omit', redirect: 'error' });
  if (response.status >= 500) throw new TypeError(`the host answers ${String(response.status)}`);
  if (!response.ok) return null;
  const bytes = new Uint8Array(await response.arrayBuffer());
  return bytes.length > maxBytes ? null : bytes;
}

/** The files of one list, in a cache of their own. Each is compared with the list when it is kept, and when it is used. */
export class KeptFiles {
  readonly list: PageList;
  private readonly cache: Cache;
  private readonly scope: URL;
  private readonly files: ReadonlyMap<string, PageFile>;

  constructor(list: PageList, cache: Cache, scope: URL) {
    this.list = list;
    this.cache = cache;
    this.scope = scope;
    this.files = new Map(list.files.map((file) => [file.path, file]));
  }

  has(path: string): boolean {
    return this.files.has(path);
  }

  /**
   * Returns a file as the maker listed it, from here or, where it is gone, from the host.
   * @throws AlteredFile; TypeError without a connection
   */
  async answer(path: string): Promise<Response> {
    const file = this.files.get(path);
    if (file === undefined) throw new AlteredFile(path);
    const kept = await this.kept(file);
    const bytes = kept ?? (await this.load(file));
    return new Response(bytes, { headers: headersOf(path) });
  }

  /** Fetches what is not here yet; `before` has files of the page before. @throws AlteredFile, TypeError, QuotaExceededError */
  async complete(before: KeptFiles | null): Promise<void> {
    for (const file of this.list.files.filter(isKept)) {
      if ((await this.kept(file)) !== null) continue;
      const same = before === null ? null : await before.kept(file);
      if (same === null) await this.load(file);
      else await this.keep(file.path, same);
    }
  }

  private async kept(file: PageFile): Promise<Uint8Array<ArrayBuffer> | null> {
    const response = await this.cache.match(this.urlOf(file.path));
    if (response === undefined) return null;
    const bytes = new Uint8Array(await response.arrayBuffer());
    return (await isFile(file, bytes)) ? bytes : null;
  }

  private async load(file: PageFile): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await fetchFile(this.urlOf(file.path), LIMITS.pageFileMaxBytes);
    if (bytes === null || !(await isFile(file, bytes))) throw new AlteredFile(file.path);
    await this.keep(file.path, bytes);
    return bytes;
  }

  private keep(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.cache.put(this.urlOf(path), new Response(bytes));
  }

  private urlOf(path: string): URL {
    return new URL(path, this.scope);
  }
}

async function isFile({ length, sha256 }: PageFile, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  if (bytes.length !== length) return false;
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) === sha256;
}
