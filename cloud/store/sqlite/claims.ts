import { equal } from '../../../common/bytes.js';
import { insertRecord } from './records.js';
import { claimRow, type ClaimColumns } from '../rows.js';
import type { ClaimRow, ClaimStore, PutOutcome } from '../store.js';
import type { Database } from './database.js';

const OPEN_PAGE = 500;

type Guard = <T>(run: () => T) => Promise<T>;

export function sqliteClaims(db: Database, guard: Guard): ClaimStore {
  const one = db.prepare<unknown[], ClaimColumns>('SELECT * FROM claim WHERE device = ? AND epoch = ?');
  const latest = db.prepare<unknown[], ClaimColumns>(
    'SELECT * FROM claim WHERE device = ? ORDER BY epoch DESC LIMIT 1',
  );
  const readable = db.prepare<unknown[], ClaimColumns>(
    'SELECT claim.* FROM member JOIN claim USING (device, epoch) WHERE key = ? ORDER BY device, epoch',
  );
  const openAfter = db.prepare<unknown[], ClaimColumns>(
    "SELECT * FROM claim WHERE (device, epoch) > (?, ?) AND state = 'open' ORDER BY device, epoch LIMIT ?",
  );
  const member = db.prepare('SELECT 1 FROM member WHERE key = ? AND device = ? AND epoch = ?');
  const insert = db.prepare(
    `INSERT INTO claim (device, epoch, account, claim_hash, claim, state, accepted_at_ms)
     VALUES (?, ?, ?, ?, ?, 'open', ?)`,
  );
  const insertMember = db.prepare('INSERT OR IGNORE INTO member (key, device, epoch) VALUES (?, ?, ?)');
  const close = db.prepare(
    "UPDATE claim SET state = 'closed', closed_at_seq = ? WHERE device = ? AND epoch = ? AND state = 'open'",
  );
  const putOffer = db.prepare('INSERT OR REPLACE INTO offer (device, offer, at_ms) VALUES (?, ?, ?)');
  const offer = db.prepare<unknown[], { readonly offer: Uint8Array; readonly at_ms: number }>(
    'SELECT offer, at_ms FROM offer WHERE device = ?',
  );
  const putPending = db.prepare(
    'INSERT OR REPLACE INTO pending_claim (device, claim, mac, nonce, at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const pending = db.prepare<
    unknown[],
    { readonly claim: Uint8Array; readonly mac: Uint8Array | null; readonly nonce: Uint8Array; readonly at_ms: number }
  >('SELECT claim, mac, nonce, at_ms FROM pending_claim WHERE device = ?');
  const dropPending = db.prepare('DELETE FROM pending_claim WHERE device = ?');

  async function* openRows(): AsyncGenerator<ClaimRow> {
    let last: { readonly device: Uint8Array; readonly epoch: number } = { device: new Uint8Array(0), epoch: 0 };
    for (;;) {
      const { device, epoch } = last;
      const page = await guard(() => openAfter.all(device, epoch, OPEN_PAGE).map(claimRow));
      yield* page;
      const end = page.at(-1);
      if (end === undefined) return;
      last = end;
    }
  }

  return {
    row: (device, epoch) =>
      guard(() => {
        const columns = one.get(device, epoch);
        return columns === undefined ? undefined : claimRow(columns);
      }),
    latest: (device) =>
      guard(() => {
        const columns = latest.get(device);
        return columns === undefined ? undefined : claimRow(columns);
      }),
    open: () => openRows(),
    readableBy: (key) => guard(() => readable.all(key).map(claimRow)),
    isMember: (device, epoch, key) => guard(() => member.get(key, device, epoch) !== undefined),
    accept: (claim, accept, atMs) =>
      guard(() =>
        db
          .transaction((): PutOutcome => {
            const { device, epoch, account, recipients } = claim.value;
            const known = one.get(device, epoch);
            if (known !== undefined) {
              const isSame = equal(new Uint8Array(known.claim_hash), claim.hash);
              return isSame ? insertRecord(db, accept, [], atMs) : { outcome: 'equivocation' };
            }
            const last = latest.get(device);
            if (last !== undefined && last.epoch >= epoch) return { outcome: 'equivocation' };
            insert.run(device, epoch, account, claim.hash, claim.bytes, atMs);
            for (const { ed25519 } of recipients) insertMember.run(ed25519, device, epoch);
            dropPending.run(device);
            return insertRecord(db, accept, [], atMs);
          })
          .immediate(),
      ),
    close: (device, epoch, seq) => guard(() => void close.run(seq, device, epoch)),
    putOffer: (device, bytes, atMs) => guard(() => void putOffer.run(device, bytes, atMs)),
    offer: (device) =>
      guard(() => {
        const row = offer.get(device);
        return row === undefined ? undefined : { offer: new Uint8Array(row.offer), atMs: row.at_ms };
      }),
    putPending: (device, { claim, mac, nonce, atMs }) =>
      guard(() => void putPending.run(device, claim, mac, nonce, atMs)),
    pending: (device) =>
      guard(() => {
        const row = pending.get(device);
        if (row === undefined) return undefined;
        return {
          claim: new Uint8Array(row.claim),
          mac: row.mac === null ? null : new Uint8Array(row.mac),
          nonce: new Uint8Array(row.nonce),
          atMs: row.at_ms,
        };
      }),
    dropPending: (device) => guard(() => void dropPending.run(device)),
  };
}
