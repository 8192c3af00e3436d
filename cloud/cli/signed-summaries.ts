import { nodeSuite } from '../../protocol/crypto/node.js';
import { epochKey } from '../../protocol/objects/ids.js';
import type { AccessSummary, CloudStore } from '../store/store.js';
import { signedRow, type SignedRow } from '../trust/signed-relation.js';

/** A summary whose relation and account are those of the signed claim, not of the columns. */
export interface SignedSummary extends AccessSummary {
  readonly isMixedUp: boolean;
}

/**
 * Asks the signed claim of each epoch who had a right to it: in a mix-up it is the columns that are wrong, and they would
 * call a stranger the owner. A row that contradicts its claim raises an alarm.
 */
export async function bySignedClaim(
  store: CloudStore,
  found: readonly AccessSummary[],
  atMs: number,
): Promise<readonly SignedSummary[]> {
  const rows = new Map<string, SignedRow>();
  const signed: SignedSummary[] = [];
  for (const summary of found) {
    const { device, epoch, reader } = summary;
    const key = epochKey(device, epoch);
    let row = rows.get(key);
    if (row === undefined) {
      rows.set(key, (row = signedRow(nodeSuite, await store.claims.row(device, epoch))));
      if (row.isMixedUp) await reportMixUp(store, summary, atMs);
    }
    signed.push({ ...summary, relation: row.relationOf(reader), account: row.account, isMixedUp: row.isMixedUp });
  }
  // Array.sort is stable, so the order of the store stays.
  return signed.sort((a, b) => Number(b.relation === 'neither') - Number(a.relation === 'neither'));
}

async function reportMixUp(store: CloudStore, { device, epoch }: AccessSummary, atMs: number): Promise<void> {
  await store.alarms.put({
    atMs,
    place: 'read',
    verdict: 'foreign',
    device,
    epoch,
    reader: null,
    reason: 'the row of this epoch contradicts its signed claim',
    quarantineId: null,
  });
}
