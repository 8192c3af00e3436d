/** The service worker's entry. It wires the parts together and holds no rules. */
import { servePage } from './serve-page.js';
import { listenForPushes } from './push.js';

declare const self: ServiceWorkerGlobalScope;

servePage(self, __MAKER_KEY__);
self.addEventListener('activate', (event) => {
  // The page that is open is served by this worker from now on, not only after the next visit.
  event.waitUntil(self.clients.claim());
});

listenForPushes(self);
