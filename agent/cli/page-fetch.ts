import { concat } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';

/** Limit of one answer, from its request to its last byte. */
const ANSWER_TIMEOUT_MS = 30_000;

/** The part of the global `fetch` that is used here. */
export type PlainFetch = (url: string, init: RequestInit) => Promise<Response>;

/** Fetches the files of a page as any visitor gets them. */
export interface PageSource {
  /** Returns a file's bytes as they are after decompression; null where the host answers that it has none. */
  file(path: string, maxBytes: number): Promise<Uint8Array | null>;
}

/**
 * Returns the files below an address. Redirects are followed on the same origin only: what another one serves is not this page.
 * Every method throws SealcamError `cloud-unreachable`, `foreign` for a redirect elsewhere, `too-large`.
 */
export function pageAt(base: URL, fetch: PlainFetch, clock: Clock): PageSource {
  return {
    file: async (path, maxBytes) => {
      const over = new AbortController();
      const cancel = clock.after(ANSWER_TIMEOUT_MS, () => {
        over.abort();
      });
      try {
        return await fileAt(new URL(path, base), maxBytes, fetch, over.signal);
      } catch (cause) {
        if (isSealcamError(cause)) throw cause;
        throw new SealcamError('cloud-unreachable', `${path}: the host does not answer`, { hint: HOST_HINT, cause });
      } finally {
        cancel();
      }
    },
  };
}

const HOST_HINT = 'Check the address of the page and the network.';
const REDIRECTS_MAX = 3;

async function fileAt(
  asked: URL,
  maxBytes: number,
  fetch: PlainFetch,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  let url = asked;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const headers = { 'cache-control': 'no-cache' };
    const response = await fetch(url.href, { redirect: 'manual', signal, headers });
    if (response.status === 404 || response.status === 410) return null;
    const to = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && to !== null) {
      await response.body?.cancel();
      url = new URL(to, url);
      if (url.origin === asked.origin) continue;
      throw new SealcamError('foreign', `${asked.pathname} is sent on to ${url.origin}`, { hint: ELSEWHERE_HINT });
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new SealcamError('cloud-unreachable', `${asked.pathname}: the host answers ${String(response.status)}`, {
        hint: HOST_HINT,
      });
    }
    return bodyOf(response, asked.pathname, maxBytes);
  }
  throw new SealcamError('cloud-unreachable', `${asked.pathname}: sent on too often`, { hint: HOST_HINT });
}

const ELSEWHERE_HINT = 'Give the address at which browsers load the page.';

async function bodyOf({ body }: Response, path: string, maxBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  const reader = body.getReader();
  for (let length = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new SealcamError('too-large', `${path} has more than ${String(maxBytes)} bytes`);
    }
    parts.push(value);
  }
}
