import { fromBase64 } from '../../common/bytes.js';
import { isSealcamError, SealcamError } from '../../common/errors.js';
import * as v from '../../common/schema.js';
import { jsonSetting } from './json-setting.js';
import { pushChoices, type PushChoices } from './push-choices.js';
import type { PushClient, SubscriptionJson } from './push-client.js';
import type { HistoryStorage } from './storage.js';

const SETTING = 'push';

const keptSchema = v.object({
  /** Of the subscription at the cloud. */
  id: v.string(),
  endpoint: v.string(),
  /** The cloud's key with which it was made. */
  key: v.string(),
  cloudOrigin: v.string(),
  choices: pushChoices,
});
/** The subscription of this browser, as it was last made. */
export type KeptPush = v.InferOutput<typeof keptSchema>;

/** The part of the browser's own subscription that is needed here. */
interface Subscription {
  readonly endpoint: string;
  toJSON(): { readonly keys?: Readonly<Record<string, string>> | undefined };
  unsubscribe(): Promise<boolean>;
}

/** The part of a browser's `PushManager` that is needed here. */
export interface SubscriptionManager {
  getSubscription(): Promise<Subscription | null>;
  subscribe(options: {
    readonly userVisibleOnly: boolean;
    readonly applicationServerKey: Uint8Array<ArrayBuffer>;
  }): Promise<Subscription>;
}

export interface SubscribingDependencies {
  readonly storage: Pick<HistoryStorage, 'setting' | 'saveSetting'>;
  readonly client: Pick<PushClient, 'push' | 'subscribe' | 'unsubscribe' | 'cloudOrigin'>;
  readonly manager: SubscriptionManager;
}

/** Returns the subscription of this browser; null while notifications are off. */
export function loadPush(storage: Pick<HistoryStorage, 'setting'>): Promise<KeptPush | null> {
  return jsonSetting(storage, SETTING, keptSchema);
}

/**
 * Turns notifications on in this browser, or changes what it is sent.
 * @throws SealcamError `unsupported` where the cloud sends none; as the client does. @throws what the browser's `subscribe` throws
 */
export async function subscribePush(
  { storage, client, manager }: SubscribingDependencies,
  choices: PushChoices,
): Promise<KeptPush> {
  const { key } = await client.push();
  if (key === null) throw new SealcamError('unsupported', 'this cloud sends no notifications');
  const kept = await loadPush(storage);
  let subscription = await manager.getSubscription();
  if (subscription !== null && kept?.key !== key) {
    // A browser holds one subscription, and that with one key.
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await manager.subscribe({ userVisibleOnly: true, applicationServerKey: keyBytes(key) });
  const { endpoint } = subscription;
  // Before the new one: a cloud limits the browsers of a person, and this one has no other endpoint any more.
  if (kept !== null && kept.endpoint !== endpoint) await end(client, kept.id);
  const id = await client.subscribe(jsonOf(subscription), choices);
  const next: KeptPush = { id, endpoint, key, cloudOrigin: client.cloudOrigin, choices };
  await storage.saveSetting(SETTING, JSON.stringify(next));
  return next;
}

/** Turns notifications off in this browser. @throws SealcamError as the client does; the browser takes none in any case */
export async function unsubscribePush({ storage, client, manager }: SubscribingDependencies): Promise<void> {
  const kept = await loadPush(storage);
  await storage.saveSetting(SETTING, 'null');
  await (await manager.getSubscription())?.unsubscribe();
  if (kept !== null) await end(client, kept.id);
}

/**
 * Makes a subscription again that died: push services end them, and so does a browser that was not used for long. Returns whether
 * it did; false while notifications are off, or nothing is wrong.
 * @throws as {@link subscribePush}
 */
export async function renewPush(deps: SubscribingDependencies): Promise<boolean> {
  const kept = await loadPush(deps.storage);
  if (kept === null) return false;
  const subscription = await deps.manager.getSubscription();
  const { key, subscriptions } = await deps.client.push();
  const isListed = subscriptions.some(({ id }) => id === kept.id);
  if (key === null || (subscription?.endpoint === kept.endpoint && key === kept.key && isListed)) return false;
  await subscribePush(deps, kept.choices);
  return true;
}

async function end(client: Pick<PushClient, 'unsubscribe'>, id: string): Promise<void> {
  try {
    await client.unsubscribe(id);
  } catch (error) {
    // The cloud ended it itself.
    if (!isSealcamError(error) || error.code !== 'not-found') throw error;
  }
}

function jsonOf(subscription: Subscription): SubscriptionJson {
  const { p256dh, auth } = subscription.toJSON().keys ?? {};
  if (p256dh === undefined || auth === undefined) {
    throw new SealcamError('browser-unsupported', 'the browser made a subscription without keys');
  }
  return { endpoint: subscription.endpoint, keys: { p256dh, auth } };
}

/** Reads base64url (RFC 4648 §5) without padding. */
function keyBytes(key: string): Uint8Array<ArrayBuffer> {
  const text = key.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = fromBase64(text + '='.repeat(-text.length & 3));
  if (bytes === undefined) throw new SealcamError('cloud-lied', 'the cloud named no key for notifications');
  return new Uint8Array(bytes);
}
