/**
 * Pushes, and clicks on what was shown of them. What may be shown is decided in app/core/notices.ts; here is only what a service
 * worker alone can do. A push always shows something: a browser takes the permission away from a page that does not.
 */
import { realClock } from '../../common/adapters/real-clock.js';
import { toBase64 } from '../../common/bytes.js';
import { tweetnaclSuite } from '../../protocol/crypto/tweetnacl.js';
import { nothingFound, type NoticeView } from '../core/notice-view.js';
import { ownerKeys, type OwnerKeys } from '../core/owner-keys.js';
import { PushClient } from '../core/push-client.js';
import { readPush } from '../core/push-reader.js';
import { loadPush, renewPush } from '../core/push-subscription.js';
import { IndexedDbStorage } from '../ui/indexeddb-storage.js';
import { subtleSeals } from '../ui/subtle-seals.js';
import { learnEpoch } from './shared-epochs.js';

/** What browsers know beside the compiler's library. */
interface ShownOptions extends NotificationOptions {
  readonly image?: string;
  readonly timestamp?: number;
}

/** What a click finds in the notification. */
interface NoticeData {
  readonly address: string | null;
}

/** Shows pushes, opens the page at a click, and renews a subscription that the browser changed. */
export function listenForPushes(scope: ServiceWorkerGlobalScope): void {
  // One after the other: each notes what it showed, so that a repeated push is known as one.
  let last: Promise<unknown> = Promise.resolve();
  scope.addEventListener('push', (event) => {
    const payload = event.data === null ? null : new Uint8Array(event.data.arrayBuffer());
    const shown = last.then(() => show(scope, payload));
    last = shown.catch(() => undefined);
    event.waitUntil(shown);
  });
  scope.addEventListener('notificationclick', (event) => {
    event.notification.close();
    event.waitUntil(openPage(scope, addressIn(event.notification.data)));
  });
  scope.addEventListener('pushsubscriptionchange', (event) => {
    (event as ExtendableEvent).waitUntil(renew(scope));
  });
}

async function show(scope: ServiceWorkerGlobalScope, payload: Uint8Array | null): Promise<void> {
  let view: NoticeView;
  try {
    view = await read(scope, payload);
  } catch {
    // Storage that is full or gone, or a fault of this program: nothing was verified.
    view = nothingFound();
  }
  const { title, body, tag, address, jpeg, atMs } = view;
  const picture = jpeg === null ? null : `data:image/jpeg;base64,${toBase64(jpeg)}`;
  const options: ShownOptions = {
    body,
    tag,
    data: { address } satisfies NoticeData,
    // Where there is no room for a picture, the icon shows it.
    ...(picture === null ? {} : { image: picture, icon: picture }),
    ...(atMs === null ? {} : { timestamp: atMs }),
  };
  await scope.registration.showNotification(title, options);
}

async function read(scope: ServiceWorkerGlobalScope, payload: Uint8Array | null): Promise<NoticeView> {
  const storage = await IndexedDbStorage.open();
  const kept = await loadPush(storage);
  const subtle = subtleSeals();
  return readPush(payload, {
    suite: tweetnaclSuite,
    clock: realClock,
    storage: {
      loadMaster: () => storage.loadMaster(),
      names: () => storage.names(),
      epochs: () => storage.epochs(),
      saveEpoch: (epoch) => learnEpoch(epoch),
      setting: (name) => storage.setting(name),
      saveSetting: (name, value) => storage.saveSetting(name, value),
    },
    clientOf: (keys) => clientOf(scope, keys, kept?.cloudOrigin ?? scope.location.origin),
    ...(subtle === undefined ? {} : { subtle }),
  });
}

function clientOf(scope: ServiceWorkerGlobalScope, keys: OwnerKeys, cloudOrigin: string): PushClient {
  return new PushClient({
    suite: tweetnaclSuite,
    clock: realClock,
    keys,
    cloudOrigin,
    pageOrigin: scope.location.origin,
    fetch: (url, init) => scope.fetch(url, init),
  });
}

/** A subscription that its push service ended is replaced. Where that fails, the page does it at its next start. */
async function renew(scope: ServiceWorkerGlobalScope): Promise<void> {
  const storage = await IndexedDbStorage.open();
  const kept = await loadPush(storage);
  const master = await storage.loadMaster();
  if (kept === null || master === null) return;
  const client = clientOf(scope, ownerKeys(tweetnaclSuite, master), kept.cloudOrigin);
  await renewPush({ storage, client, manager: scope.registration.pushManager });
}

/** Brings a page of ours to the front, or opens one, at the address of what was shown. */
async function openPage(scope: ServiceWorkerGlobalScope, address: string | null): Promise<void> {
  const url = new URL(address ?? '', scope.registration.scope).href;
  const windows = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = windows.find((window) => window.url.startsWith(scope.registration.scope));
  if (open === undefined) {
    await scope.clients.openWindow(url);
    return;
  }
  // Where the browser does not bring it to the front, it receives the address all the same.
  await open.focus().catch(() => undefined);
  if (address !== null) open.postMessage({ type: 'open', address });
}

function addressIn(data: unknown): string | null {
  const address = typeof data === 'object' && data !== null && 'address' in data ? data.address : null;
  return typeof address === 'string' && address.startsWith('#event=') ? address : null;
}
