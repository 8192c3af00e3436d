/** The Web Push library, imported here only: it encrypts a message (RFC 8291) and signs who sends it (RFC 8292). It sends nothing. */
import webPush from 'web-push';
import type { PushSubscription } from '../store/store.js';
import type { PushKey } from './push-key.js';

/** How a push service treats a message (RFC 8030, section 5). */
export interface PushOptions {
  /** How long the service keeps it for a browser that is away. */
  readonly ttlS: number;
  readonly urgency: 'normal' | 'high';
  /** A later message of the same topic replaces one that waits; up to 32 characters of base64url. */
  readonly topic: string;
}

export interface PushRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Who sends, as push services see it. */
export interface PushSender {
  readonly key: PushKey;
  /** mailto: or https: address at which a push service reaches the operator. */
  readonly contact: string;
}

/** Returns the request that brings this message to a browser. @throws Error for keys that are no points */
export function pushRequest(
  { endpoint, p256dh, auth }: Pick<PushSubscription, 'endpoint' | 'p256dh' | 'auth'>,
  payload: Uint8Array,
  { key, contact }: PushSender,
  { ttlS, urgency, topic }: PushOptions,
): PushRequest {
  const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const { headers, body } = webPush.generateRequestDetails(
    { endpoint, keys: { p256dh: base64url(p256dh), auth: base64url(auth) } },
    Buffer.from(payload),
    {
      vapidDetails: { subject: contact, publicKey: key.publicKey, privateKey: key.privateKey },
      TTL: ttlS,
      urgency,
      topic,
      contentEncoding: 'aes128gcm',
    },
  );
  return {
    headers,
    body: new Uint8Array(body),
  };
}
