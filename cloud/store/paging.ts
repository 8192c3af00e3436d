import { toHex } from '../../common/bytes.js';
import { accessEntry, type AccessColumns } from './rows.js';
import type { ClaimRow, EpochKey, ExportItem, NewMedia, StoredRecord } from './store.js';

const CLAIMS_PER_PAGE = 500;
const EXPORT_ITEMS_PER_PAGE = 200;

/** Iterates over claim rows in the order of their key, reading the rows after a key one page at a time. */
export async function* eachClaim(
  readAfter: (last: EpochKey, limit: number) => Promise<readonly ClaimRow[]>,
): AsyncGenerator<ClaimRow> {
  let last: EpochKey = { device: new Uint8Array(0), epoch: 0 };
  for (;;) {
    const page = await readAfter(last, CLAIMS_PER_PAGE);
    yield* page;
    const end = page.at(-1);
    if (end === undefined) return;
    last = end;
  }
}

/** What an engine reads for the export of an account. */
export interface ExportSource {
  readClaims(account: Uint8Array): Promise<readonly ClaimRow[]>;
  /** Records of the epoch with a seq above `seq`, ascending. */
  readRecords(key: EpochKey, seq: number, limit: number): Promise<readonly StoredRecord[]>;
  readMedia(key: EpochKey, seq: number): Promise<readonly NewMedia[]>;
  /** Lines of the access log of the epoch with an id above `id`, ascending. */
  readAccess(key: EpochKey, id: number, limit: number): Promise<readonly AccessColumns[]>;
}

/** Iterates over everything of an account: each claim, then its records with their media, then its access log. */
export async function* exportAccount(source: ExportSource, account: Uint8Array): AsyncGenerator<ExportItem> {
  for (const row of await source.readClaims(account)) {
    yield { type: 'claim', row };
    let seq = -1;
    for (let isMore = true; isMore;) {
      const page = await source.readRecords(row, seq, EXPORT_ITEMS_PER_PAGE);
      for (const record of page) {
        seq = record.seq;
        yield { type: 'record', record, media: await source.readMedia(row, record.seq) };
      }
      isMore = page.length === EXPORT_ITEMS_PER_PAGE;
    }
    let id = 0;
    for (let isMore = true; isMore;) {
      const page = await source.readAccess(row, id, EXPORT_ITEMS_PER_PAGE);
      for (const line of page) {
        id = line.id;
        yield { type: 'access', entry: accessEntry(line) };
      }
      isMore = page.length === EXPORT_ITEMS_PER_PAGE;
    }
  }
}

/**
 * Returns up to `limit` accounts in the order of their ids, from `from` on and once around. `next` returns the first
 * account above an id that is wanted.
 */
export async function sampleAccounts(
  next: (after: Uint8Array) => Promise<Uint8Array | undefined>,
  from: Uint8Array,
  limit: number,
): Promise<readonly Uint8Array[]> {
  const found = new Map<string, Uint8Array>();
  let after = from;
  for (let hasWrapped = false; found.size < limit;) {
    const account = await next(after);
    if (account === undefined) {
      if (hasWrapped) break;
      hasWrapped = true;
      after = new Uint8Array(0);
      continue;
    }
    if (found.has(toHex(account))) break;
    found.set(toHex(account), account);
    after = account;
  }
  return [...found.values()];
}

/** The order in which rows are listed: by camera, then by epoch. */
export function byEpoch(a: EpochKey, b: EpochKey): number {
  return Buffer.compare(a.device, b.device) || a.epoch - b.epoch;
}
