import { realClock } from '../../common/adapters/real-clock.js';
import { atMost } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { PushClient } from '../core/push-client.js';
import type { SubscribingDependencies } from '../core/push-subscription.js';
import type { PageContext } from './context.js';
import { NOTIFICATION_WORDS as WORDS } from './notification-words.js';

/** What this browser lets the page do. `home-screen`: an iPhone or iPad, where it first must be put there. */
export type PushSupport = 'yes' | 'home-screen' | 'denied' | 'no';

export function pushSupport(): PushSupport {
  const { Notification: notification, PushManager: manager } = globalThis as {
    readonly Notification?: { readonly permission: NotificationPermission };
    readonly PushManager?: unknown;
  };
  if (notification !== undefined && manager !== undefined && 'serviceWorker' in navigator) {
    return notification.permission === 'denied' ? 'denied' : 'yes';
  }
  // An iPad calls itself a Macintosh, which has no touch screen.
  const isApple = /iPhone|iPad|Macintosh/u.test(navigator.userAgent);
  return isApple && navigator.maxTouchPoints > 1 ? 'home-screen' : 'no';
}

/** The worker is registered a moment after the page; see parts.ts. */
const WORKER_WAIT_MS = 10_000;

/** Returns the page's service worker. @throws SealcamError `browser-unsupported` without one, as in a private window */
export async function pushWorker(): Promise<ServiceWorkerRegistration> {
  const { ready } = navigator.serviceWorker;
  if (await atMost(realClock, WORKER_WAIT_MS, ready)) return ready;
  throw new SealcamError('browser-unsupported', WORDS.noWorker);
}

/** Ends the browser's own subscription, also without a connection: the push service then tells the cloud. */
export async function endPush(): Promise<void> {
  if (pushSupport() !== 'yes') return;
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe().catch(() => false);
}

/** Returns a client in a session of its own: the page itself asks nothing about notifications. */
export function pushClient({ keys, client }: Pick<PageContext, 'keys' | 'client'>): PushClient {
  return new PushClient({
    suite: tweetnaclSuite,
    clock: realClock,
    keys,
    cloudOrigin: client.cloudOrigin,
    pageOrigin: location.origin,
    fetch: (url, init) => fetch(url, init),
  });
}

/** Returns what makes and ends this browser's subscription. @throws SealcamError as {@link pushWorker} */
export async function subscribing(
  storage: PageContext['storage'],
  client: PushClient,
): Promise<SubscribingDependencies> {
  return { storage, client, manager: (await pushWorker()).pushManager };
}
