import { PUSH_FAILING_MAX_MS, PUSH_SUBSCRIPTIONS_PER_KEY_MAX, PUSH_UNUSED_TTL_MS } from '../bounds.js';
import {
  DROP_FAILING,
  DROP_UNUSED,
  NOTE_FAILED,
  NOTE_SENT,
  NOTE_SILENCE,
  pushSubscription,
  REMOVE,
  SELECT_SENT_TO,
  type PushColumns,
} from '../push-rows.js';
import type { NewPushSubscription, PushStore } from '../push-store.js';
import type { EpochKey } from '../store.js';
import type { Database, Guard } from './database.js';

interface Id {
  readonly id: Uint8Array;
}

export function sqlitePush(db: Database, guard: Guard): PushStore {
  const dropUnused = db.prepare<{ beforeMs: number }>(DROP_UNUSED);
  const put = db.prepare<NewPushSubscription, { readonly id: Uint8Array }>(
    `INSERT INTO push_subscription (id, key, endpoint, p256dh, auth, choices, created_at_ms, seen_at_ms)
     SELECT @id, @key, @endpoint, @p256dh, @auth, @choices, @createdAtMs, @createdAtMs
     WHERE (SELECT count(*) FROM push_subscription WHERE key = @key AND endpoint <> @endpoint)
       < ${String(PUSH_SUBSCRIPTIONS_PER_KEY_MAX)}
     ON CONFLICT (key, endpoint) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth,
       choices = excluded.choices, seen_at_ms = excluded.seen_at_ms, failing_since_ms = NULL
     RETURNING id`,
  );
  const ofKey = db.prepare<{ key: Uint8Array }, PushColumns>(
    'SELECT * FROM push_subscription WHERE key = @key ORDER BY created_at_ms, id',
  );
  const find = db.prepare<Id, PushColumns>(SELECT_SENT_TO);
  const remove = db.prepare<Id & { key: Uint8Array }>(REMOVE);
  const noteSent = db.prepare<Id & { atMs: number }>(NOTE_SENT);
  const noteFailed = db.prepare<Id & { atMs: number }>(NOTE_FAILED);
  const dropFailing = db.prepare<Id & { beforeMs: number }>(DROP_FAILING);
  const noteSilence = db.prepare<EpochKey & { sinceMs: number }>(NOTE_SILENCE);
  return {
    put: (subscription) =>
      guard(() => {
        dropUnused.run({ beforeMs: subscription.createdAtMs - PUSH_UNUSED_TTL_MS });
        const stored = put.get(subscription);
        return stored === undefined ? null : new Uint8Array(stored.id);
      }),
    ofKeys: (keys) => guard(() => keys.flatMap((key) => ofKey.all({ key })).map(pushSubscription)),
    find: (id) =>
      guard(() => {
        const columns = find.get({ id });
        return columns === undefined ? undefined : pushSubscription(columns);
      }),
    remove: (key, id) => guard(() => void remove.run({ key, id })),
    noteSent: (id, atMs) => guard(() => void noteSent.run({ id, atMs })),
    noteFailed: (id, atMs) =>
      guard(() => {
        noteFailed.run({ id, atMs });
        dropFailing.run({ id, beforeMs: atMs - PUSH_FAILING_MAX_MS });
      }),
    noteSilence: ({ device, epoch }, sinceMs) => guard(() => noteSilence.run({ device, epoch, sinceMs }).changes > 0),
  };
}
