import type { PushSubscription } from './push-store.js';

/** What both stores say to their database about push subscriptions. */

export interface PushColumns {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly endpoint: string;
  readonly p256dh: Uint8Array;
  readonly auth: Uint8Array;
  readonly choices: string;
  readonly created_at_ms: number;
  readonly last_ok_ms: number | null;
  readonly failing_since_ms: number | null;
}

export function pushSubscription(columns: PushColumns): PushSubscription {
  return {
    id: new Uint8Array(columns.id),
    key: new Uint8Array(columns.key),
    endpoint: columns.endpoint,
    p256dh: new Uint8Array(columns.p256dh),
    auth: new Uint8Array(columns.auth),
    choices: columns.choices,
    createdAtMs: columns.created_at_ms,
    lastOkMs: columns.last_ok_ms,
    failingSinceMs: columns.failing_since_ms,
  };
}

export const DROP_UNUSED = 'DELETE FROM push_subscription WHERE seen_at_ms < @beforeMs';
export const SELECT_SENT_TO = 'SELECT * FROM push_subscription WHERE id = @id';
export const REMOVE = 'DELETE FROM push_subscription WHERE id = @id AND key = @key';
export const NOTE_SENT = `UPDATE push_subscription SET last_ok_ms = @atMs, seen_at_ms = @atMs, failing_since_ms = NULL
  WHERE id = @id`;
export const NOTE_FAILED = `UPDATE push_subscription SET failing_since_ms = coalesce(failing_since_ms, @atMs)
  WHERE id = @id`;
export const DROP_FAILING = 'DELETE FROM push_subscription WHERE id = @id AND failing_since_ms < @beforeMs';
export const NOTE_SILENCE = `INSERT INTO push_silence AS p (device, epoch, since_ms) VALUES (@device, @epoch, @sinceMs)
  ON CONFLICT (device, epoch) DO UPDATE SET since_ms = excluded.since_ms WHERE p.since_ms < excluded.since_ms`;

/** Removes the subscriptions of a key that an erased epoch named and no other does. */
export const DROP_OF_NOBODY = `DELETE FROM push_subscription
  WHERE key = @key AND NOT EXISTS (SELECT 1 FROM member WHERE member.key = push_subscription.key)`;
/** Removes the subscriptions of keys that a revoked epoch, or device, names and that may read nothing else. */
export const DROP_OF_REVOKED = `DELETE FROM push_subscription
  WHERE key IN (SELECT key FROM member WHERE device = @device AND (epoch = @epoch OR @epoch IS NULL))
    AND NOT EXISTS (
      SELECT 1 FROM member AS m JOIN claim AS c USING (device, epoch)
      WHERE m.key = push_subscription.key AND c.state <> 'revoked'
        AND NOT EXISTS (SELECT 1 FROM revoked_device AS r WHERE r.device = m.device))`;
