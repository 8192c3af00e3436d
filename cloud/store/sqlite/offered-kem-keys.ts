import { OFFERED_KEM_KEY_TTL_MS, OFFERED_KEM_KEYS_MAX } from '../bounds.js';
import type { ClaimStore, OfferedKemKey } from '../store.js';
import type { Database, Guard } from './database.js';

/** KEM keys of browsers that wait to be named in a claim. */
export function sqliteOfferedKemKeys(db: Database, guard: Guard): Pick<ClaimStore, 'offerKemKey' | 'offeredKemKey'> {
  // A time after the one that follows is of a clock that was ahead.
  const drop = db.prepare<{ atMs: number; ttlMs: number }>(
    'DELETE FROM offered_kem_key WHERE at_ms < @atMs - @ttlMs OR at_ms > @atMs + @ttlMs',
  );
  const put = db.prepare<OfferedKemKey>(
    `INSERT OR REPLACE INTO offered_kem_key (signer, hash, key, at_ms) SELECT @signer, @hash, @kemKey, @atMs
     WHERE (SELECT count(*) FROM offered_kem_key WHERE signer <> @signer) < ${String(OFFERED_KEM_KEYS_MAX)}`,
  );
  const select = db.prepare<{ hash: Uint8Array; sinceMs: number }, { readonly key: Uint8Array }>(
    'SELECT key FROM offered_kem_key WHERE hash = @hash AND at_ms >= @sinceMs LIMIT 1',
  );
  return {
    offerKemKey: (offered) =>
      guard(() => {
        drop.run({ atMs: offered.atMs, ttlMs: OFFERED_KEM_KEY_TTL_MS });
        return put.run(offered).changes > 0;
      }),
    offeredKemKey: (hash, sinceMs) =>
      guard(() => {
        const row = select.get({ hash, sinceMs });
        return row === undefined ? undefined : new Uint8Array(row.key);
      }),
  };
}
