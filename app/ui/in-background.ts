import { realClock } from '../../common/adapters/real-clock.js';
import { loadPush, renewPush } from '../core/push-subscription.js';
import type { PageContext } from './context.js';
import { startPageWorker } from './page-notes.js';
import { pushClient, pushSupport, subscribing } from './push-browser.js';

const CHECKED_SETTING = 'push-checked';
/** The cloud is asked this often whether it still has the subscription. What the browser lost shows at once. */
const CHECK_EVERY_MS = 86_400_000;

/** What of the page the work in the background takes. */
type Page = Pick<PageContext, 'keys' | 'client' | 'storage' | 'root'>;

/** Once in a document, which is entered again with the root key. */
let isWorkerStarted = false;

/**
 * Starts what works where no page is open, and what the page does for it: it opens the event of a notification that was clicked,
 * and renews a subscription that died.
 */
export async function startInBackground(page: Page): Promise<void> {
  if (!isWorkerStarted) startWorker();
  isWorkerStarted = true;
  // Not in a page from a file, and not without TLS.
  if ('serviceWorker' in navigator) await renew(page);
}

function startWorker(): void {
  startPageWorker();
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const address = addressIn(data);
    if (address !== null) location.hash = address;
  });
}

async function renew({ keys, client, storage, root }: Page): Promise<void> {
  // A subscription is this browser's own, never the root key's.
  if (root?.open) return;
  const kept = await loadPush(storage);
  if (kept === null || pushSupport() !== 'yes' || Notification.permission !== 'granted') return;
  const deps = await subscribing(storage, pushClient({ keys, client }));
  const isThere = (await deps.manager.getSubscription())?.endpoint === kept.endpoint;
  const checkedAtMs = Number((await storage.setting(CHECKED_SETTING)) ?? 0);
  const sinceMs = realClock.wallMs() - checkedAtMs;
  if (isThere && sinceMs >= 0 && sinceMs < CHECK_EVERY_MS) return;
  await renewPush(deps);
  await storage.saveSetting(CHECKED_SETTING, String(Math.round(realClock.wallMs())));
}

/** Only an address of an event: the worker sends no other. */
function addressIn(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'open') return null;
  const address = 'address' in data ? data.address : null;
  return typeof address === 'string' && address.startsWith('#event=') ? address : null;
}
