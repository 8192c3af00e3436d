import type {
  AccessEntry,
  AccessLine,
  AccessLook,
  ClaimRow,
  ReadsChange,
  ReadsPause,
  StoredOffer,
  StoredRecord,
  StoredRevocation,
} from './store.js';
import type { AccountMark, StoredDeletion } from './statement-store.js';

/** Columns that both engines name alike, and the values that the store makes of them. Bytes are copied. */

export interface ClaimColumns {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly account: Uint8Array;
  readonly claim_hash: Uint8Array;
  readonly claim: Uint8Array | null;
  readonly state: 'open' | 'closed' | 'revoked';
  readonly closed_at_seq: number | null;
  readonly accepted_at_ms: number;
  readonly version: ClaimRow['version'];
}

export function claimRow(columns: ClaimColumns): ClaimRow {
  return {
    device: new Uint8Array(columns.device),
    epoch: columns.epoch,
    account: new Uint8Array(columns.account),
    claimHash: new Uint8Array(columns.claim_hash),
    claim: bytesOrNull(columns.claim),
    state: columns.state,
    closedAtSeq: columns.closed_at_seq,
    acceptedAtMs: columns.accepted_at_ms,
    version: columns.version,
  };
}

export interface OfferColumns {
  readonly offer: Uint8Array;
  readonly offer_v2: Uint8Array | null;
  readonly at_ms: number;
}

export function storedOffer({ offer, offer_v2: offerV2, at_ms: atMs }: OfferColumns): StoredOffer {
  const both = offerV2 === null ? {} : { offerV2: new Uint8Array(offerV2) };
  return { offer: new Uint8Array(offer), ...both, atMs };
}

export interface AccessColumns {
  readonly id: number;
  readonly at_ms: number;
  readonly reader: Uint8Array;
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly what: AccessEntry['what'];
  readonly from_seq: number | null;
  readonly to_seq: number | null;
  readonly media_id: Uint8Array | null;
  readonly look_session: Uint8Array | null;
  readonly look_bytes: number | null;
  readonly look_seconds: number | null;
}

export function accessEntry(columns: AccessColumns): AccessEntry {
  return {
    atMs: columns.at_ms,
    reader: new Uint8Array(columns.reader),
    device: new Uint8Array(columns.device),
    epoch: columns.epoch,
    what: columns.what,
    fromSeq: columns.from_seq,
    toSeq: columns.to_seq,
    mediaId: bytesOrNull(columns.media_id),
    ...(columns.look_session === null ? {} : { look: accessLook(columns, columns.look_session) }),
  };
}

function accessLook(
  { look_bytes: bytes, look_seconds: seconds }: Pick<AccessColumns, 'look_bytes' | 'look_seconds'>,
  session: Uint8Array,
): AccessLook {
  return { session: new Uint8Array(session), end: bytes === null || seconds === null ? null : { bytes, seconds } };
}

/** Returns the columns of a look, in the order of {@link LOOK_COLUMNS}. */
export function lookColumns({ look }: AccessEntry): readonly [Uint8Array | null, number | null, number | null] {
  return [look?.session ?? null, look?.end?.bytes ?? null, look?.end?.seconds ?? null];
}

export const LOOK_COLUMNS = 'look_session, look_bytes, look_seconds';

/** Condition that a line of the access log is the beginning of a look. */
export const IS_LOOK = "what = 'look' AND look_bytes IS NULL";

export function accessLine(columns: AccessColumns): AccessLine {
  return { id: columns.id, ...accessEntry(columns) };
}

/** Milliseconds of a UTC day, by which the access log is archived. */
export const DAY_MS = 86_400_000;

export interface RecordColumns extends Omit<StoredRecord, 'receivedAtMs'> {
  readonly received_at_ms: number;
}

export function storedRecord(columns: RecordColumns): StoredRecord {
  return {
    id: columns.id,
    device: new Uint8Array(columns.device),
    epoch: columns.epoch,
    seq: columns.seq,
    hash: new Uint8Array(columns.hash),
    bytes: new Uint8Array(columns.bytes),
    receivedAtMs: columns.received_at_ms,
  };
}

export interface RevocationColumns {
  readonly list_version: number;
  readonly list: Uint8Array;
  readonly stored_at_ms: number;
}

export function storedRevocation(columns: RevocationColumns): StoredRevocation {
  return { list: new Uint8Array(columns.list), storedAtMs: columns.stored_at_ms };
}

/** The account column of a pause for everybody. It is empty, so it sorts before every account. */
export const EVERYBODY = new Uint8Array(0);

export interface PauseColumns {
  readonly account: Uint8Array;
  readonly sentence: string;
  readonly since_ms: number;
}

export function readsPause({ account, sentence, since_ms }: PauseColumns): ReadsPause {
  return { account: accountOrNull(account), sentence, sinceMs: since_ms };
}

export interface ChangeColumns {
  readonly at_ms: number;
  readonly action: ReadsChange['action'];
  readonly account: Uint8Array;
  readonly sentence: string | null;
}

export function readsChange({ at_ms, action, account, sentence }: ChangeColumns): ReadsChange {
  return { atMs: at_ms, action, account: accountOrNull(account), sentence };
}

export function bytesOrNull(column: Uint8Array | null): Uint8Array | null {
  return column === null ? null : new Uint8Array(column);
}

function accountOrNull(column: Uint8Array): Uint8Array | null {
  return column.length === 0 ? null : new Uint8Array(column);
}

/** Returns the ranges of seqs that rows of signed losses name. */
export function lossRanges(
  rows: readonly { readonly from_seq: number; readonly to_seq: number }[],
): readonly (readonly [number, number])[] {
  return rows.map(({ from_seq, to_seq }) => [from_seq, to_seq]);
}

export interface DeletionColumns {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly hash: Uint8Array;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly statement: Uint8Array;
  readonly scope: StoredDeletion['scope'];
  readonly state: StoredDeletion['state'];
  readonly erase_at_ms: number;
}

export function storedDeletion(columns: DeletionColumns): StoredDeletion {
  return {
    device: new Uint8Array(columns.device),
    epoch: columns.epoch,
    hash: new Uint8Array(columns.hash),
    fromSeq: columns.from_seq,
    toSeq: columns.to_seq,
    statement: new Uint8Array(columns.statement),
    scope: columns.scope,
    state: columns.state,
    eraseAtMs: columns.erase_at_ms,
  };
}

export interface AccountMarkColumns {
  readonly account: Uint8Array;
  readonly owner_key: Uint8Array;
  readonly erase_at_ms: number;
}

export function accountMark({ account, owner_key, erase_at_ms }: AccountMarkColumns): AccountMark {
  return { account: new Uint8Array(account), ownerKey: new Uint8Array(owner_key), eraseAtMs: erase_at_ms };
}

/**
 * Selects the ranges [lo, hi) of seqs below `@before` that no owner deleted, in any order. A read that starts from them
 * steps over what is deleted, however much that is.
 */
export const VISIBLE_RANGES = `SELECT * FROM
  (SELECT hi, coalesce((SELECT max(to_seq) + 1 FROM deletion_statement
     WHERE device = @device AND epoch = @epoch AND from_seq < hi), 0) AS lo
   FROM (SELECT @before AS hi UNION SELECT from_seq FROM deletion_statement
     WHERE device = @device AND epoch = @epoch AND from_seq < @before) AS ends) AS ranges
  WHERE lo < hi`;

/** Signed losses that are read first; nearly always one of them explains the hole. */
export const NEAREST_LOSSES = 16;

/** Returns the condition that the record of this table or alias is not in a range that its owner deleted. */
export function notDeleted(record: string): string {
  return `NOT EXISTS (SELECT 1 FROM deletion_statement AS gone WHERE gone.device = ${record}.device
    AND gone.epoch = ${record}.epoch AND ${record}.seq BETWEEN gone.from_seq AND gone.to_seq)`;
}

/** Returns the condition that the record of this table or alias is the key record of a period of which something is shown. */
export function isNeededKey(record: string): string {
  return `(${record}.kind = 'key' AND EXISTS (SELECT 1 FROM period AS p JOIN period_use AS used
    ON used.device = p.device AND used.epoch = p.epoch AND used.period_id = p.period_id
    WHERE p.device = ${record}.device AND p.epoch = ${record}.epoch AND p.seq = ${record}.seq AND ${notDeleted('used')}))`;
}

/**
 * Condition that the key record of the period `p` may go by its age or by its owner's deletion: nothing that is stored
 * needs it, and nothing to come can. A camera has at most one more period ready than the one it uses, so with the second
 * later one the period was over; and once a later health record reported an empty queue, all of it has arrived.
 */
export const IS_SPENT_PERIOD = `NOT EXISTS (SELECT 1 FROM period_use AS used
    WHERE used.device = p.device AND used.epoch = p.epoch AND used.period_id = p.period_id)
  AND (SELECT count(*) FROM period AS later WHERE later.device = p.device AND later.epoch = p.epoch AND later.seq > p.seq
    AND later.seq <= (SELECT up_to FROM drained WHERE drained.device = p.device AND drained.epoch = p.epoch)) >= 2`;

/** The condition on a record that it is a key record above what retention deletes and below what stays: the floor stops there. */
export const IS_KEY_BETWEEN = "kind = 'key' AND seq > @lastSeq AND seq < @belowSeq";
