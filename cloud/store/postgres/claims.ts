import { LIMITS } from '../../../common/limits.js';
import { equal, toHex } from '../../../common/bytes.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import { versionOf } from '../../../protocol/objects/signed-object.js';
import { INVITED_EPOCHS_MAX, INVITING_ACCOUNTS_MAX, OFFERS_MAX } from '../bounds.js';
import { byEpoch, eachClaim } from '../paging.js';
import { kemColumn, kemKeysIn, namedKemKeys } from '../periods.js';
import { claimRow, storedOffer, type ClaimColumns, type OfferColumns } from '../rows.js';
import type { ClaimRow, ClaimStore, PendingClaim, PutOutcome } from '../store.js';
import type { Database, Session } from './database.js';
import { postgresOfferedKemKeys } from './offered-kem-keys.js';
import type { Partitions } from './partitions.js';
import type { Values } from './statements.js';
import { insertRecords } from './writer.js';

/**
 * The newest epochs of a few accounts that name a key and that its person has not accepted: accounts in the order of their
 * ids, from a place on and once around. Each step of the walk is one look into the index, however many name the key.
 */
const INVITED = `
  WITH RECURSIVE above(account, n) AS (
    SELECT @from::bytea, 0
    UNION ALL
    SELECT (SELECT account FROM member WHERE key = @key AND account > above.account
              AND account <> ALL(@accounts::bytea[]) ORDER BY account LIMIT 1), n + 1
    FROM above WHERE n < @sampled AND above.account IS NOT NULL
  ), around(account, n) AS (
    SELECT ''::bytea, 0
    UNION ALL
    SELECT (SELECT account FROM member WHERE key = @key AND account > around.account AND account <= @from::bytea
              AND account <> ALL(@accounts::bytea[]) ORDER BY account LIMIT 1), n + 1
    FROM around WHERE n < @sampled AND around.account IS NOT NULL
  ), sampled AS (
    SELECT account FROM (
      SELECT account, n FROM above WHERE n > 0 UNION ALL SELECT account, n + @sampled FROM around WHERE n > 0
    ) AS walk WHERE account IS NOT NULL ORDER BY n LIMIT @sampled
  )
  SELECT claim.* FROM sampled CROSS JOIN LATERAL (
    SELECT device, epoch FROM member WHERE key = @key AND member.account = sampled.account
    ORDER BY epoch DESC, device LIMIT @epochs
  ) AS newest JOIN claim USING (device, epoch)`;

/** Returns an advisory lock's two keys. A device id is a hash, so two cameras share a lock only by chance. */
function lockOf(device: Uint8Array): { readonly high: number; readonly low: number } {
  const view = new DataView(device.buffer, device.byteOffset, device.byteLength);
  return { high: view.getInt32(0), low: view.getInt32(4) };
}

interface PendingColumns extends Pick<PendingClaim, 'claim' | 'mac' | 'nonce'> {
  readonly kem_keys: Uint8Array | null;
  readonly at_ms: number;
}

/** Stores those of the keys that the claim names, in an order that lets two workers not deadlock. */
async function insertKemKeys(session: Session, claim: AnyClaim, keys: readonly Uint8Array[]): Promise<void> {
  const named = [...namedKemKeys(claim, keys)].sort((a, b) => (toHex(a.hash) < toHex(b.hash) ? -1 : 1));
  for (const { hash, key } of named) {
    await session.execute('INSERT INTO kem_key (hash, key) VALUES (@hash, @key) ON CONFLICT DO NOTHING', { hash, key });
  }
}

/**
 * Each row is read by a statement of its own on the primary, outside any longer transaction, so that it shows what is
 * committed at that moment, whatever isolation level the server defaults to.
 */
export function postgresClaims(database: Database, partitions: Partitions): ClaimStore {
  const selectRows = async (text: string, values: Values): Promise<ClaimRow[]> =>
    (await database.rows<ClaimColumns>(text, values)).map(claimRow);

  return {
    row: async (device, epoch) => {
      const [row] = await selectRows('SELECT * FROM claim WHERE device = @device AND epoch = @epoch', {
        device,
        epoch,
      });
      return row;
    },
    latest: async (device) => {
      const [row] = await selectRows('SELECT * FROM claim WHERE device = @device ORDER BY epoch DESC LIMIT 1', {
        device,
      });
      return row;
    },
    open: () =>
      eachClaim(({ device, epoch }, limit) =>
        selectRows(
          `SELECT * FROM claim WHERE (device, epoch) > (@device, @epoch) AND state = 'open'
           ORDER BY device, epoch LIMIT @limit`,
          { device, epoch, limit },
        ),
      ),
    readableBy: async (key, household) => {
      if (household === undefined) {
        return selectRows(
          'SELECT claim.* FROM member JOIN claim USING (device, epoch) WHERE key = @key ORDER BY device, epoch',
          { key },
        );
      }
      const accounts = household.accounts.map((account) => Buffer.from(account));
      const rows = await selectRows(
        `SELECT claim.* FROM member JOIN claim USING (device, epoch)
         WHERE key = @key AND member.account = ANY(@accounts::bytea[])`,
        { key, accounts },
      );
      const invited = await selectRows(INVITED, {
        key,
        accounts,
        from: household.sampleFrom,
        sampled: INVITING_ACCOUNTS_MAX,
        epochs: INVITED_EPOCHS_MAX,
      });
      rows.push(...invited);
      return rows.sort(byEpoch);
    },
    isMember: async (device, epoch, key) => {
      const found = await database.rows(
        'SELECT 1 FROM member WHERE key = @key AND device = @device AND epoch = @epoch',
        { key, device, epoch },
      );
      return found.length > 0;
    },
    accept: async (claim, accept, atMs, kemKeys = []) => {
      await partitions.ensureForBodies(atMs);
      const { device, epoch, account, recipients } = claim.value;
      return database.transaction('READ COMMITTED', async (session): Promise<PutOutcome> => {
        // Two claims of one camera are handled one after the other, in whatever workers; other cameras do not wait.
        await session.rows('SELECT pg_advisory_xact_lock(@high, @low)', lockOf(device));
        const insertAccept = async (): Promise<PutOutcome> => {
          const [outcome] = await insertRecords(session, [{ record: accept, media: [], atMs }]);
          return outcome ?? { outcome: 'equivocation' };
        };
        const putKemKeys = async (): Promise<void> => {
          const [pending] = await session.rows<{ readonly kem_keys: Uint8Array | null }>(
            'SELECT kem_keys FROM pending_claim WHERE device = @device',
            { device },
          );
          await insertKemKeys(session, claim.value, [...kemKeys, ...(kemKeysIn(pending?.kem_keys ?? null) ?? [])]);
        };
        const known = await session.rows<ClaimColumns>(
          'SELECT * FROM claim WHERE device = @device AND epoch >= @epoch',
          { device, epoch },
        );
        const same = known.find((row) => row.epoch === epoch);
        if (same !== undefined) {
          if (!equal(same.claim_hash, claim.hash)) return { outcome: 'equivocation' };
          // After its account was deleted no member names them.
          if (same.claim !== null) await putKemKeys();
          return insertAccept();
        }
        if (known.length > 0) return { outcome: 'equivocation' };
        await session.execute(
          `INSERT INTO claim (device, epoch, account, claim_hash, claim, state, accepted_at_ms, version)
           VALUES (@device, @epoch, @account, @claimHash, @claim, 'open', @atMs, @version)`,
          {
            device,
            epoch,
            account,
            claimHash: claim.hash,
            claim: claim.bytes,
            atMs,
            version: versionOf(claim.value),
          },
        );
        for (const recipient of recipients) {
          const kem = 'kem' in recipient ? recipient.kem : null;
          await session.execute(
            `INSERT INTO member (key, device, epoch, account, kem) VALUES (@key, @device, @epoch, @account, @kem)
             ON CONFLICT DO NOTHING`,
            { key: recipient.ed25519, device, epoch, account, kem },
          );
        }
        await putKemKeys();
        await session.execute('DELETE FROM pending_claim WHERE device = @device', { device });
        return insertAccept();
      });
    },
    ...postgresOfferedKemKeys(database),
    kemKeys: async (hashes) => {
      if (hashes.length === 0) return [];
      const rows = await database.rows<{ readonly key: Uint8Array | null }>(
        `SELECT key FROM unnest(@hashes::bytea[]) WITH ORDINALITY AS wanted (hash, place)
         LEFT JOIN kem_key USING (hash) ORDER BY place`,
        { hashes: hashes.map((hash) => Buffer.from(hash)) },
      );
      return rows.map(({ key }) => key);
    },
    close: async (device, epoch, seq) => {
      await database.execute(
        `UPDATE claim SET state = 'closed', closed_at_seq = @seq
         WHERE device = @device AND epoch = @epoch AND state = 'open'`,
        { device, epoch, seq },
      );
    },
    putOffer: async (device, { offer, offerV2 = null, atMs }) => {
      const closed = { fromMs: atMs - LIMITS.claimWindowMs, toMs: atMs + LIMITS.claimWindowMs };
      // A time after the window that follows is of a clock that was ahead.
      await database.execute('DELETE FROM offer WHERE at_ms < @fromMs OR at_ms > @toMs', closed);
      await database.execute('DELETE FROM pending_claim WHERE at_ms < @fromMs OR at_ms > @toMs', closed);
      const stored = await database.execute(
        `INSERT INTO offer (device, offer, offer_v2, at_ms)
         SELECT @device::bytea, @offer::bytea, @offerV2::bytea, @atMs::bigint
         WHERE (SELECT count(*) FROM offer WHERE device <> @device::bytea) < ${String(OFFERS_MAX)}
         ON CONFLICT (device) DO UPDATE
         SET offer = excluded.offer, offer_v2 = excluded.offer_v2, at_ms = excluded.at_ms`,
        { device, offer, offerV2, atMs },
      );
      return stored > 0;
    },
    offer: async (device) => {
      const [row] = await database.rows<OfferColumns>(
        'SELECT offer, offer_v2, at_ms FROM offer WHERE device = @device',
        { device },
      );
      return row === undefined ? undefined : storedOffer(row);
    },
    putPending: async (device, pending) => {
      await database.execute(
        `INSERT INTO pending_claim (device, claim, mac, kem_keys, nonce, at_ms)
         VALUES (@device, @claim, @mac, @kemKeys, @nonce, @atMs)
         ON CONFLICT (device) DO UPDATE SET claim = excluded.claim, mac = excluded.mac, kem_keys = excluded.kem_keys,
           nonce = excluded.nonce, at_ms = excluded.at_ms`,
        { ...pending, kemKeys: kemColumn(pending.kemKeys), device },
      );
    },
    pending: async (device) => {
      const [row] = await database.rows<PendingColumns>(
        'SELECT claim, mac, kem_keys, nonce, at_ms FROM pending_claim WHERE device = @device',
        { device },
      );
      if (row === undefined) return undefined;
      const { claim, mac, nonce } = row;
      const kemKeys = kemKeysIn(row.kem_keys);
      return { claim, mac, ...(kemKeys === undefined ? {} : { kemKeys }), nonce, atMs: row.at_ms };
    },
    dropPending: async (device) => {
      await database.execute('DELETE FROM pending_claim WHERE device = @device', { device });
    },
  };
}
