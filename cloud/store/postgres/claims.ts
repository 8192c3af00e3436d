import { equal } from '../../../common/bytes.js';
import { claimRow, type ClaimColumns } from '../rows.js';
import type { ClaimRow, ClaimStore, PendingClaim, PutOutcome } from '../store.js';
import type { Database } from './database.js';
import type { Partitions } from './partitions.js';
import { insertRecords } from './writer.js';

const OPEN_PAGE = 500;

/** The device is a hash, so two cameras share a lock by chance only, and then wait a moment too long. */
function lockOf(device: Uint8Array): readonly [number, number] {
  const view = new DataView(device.buffer, device.byteOffset, device.byteLength);
  return [view.getInt32(0), view.getInt32(4)];
}

/**
 * Each row is read by a statement of its own on the primary, outside any longer transaction, so that it sees what is
 * committed at that moment, whatever isolation the server has as its default.
 */
export function postgresClaims(database: Database, partitions: Partitions): ClaimStore {
  const rowsOf = async (text: string, values: readonly unknown[]): Promise<ClaimRow[]> =>
    (await database.rows<ClaimColumns>(text, values)).map(claimRow);

  async function* openRows(): AsyncGenerator<ClaimRow> {
    let last: { readonly device: Uint8Array; readonly epoch: number } = { device: new Uint8Array(0), epoch: 0 };
    for (;;) {
      const page = await rowsOf(
        `SELECT * FROM claim WHERE (device, epoch) > ($1, $2) AND state = 'open' ORDER BY device, epoch LIMIT $3`,
        [last.device, last.epoch, OPEN_PAGE],
      );
      yield* page;
      const end = page.at(-1);
      if (end === undefined) return;
      last = end;
    }
  }

  return {
    row: async (device, epoch) =>
      (await rowsOf('SELECT * FROM claim WHERE device = $1 AND epoch = $2', [device, epoch]))[0],
    latest: async (device) =>
      (await rowsOf('SELECT * FROM claim WHERE device = $1 ORDER BY epoch DESC LIMIT 1', [device]))[0],
    open: () => openRows(),
    readableBy: (key) =>
      rowsOf('SELECT claim.* FROM member JOIN claim USING (device, epoch) WHERE key = $1 ORDER BY device, epoch', [
        key,
      ]),
    isMember: async (device, epoch, key) => {
      const found = await database.rows('SELECT 1 FROM member WHERE key = $1 AND device = $2 AND epoch = $3', [
        key,
        device,
        epoch,
      ]);
      return found.length > 0;
    },
    accept: async (claim, accept, atMs) => {
      await partitions.forBodies(atMs);
      const { device, epoch, account, recipients } = claim.value;
      return database.transaction('READ COMMITTED', async (session): Promise<PutOutcome> => {
        // Two claims of one camera take turns, at whatever workers they are; those of other cameras do not wait.
        await session.rows('SELECT pg_advisory_xact_lock($1, $2)', lockOf(device));
        const insert = async (): Promise<PutOutcome> => {
          const [outcome] = await insertRecords(session, [{ record: accept, media: [], atMs }]);
          return outcome ?? { outcome: 'equivocation' };
        };
        const known = await session.rows<ClaimColumns>('SELECT * FROM claim WHERE device = $1 AND epoch >= $2', [
          device,
          epoch,
        ]);
        const same = known.find((row) => row.epoch === epoch);
        if (same !== undefined) return equal(same.claim_hash, claim.hash) ? insert() : { outcome: 'equivocation' };
        if (known.length > 0) return { outcome: 'equivocation' };
        await session.execute(
          `INSERT INTO claim (device, epoch, account, claim_hash, claim, state, accepted_at_ms)
           VALUES ($1, $2, $3, $4, $5, 'open', $6)`,
          [device, epoch, account, claim.hash, claim.bytes, atMs],
        );
        for (const { ed25519 } of recipients) {
          await session.execute('INSERT INTO member (key, device, epoch) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
            ed25519,
            device,
            epoch,
          ]);
        }
        await session.execute('DELETE FROM pending_claim WHERE device = $1', [device]);
        return insert();
      });
    },
    close: async (device, epoch, seq) => {
      await database.execute(
        "UPDATE claim SET state = 'closed', closed_at_seq = $1 WHERE device = $2 AND epoch = $3 AND state = 'open'",
        [seq, device, epoch],
      );
    },
    putOffer: async (device, bytes, atMs) => {
      await database.execute(
        `INSERT INTO offer (device, offer, at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (device) DO UPDATE SET offer = excluded.offer, at_ms = excluded.at_ms`,
        [device, bytes, atMs],
      );
    },
    offer: async (device) => {
      const [row] = await database.rows<{ readonly offer: Uint8Array; readonly at_ms: number }>(
        'SELECT offer, at_ms FROM offer WHERE device = $1',
        [device],
      );
      return row === undefined ? undefined : { offer: row.offer, atMs: row.at_ms };
    },
    putPending: async (device, { claim, mac, nonce, atMs }) => {
      await database.execute(
        `INSERT INTO pending_claim (device, claim, mac, nonce, at_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (device) DO UPDATE
         SET claim = excluded.claim, mac = excluded.mac, nonce = excluded.nonce, at_ms = excluded.at_ms`,
        [device, claim, mac, nonce, atMs],
      );
    },
    pending: async (device) => {
      const [row] = await database.rows<Omit<PendingClaim, 'atMs'> & { readonly at_ms: number }>(
        'SELECT claim, mac, nonce, at_ms FROM pending_claim WHERE device = $1',
        [device],
      );
      if (row === undefined) return undefined;
      const { claim, mac, nonce } = row;
      return { claim, mac, nonce, atMs: row.at_ms };
    },
    dropPending: async (device) => {
      await database.execute('DELETE FROM pending_claim WHERE device = $1', [device]);
    },
  };
}
