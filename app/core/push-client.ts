import * as v from '../../common/schema.js';
import { CloudClient } from './cloud-client.js';
import { pushChoices, type PushChoices } from './push-choices.js';

const subscribed = v.object({
  id: v.string(),
  /** Host of the push service. */
  endpointHost: v.string(),
  createdAtMs: v.int(),
  /** When that last took a push; null before the first. */
  lastOkMs: v.nullable(v.int()),
  choices: pushChoices,
});

/** A browser of this person that is sent notifications. */
export type SubscribedBrowser = v.InferOutput<typeof subscribed>;

const pushAnswer = v.object({
  /** The key with which the cloud identifies itself to push services (RFC 8292), base64url; null where it sends none. */
  key: v.nullable(v.string()),
  subscriptions: v.array(subscribed),
});
export type PushAnswer = v.InferOutput<typeof pushAnswer>;

const putAnswer = v.object({ id: v.string() });

/** What a browser's subscription consists of (RFC 8030, 8291). */
export interface SubscriptionJson {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** Calls the routes of the cloud's API that are about notifications. What its methods throw, `CloudConnection` says. */
export class PushClient extends CloudClient {
  /** Returns this person's subscribed browsers. */
  push(): Promise<PushAnswer> {
    return this.call({ method: 'GET', path: '/v1/push' }, pushAnswer);
  }

  /** Subscribes a browser, or changes what it is sent, and returns its id. */
  async subscribe(subscription: SubscriptionJson, choices: PushChoices): Promise<string> {
    const body = { subscription, choices };
    return (await this.call({ method: 'PUT', path: '/v1/push', body }, putAnswer)).id;
  }

  /** Ends a subscription. One that is not there any more is ended too. */
  async unsubscribe(id: string): Promise<void> {
    const path = `/v1/push/${encodeURIComponent(id)}`;
    await this.request({ method: 'DELETE', path }, () => Promise.resolve());
  }
}
