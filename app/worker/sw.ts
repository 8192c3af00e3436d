/** The service worker's entry. It wires the parts together and holds no rules. */
declare const self: ServiceWorkerGlobalScope;

self.addEventListener('activate', (event) => {
  // The page that is open is served by this worker from now on, not only after the next visit.
  event.waitUntil(self.clients.claim());
});
export {};
