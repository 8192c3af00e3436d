import { parseMakerKey } from '../../protocol/page/minisign.js';
import type { PageNews, PageRequest, PageState } from '../core/page-state.js';
import { KeptPage } from './kept-page.js';

const NOT_SIGNED: PageState = { isSigned: false, used: null, ready: null, refused: null, isFull: false };

/** Serves the page from what this browser keeps, where the build names its maker, and answers what the page asks about it. */
export function servePage(scope: ServiceWorkerGlobalScope, makerKey: string): void {
  const page = makerKey === '' ? null : keptPage(scope, makerKey);
  scope.addEventListener('message', (event) => {
    const { sealcamPage: asked } = (event.data ?? {}) as Partial<PageRequest>;
    if (asked === 'begin') event.waitUntil(scope.skipWaiting());
    const [port] = event.ports;
    if ((asked !== 'check' && asked !== 'use') || port === undefined) return;
    const answer = async (): Promise<void> => {
      port.postMessage(page === null ? NOT_SIGNED : await (asked === 'use' ? page.use() : page.check()));
    };
    event.waitUntil(answer());
  });
}

function keptPage(scope: ServiceWorkerGlobalScope, makerKey: string): KeptPage {
  const tell = async (state: PageState): Promise<void> => {
    const news: PageNews = { sealcamPageState: state };
    for (const client of await scope.clients.matchAll({ type: 'window' })) client.postMessage(news);
  };
  const page = new KeptPage(parseMakerKey(makerKey), scope.registration.scope, tell);
  scope.addEventListener('fetch', (event) => {
    const path = page.pathOf(event.request);
    if (path !== null) event.respondWith(page.answer(event.request, path));
  });
  return page;
}
