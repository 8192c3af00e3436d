import { LIMITS } from '../../../common/limits.js';
import { equal, toHex } from '../../../common/bytes.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import { versionOf, type Verified } from '../../../protocol/objects/signed-object.js';
import { INVITED_EPOCHS_MAX, INVITING_ACCOUNTS_MAX, OFFERS_MAX } from '../bounds.js';
import { sqliteOfferedKemKeys } from './offered-kem-keys.js';
import { byEpoch, eachClaim, sampleAccounts } from '../paging.js';
import { kemColumn, kemKeysIn, namedKemKeys } from '../periods.js';
import { bytesOrNull, claimRow, storedOffer, type ClaimColumns, type OfferColumns } from '../rows.js';
import type { ClaimRow, ClaimStore, EpochKey, PendingClaim, PutOutcome, StoredOffer } from '../store.js';
import type { Database, Guard } from './database.js';
import type { InsertRecord } from './insert.js';

interface DeviceKey {
  readonly device: Uint8Array;
}

interface NewClaim extends EpochKey {
  readonly account: Uint8Array;
  readonly claimHash: Uint8Array;
  readonly claim: Uint8Array;
  readonly atMs: number;
  readonly version: number;
}

interface PendingColumns {
  readonly claim: Uint8Array;
  readonly mac: Uint8Array | null;
  readonly kem_keys: Uint8Array | null;
  readonly nonce: Uint8Array;
  readonly at_ms: number;
}

export function sqliteClaims(db: Database, guard: Guard, insertRecord: InsertRecord): ClaimStore {
  const selectOne = db.prepare<EpochKey, ClaimColumns>('SELECT * FROM claim WHERE device = @device AND epoch = @epoch');
  const selectLatest = db.prepare<DeviceKey, ClaimColumns>(
    'SELECT * FROM claim WHERE device = @device ORDER BY epoch DESC LIMIT 1',
  );
  const readable = db.prepare<{ key: Uint8Array }, ClaimColumns>(
    'SELECT claim.* FROM member JOIN claim USING (device, epoch) WHERE key = @key ORDER BY device, epoch',
  );
  const readableOf = db.prepare<{ key: Uint8Array; account: Uint8Array; limit: number }, ClaimColumns>(
    `SELECT claim.* FROM member JOIN claim USING (device, epoch) WHERE key = @key AND member.account = @account
     ORDER BY epoch DESC, device LIMIT @limit`,
  );
  const nextAccount = db.prepare<{ key: Uint8Array; after: Uint8Array }, { readonly account: Uint8Array }>(
    'SELECT account FROM member WHERE key = @key AND account > @after ORDER BY account LIMIT 1',
  );
  const openAfter = db.prepare<EpochKey & { limit: number }, ClaimColumns>(
    `SELECT * FROM claim WHERE (device, epoch) > (@device, @epoch) AND state = 'open'
     ORDER BY device, epoch LIMIT @limit`,
  );
  const member = db.prepare<EpochKey & { key: Uint8Array }>(
    'SELECT 1 FROM member WHERE key = @key AND device = @device AND epoch = @epoch',
  );
  const insert = db.prepare<NewClaim>(
    `INSERT INTO claim (device, epoch, account, claim_hash, claim, state, accepted_at_ms, version)
     VALUES (@device, @epoch, @account, @claimHash, @claim, 'open', @atMs, @version)`,
  );
  const insertMember = db.prepare<EpochKey & { key: Uint8Array; account: Uint8Array; kem: Uint8Array | null }>(
    'INSERT OR IGNORE INTO member (key, device, epoch, account, kem) VALUES (@key, @device, @epoch, @account, @kem)',
  );
  const insertKem = db.prepare<{ hash: Uint8Array; key: Uint8Array }>(
    'INSERT OR IGNORE INTO kem_key (hash, key) VALUES (@hash, @key)',
  );
  const selectKem = db.prepare<{ hash: Uint8Array }, { readonly key: Uint8Array }>(
    'SELECT key FROM kem_key WHERE hash = @hash',
  );
  const close = db.prepare<EpochKey & { seq: number }>(
    `UPDATE claim SET state = 'closed', closed_at_seq = @seq
     WHERE device = @device AND epoch = @epoch AND state = 'open'`,
  );
  const putOffer = db.prepare<DeviceKey & Omit<StoredOffer, 'offerV2'> & { offerV2: Uint8Array | null }>(
    `INSERT OR REPLACE INTO offer (device, offer, offer_v2, at_ms) SELECT @device, @offer, @offerV2, @atMs
     WHERE (SELECT count(*) FROM offer WHERE device <> @device) < ${String(OFFERS_MAX)}`,
  );
  // A time after the window that follows is of a clock that was ahead.
  const dropOffers = db.prepare<{ atMs: number; windowMs: number }>(
    'DELETE FROM offer WHERE at_ms < @atMs - @windowMs OR at_ms > @atMs + @windowMs',
  );
  const dropClaims = db.prepare<{ atMs: number; windowMs: number }>(
    'DELETE FROM pending_claim WHERE at_ms < @atMs - @windowMs OR at_ms > @atMs + @windowMs',
  );
  const selectOffer = db.prepare<DeviceKey, OfferColumns>(
    'SELECT offer, offer_v2, at_ms FROM offer WHERE device = @device',
  );
  const putPending = db.prepare<DeviceKey & Omit<PendingClaim, 'kemKeys'> & { kemKeys: Uint8Array | null }>(
    `INSERT OR REPLACE INTO pending_claim (device, claim, mac, kem_keys, nonce, at_ms)
     VALUES (@device, @claim, @mac, @kemKeys, @nonce, @atMs)`,
  );
  const selectPending = db.prepare<DeviceKey, PendingColumns>(
    'SELECT claim, mac, kem_keys, nonce, at_ms FROM pending_claim WHERE device = @device',
  );
  const dropPending = db.prepare<DeviceKey>('DELETE FROM pending_claim WHERE device = @device');

  function accept(
    claim: Verified<AnyClaim>,
    record: Verified<AnyRecord>,
    atMs: number,
    kemKeys: readonly Uint8Array[],
  ): PutOutcome {
    const { device, epoch, account, recipients } = claim.value;
    const waiting = kemKeysIn(selectPending.get({ device })?.kem_keys ?? null) ?? [];
    const putKemKeys = (): void => {
      for (const { hash, key } of namedKemKeys(claim.value, [...kemKeys, ...waiting])) insertKem.run({ hash, key });
    };
    const known = selectOne.get({ device, epoch });
    if (known !== undefined) {
      if (!equal(new Uint8Array(known.claim_hash), claim.hash)) return { outcome: 'equivocation' };
      // After its account was deleted no member names them.
      if (known.claim !== null) putKemKeys();
      return insertRecord(record, [], atMs);
    }
    const last = selectLatest.get({ device });
    if (last !== undefined && last.epoch >= epoch) return { outcome: 'equivocation' };
    const version = versionOf(claim.value);
    insert.run({ device, epoch, account, claimHash: claim.hash, claim: claim.bytes, atMs, version });
    for (const recipient of recipients) {
      const kem = 'kem' in recipient ? recipient.kem : null;
      insertMember.run({ key: recipient.ed25519, device, epoch, account, kem });
    }
    putKemKeys();
    dropPending.run({ device });
    return insertRecord(record, [], atMs);
  }

  return {
    row: (device, epoch) =>
      guard(() => {
        const columns = selectOne.get({ device, epoch });
        return columns === undefined ? undefined : claimRow(columns);
      }),
    latest: (device) =>
      guard(() => {
        const columns = selectLatest.get({ device });
        return columns === undefined ? undefined : claimRow(columns);
      }),
    open: () =>
      eachClaim(({ device, epoch }, limit) => guard(() => openAfter.all({ device, epoch, limit }).map(claimRow))),
    readableBy: async (key, household) => {
      if (household === undefined) return guard(() => readable.all({ key }).map(claimRow));
      const { accounts, sampleFrom } = household;
      const wanted = new Set(accounts.map(toHex));
      const nextInviting = (from: Uint8Array): Promise<Uint8Array | undefined> =>
        guard(() => {
          for (let after = from; ;) {
            const account = nextAccount.get({ key, after })?.account;
            if (account === undefined || !wanted.has(toHex(account))) return account && new Uint8Array(account);
            after = account;
          }
        });
      const inviting = await sampleAccounts(nextInviting, sampleFrom, INVITING_ACCOUNTS_MAX);
      const rowsOf = (account: Uint8Array, limit: number): readonly ClaimRow[] =>
        readableOf.all({ key, account, limit }).map(claimRow);
      return guard(() =>
        [
          ...accounts.flatMap((account) => rowsOf(account, -1)),
          ...inviting.flatMap((account) => rowsOf(account, INVITED_EPOCHS_MAX)),
        ].sort(byEpoch),
      );
    },
    isMember: (device, epoch, key) => guard(() => member.get({ key, device, epoch }) !== undefined),
    accept: (claim, record, atMs, kemKeys = []) =>
      guard(() => db.transaction(() => accept(claim, record, atMs, kemKeys)).immediate()),
    ...sqliteOfferedKemKeys(db, guard),
    kemKeys: (hashes) => guard(() => hashes.map((hash) => bytesOrNull(selectKem.get({ hash })?.key ?? null))),
    close: (device, epoch, seq) => guard(() => void close.run({ device, epoch, seq })),
    putOffer: (device, { offer, offerV2 = null, atMs }) =>
      guard(() =>
        db
          .transaction(() => {
            dropOffers.run({ atMs, windowMs: LIMITS.claimWindowMs });
            dropClaims.run({ atMs, windowMs: LIMITS.claimWindowMs });
            return putOffer.run({ device, offer, offerV2, atMs }).changes > 0;
          })
          .immediate(),
      ),
    offer: (device) =>
      guard(() => {
        const row = selectOffer.get({ device });
        return row === undefined ? undefined : storedOffer(row);
      }),
    putPending: (device, pending) =>
      guard(() => void putPending.run({ ...pending, kemKeys: kemColumn(pending.kemKeys), device })),
    pending: (device) =>
      guard(() => {
        const row = selectPending.get({ device });
        if (row === undefined) return undefined;
        const kemKeys = kemKeysIn(row.kem_keys);
        return {
          claim: new Uint8Array(row.claim),
          mac: bytesOrNull(row.mac),
          ...(kemKeys === undefined ? {} : { kemKeys }),
          nonce: new Uint8Array(row.nonce),
          atMs: row.at_ms,
        };
      }),
    dropPending: (device) => guard(() => void dropPending.run({ device })),
  };
}
