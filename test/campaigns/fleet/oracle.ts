import { fromHex } from '../../../common/bytes.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { inspectStored } from '../common/stored-record.js';
import type { Made } from './load-process.js';

export interface Judged {
  /** Records in the store. */
  readonly records: number;
  /** Records and pictures that a camera made and the store does not have. */
  readonly lost: number;
  /** Records that are in the store more than once, or that no camera made. */
  readonly doubled: number;
  /** Records that are filed under another camera, epoch or account than made and claimed them. */
  readonly misbound: number;
  /** Alarms of the cloud; no fault of a fleet may raise one. */
  readonly alarms: number;
}

/** Compares the store with what the cameras made. */
export async function judge(store: CloudStore, made: readonly Made[]): Promise<Judged> {
  let records = 0;
  let lost = 0;
  let doubled = 0;
  let misbound = 0;
  for (const { device, account, hashes } of made) {
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const row = await store.claims.row(id, 1);
    const stored = await store.records.page(id, 1, 1e9, 1e6);
    records += stored.length;
    const missing = new Set(hashes);
    for (const one of stored) {
      const { hash, isBound, missingMedia } = await inspectStored(store, one, account, row?.account);
      if (!isBound) misbound++;
      if (!missing.delete(hash)) doubled++;
      lost += missingMedia;
    }
    lost += missing.size;
  }
  return { records, lost, doubled, misbound, alarms: (await store.alarms.since(0, 1e6)).length };
}
