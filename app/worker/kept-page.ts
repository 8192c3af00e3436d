import { equal } from '../../common/bytes.js';
import { isSealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import type { MakerKey } from '../../protocol/page/minisign.js';
import { openPageList, PAGE_LIST, PAGE_SIGNATURE, PAGE_START } from '../../protocol/page/page-list.js';
import type { PageRefusal, PageState } from '../core/page-state.js';
import { AlteredFile, fetchFile, KeptFiles } from './kept-files.js';

/** What is remembered between two runs of the worker. */
interface Memory {
  readonly used: number | null;
  readonly ready: number | null;
  /** The highest number of a list that was complete: no lower one is taken. */
  readonly highest: number;
  readonly refused: PageRefusal | null;
  readonly isFull: boolean;
}

const NOTHING: Memory = { used: null, ready: null, highest: 0, refused: null, isFull: false };

/**
 * Keeps the page as its maker signed it, in the browser's own storage, and serves it from there. What the host offers is
 * taken only whole, checked and newer, and used only once a person says so.
 */
export class KeptPage {
  private readonly maker: MakerKey;
  private readonly scope: URL;
  private readonly tell: (state: PageState) => Promise<void>;
  private checking: Promise<PageState> | null = null;
  private used: Promise<KeptFiles | null> | null = null;

  /** @param tell shows a new state to the pages that are open */
  constructor(maker: MakerKey, scope: string, tell: (state: PageState) => Promise<void>) {
    this.maker = maker;
    this.scope = new URL(scope);
    this.tell = tell;
  }

  /** Returns the path of a file of the page that a request asks for; null where it is no business of this worker. */
  pathOf({ method, url: text, destination }: Request): string | null {
    const url = new URL(text);
    const isHere = url.origin === this.scope.origin && url.pathname.startsWith(this.scope.pathname);
    // What scripts fetch is data: a cloud of the same origin answers it.
    if (method !== 'GET' || !isHere || destination === '') return null;
    const path = url.pathname.slice(this.scope.pathname.length);
    return path === '' ? PAGE_START : path;
  }

  /** Answers a request for a file of the page. Before the first page was kept the host does. */
  async answer(request: Request, path: string): Promise<Response> {
    this.used ??= this.open((await this.memory()).used);
    const files = await this.used;
    if (files === null) return fetch(request);
    if (!files.has(path)) return refusal(404, 'This address is not part of the page.');
    try {
      return await files.answer(path);
    } catch (error) {
      if (!(error instanceof AlteredFile)) throw error;
      await this.remember({ refused: { reason: 'altered', path } });
      return refusal(502, `${path} is gone from this browser, and the host has another file than the page's maker.`);
    }
  }

  /** Looks at what the host offers, once at a time. */
  check(): Promise<PageState> {
    this.checking ??= this.checkNow().finally(() => {
      this.checking = null;
    });
    return this.checking;
  }

  /** Uses the newer page from the next load on. */
  async use(): Promise<PageState> {
    const { ready } = await this.memory();
    if (ready !== null) await this.remember({ used: ready, ready: null });
    this.used = null;
    await this.removeOthers();
    return this.state();
  }

  private async checkNow(): Promise<PageState> {
    try {
      const refused = await this.takeOffer();
      await this.remember({ refused, isFull: false });
    } catch (error) {
      if (error instanceof AlteredFile) await this.remember({ refused: { reason: 'altered', path: error.path } });
      else if (error instanceof DOMException && error.name === 'QuotaExceededError')
        await this.remember({ isFull: true });
      // Without a connection nothing is known, and nothing changes.
      else if (!(error instanceof TypeError)) throw error;
    }
    const state = await this.state();
    await this.tell(state);
    return state;
  }

  /** Keeps the page that the host offers, if it may. Returns why it may not. */
  private async takeOffer(): Promise<PageRefusal | null> {
    const bytes = await fetchFile(new URL(PAGE_LIST, this.scope), LIMITS.pageListMaxBytes);
    const signature = await fetchFile(new URL(PAGE_SIGNATURE, this.scope), LIMITS.pageSignatureMaxBytes);
    const list = bytes === null || signature === null ? null : this.opened(bytes, signature);
    if (list === null || bytes === null || signature === null) return { reason: 'not-signed' };
    const { number } = list;
    const { used, highest } = await this.memory();
    if (number < highest) return { reason: 'older', number };
    const cache = await caches.open(this.nameOf(number));
    const known = await cache.match(this.listUrl(PAGE_LIST));
    if (known !== undefined && !equal(new Uint8Array(await known.arrayBuffer()), bytes)) {
      return { reason: 'two-lists', number };
    }
    await cache.put(this.listUrl(PAGE_LIST), new Response(bytes));
    await cache.put(this.listUrl(PAGE_SIGNATURE), new Response(signature));
    // Gone with the browser's storage, or of a maker before: then there is nothing to go on with.
    const before = await this.open(used);
    await new KeptFiles(list, cache, this.scope).complete(before);
    if (before === null) {
      await this.remember({ used: number, highest: number });
      this.used = null;
    } else if (number > before.list.number) await this.remember({ ready: number, highest: number });
    await this.removeOthers();
    return null;
  }

  private opened(bytes: Uint8Array, signature: Uint8Array): ReturnType<typeof openPageList> | null {
    try {
      return openPageList(tweetnaclSuite, this.maker, bytes, new TextDecoder().decode(signature));
    } catch (error) {
      if (isSealcamError(error)) return null;
      throw error;
    }
  }

  /** Opens what was kept under a number; null where it is gone, or was not signed by the maker of this build. */
  private async open(number: number | null): Promise<KeptFiles | null> {
    if (number === null) return null;
    const cache = await caches.open(this.nameOf(number));
    const [bytes, signature] = await Promise.all(
      [PAGE_LIST, PAGE_SIGNATURE].map(async (path) => {
        const kept = await cache.match(this.listUrl(path));
        return kept === undefined ? null : new Uint8Array(await kept.arrayBuffer());
      }),
    );
    const list = bytes && signature ? this.opened(bytes, signature) : null;
    return list?.number === number ? new KeptFiles(list, cache, this.scope) : null;
  }

  private async state(): Promise<PageState> {
    const { used, ready, refused, isFull } = await this.memory();
    const [usedList, readyList] = [(await this.open(used))?.list ?? null, (await this.open(ready))?.list ?? null];
    return { isSigned: true, used: usedList, ready: readyList, refused, isFull };
  }

  private async removeOthers(): Promise<void> {
    const { used, ready } = await this.memory();
    const kept = [used, ready].flatMap((number) => (number === null ? [] : [this.nameOf(number)]));
    const own = (await caches.keys()).filter((name) => name.startsWith(this.prefix));
    await Promise.all(
      own.filter((name) => !kept.includes(name) && name !== this.prefix).map((name) => caches.delete(name)),
    );
  }

  private async memory(): Promise<Memory> {
    const kept = await (await caches.open(this.prefix)).match(this.listUrl('memory'));
    return kept === undefined ? NOTHING : ((await kept.json()) as Memory);
  }

  private async remember(change: Partial<Memory>): Promise<void> {
    const next = { ...(await this.memory()), ...change };
    await (await caches.open(this.prefix)).put(this.listUrl('memory'), Response.json(next));
  }

  /** Two pages below different paths of one origin have caches of their own. */
  private get prefix(): string {
    return `sealcam page ${this.scope.pathname}`;
  }

  private nameOf(number: number): string {
    return `${this.prefix} ${String(number)}`;
  }

  /** What is kept beside the files never has the address of one. */
  private listUrl(path: string): URL {
    return new URL(`?kept=${path}`, this.scope);
  }
}

function refusal(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
