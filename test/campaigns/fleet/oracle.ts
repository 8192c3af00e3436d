import { equal, fromHex, toHex } from '../../../common/bytes.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import type { Made } from './load-process.js';

export interface Judged {
  readonly records: number;
  /** Made by a camera and not in the store, or without their picture. */
  readonly lost: number;
  /** In the store more than once, or never made. */
  readonly doubled: number;
  /** Filed under another camera, epoch or account than made and claimed it. */
  readonly misbound: number;
  /** Nothing of all this is one. */
  readonly alarms: number;
}

/** Looks into the store from outside, against what the cameras made. */
export async function judge(store: CloudStore, made: readonly Made[]): Promise<Judged> {
  let [records, lost, doubled, misbound] = [0, 0, 0, 0];
  for (const { device, account, hashes } of made) {
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const row = await store.claims.row(id, 1);
    const stored = await store.records.page(id, 1, 1e9, 1e6);
    records += stored.length;
    const wanted = new Set(hashes);
    for (const one of stored) {
      const { value, hash } = openSigned(recordKind, nodeSuite, one.bytes);
      const isBound =
        equal(value.device, id) && value.epoch === 1 && row !== undefined && toHex(row.account) === account;
      if (!isBound || toHex(value.account) !== account) misbound++;
      if (!wanted.delete(toHex(hash))) doubled++;
      const ids = (value.media ?? []).map(({ id: media }) => media);
      lost += (await store.records.mediaPresent(id, 1, ids)).filter((isThere) => !isThere).length;
    }
    lost += wanted.size;
  }
  return { records, lost, doubled, misbound, alarms: (await store.alarms.since(0, 1e6)).length };
}
