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
import type { PushStore } from '../push-store.js';
import type { Database } from './database.js';

export function postgresPush(database: Database): PushStore {
  return {
    put: async ({ id, key, endpoint, p256dh, auth, choices, createdAtMs }) => {
      await database.execute(DROP_UNUSED, { beforeMs: createdAtMs - PUSH_UNUSED_TTL_MS });
      const [stored] = await database.rows<{ readonly id: Uint8Array }>(
        `INSERT INTO push_subscription (id, key, endpoint, p256dh, auth, choices, created_at_ms, seen_at_ms)
         SELECT @id::bytea, @key::bytea, @endpoint::text, @p256dh::bytea, @auth::bytea, @choices::text,
           @createdAtMs::bigint, @createdAtMs::bigint
         WHERE (SELECT count(*) FROM push_subscription WHERE key = @key::bytea AND endpoint <> @endpoint::text)
           < ${String(PUSH_SUBSCRIPTIONS_PER_KEY_MAX)}
         ON CONFLICT (key, endpoint) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth,
           choices = excluded.choices, seen_at_ms = excluded.seen_at_ms, failing_since_ms = NULL
         RETURNING id`,
        { id, key, endpoint, p256dh, auth, choices, createdAtMs },
      );
      return stored?.id ?? null;
    },
    ofKeys: async (keys) => {
      const rows = await database.rows<PushColumns>(
        'SELECT * FROM push_subscription WHERE key = ANY(@keys::bytea[]) ORDER BY key, created_at_ms, id',
        { keys: keys.map((key) => Buffer.from(key)) },
      );
      return rows.map(pushSubscription);
    },
    find: async (id) => {
      const [columns] = await database.rows<PushColumns>(SELECT_SENT_TO, { id });
      return columns === undefined ? undefined : pushSubscription(columns);
    },
    remove: async (key, id) => {
      await database.execute(REMOVE, { key, id });
    },
    noteSent: async (id, atMs) => {
      await database.execute(NOTE_SENT, { id, atMs });
    },
    noteFailed: async (id, atMs) => {
      await database.execute(NOTE_FAILED, { id, atMs });
      await database.execute(DROP_FAILING, { id, beforeMs: atMs - PUSH_FAILING_MAX_MS });
    },
    noteSilence: async ({ device, epoch }, sinceMs) =>
      (await database.execute(NOTE_SILENCE, { device, epoch, sinceMs })) > 0,
  };
}
