import { OFFERED_KEM_KEY_TTL_MS, OFFERED_KEM_KEYS_MAX } from '../bounds.js';
import type { ClaimStore } from '../store.js';
import type { Database } from './database.js';

/** KEM keys of browsers that wait to be named in a claim. */
export function postgresOfferedKemKeys(database: Database): Pick<ClaimStore, 'offerKemKey' | 'offeredKemKey'> {
  return {
    offerKemKey: async ({ signer, hash, kemKey, atMs }) => {
      // A time after the one that follows is of a clock that was ahead.
      await database.execute('DELETE FROM offered_kem_key WHERE at_ms < @fromMs OR at_ms > @toMs', {
        fromMs: atMs - OFFERED_KEM_KEY_TTL_MS,
        toMs: atMs + OFFERED_KEM_KEY_TTL_MS,
      });
      const stored = await database.execute(
        `INSERT INTO offered_kem_key (signer, hash, key, at_ms)
         SELECT @signer::bytea, @hash::bytea, @kemKey::bytea, @atMs::bigint
         WHERE (SELECT count(*) FROM offered_kem_key WHERE signer <> @signer::bytea) < ${String(OFFERED_KEM_KEYS_MAX)}
         ON CONFLICT (signer) DO UPDATE SET hash = excluded.hash, key = excluded.key, at_ms = excluded.at_ms`,
        { signer, hash, kemKey, atMs },
      );
      return stored > 0;
    },
    offeredKemKey: async (hash, sinceMs) => {
      const [row] = await database.rows<{ readonly key: Uint8Array }>(
        'SELECT key FROM offered_kem_key WHERE hash = @hash AND at_ms >= @sinceMs LIMIT 1',
        { hash, sinceMs },
      );
      return row?.key;
    },
  };
}
