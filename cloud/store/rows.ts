import type { AccessEntry, ClaimRow, StoredRecord } from './store.js';

/** Columns that both engines have under one name, and what the store gives of them. */

export interface ClaimColumns {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly account: Uint8Array;
  readonly claim_hash: Uint8Array;
  readonly claim: Uint8Array | null;
  readonly state: 'open' | 'closed' | 'revoked';
  readonly closed_at_seq: number | null;
  readonly accepted_at_ms: number;
}

export function claimRow(columns: ClaimColumns): ClaimRow {
  return {
    device: new Uint8Array(columns.device),
    epoch: columns.epoch,
    account: new Uint8Array(columns.account),
    claimHash: new Uint8Array(columns.claim_hash),
    claim: columns.claim === null ? null : new Uint8Array(columns.claim),
    state: columns.state,
    closedAtSeq: columns.closed_at_seq,
    acceptedAtMs: columns.accepted_at_ms,
  };
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
}

export function accessEntry(row: AccessColumns): AccessEntry {
  return {
    atMs: row.at_ms,
    reader: new Uint8Array(row.reader),
    device: new Uint8Array(row.device),
    epoch: row.epoch,
    what: row.what,
    fromSeq: row.from_seq,
    toSeq: row.to_seq,
    mediaId: row.media_id === null ? null : new Uint8Array(row.media_id),
  };
}

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
