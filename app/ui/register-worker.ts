import { scriptUrl } from './script-url.js';

/** Relative to the page, so that the page may lie below any path; it serves that path and nothing above. */
const WORKER = 'sw.js';

/**
 * Registers the page's service worker and returns its registration; null where the browser has none, refuses this one (a
 * private window, a page from a file) or cannot load it now. The page needs none of what it does.
 */
export async function registerWorker(): Promise<ServiceWorkerRegistration | null> {
  try {
    // Its script is fetched past every cache: a host that keeps it for long cannot hold back the next one.
    return await navigator.serviceWorker.register(scriptUrl('sealcam-worker', WORKER), { updateViaCache: 'none' });
  } catch {
    return null;
  }
}
