import type { Liveness } from '../core/liveness.js';

/** Passes on what the browser knows of its network, and checks the connection when the page becomes visible again. */
export function followNetwork(liveness: Liveness, probe: () => Promise<unknown>): () => void {
  const lost = (): void => {
    liveness.networkLost();
  };
  const back = (): void => {
    liveness.retryNow();
  };
  const visible = (): void => {
    if (document.visibilityState === 'visible') void liveness.check(probe);
  };
  window.addEventListener('offline', lost);
  window.addEventListener('online', back);
  // A page from the browser's cache of visited pages gets only this event.
  window.addEventListener('pageshow', visible);
  document.addEventListener('visibilitychange', visible);
  return () => {
    window.removeEventListener('offline', lost);
    window.removeEventListener('online', back);
    window.removeEventListener('pageshow', visible);
    document.removeEventListener('visibilitychange', visible);
  };
}
