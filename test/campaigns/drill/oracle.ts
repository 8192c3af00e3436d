import { equal, fromHex, toHex } from '../../../common/bytes.js';
import type { CloudStore, StoredRecord } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import type { Filed } from './control.js';
import type { CameraReport } from './fleet-process.js';

/** Which account claimed a camera: hex of the device → hex of the account. What the drill itself did, and no table says. */
export type Truth = ReadonlyMap<string, string>;

export interface Bound {
  /** Records in our store. */
  readonly records: number;
  /** Of them: not of the camera, account and epoch under which they are filed, or of another account than claimed it. */
  readonly misbound: number;
  /** Records that a camera made and that are neither stored nor still in its queue; and pictures likewise. */
  readonly lost: number;
  /** Still in a queue when the drill ended. */
  readonly waiting: number;
  /** Came later, because the crossed row was refused first. */
  readonly delayed: number;
}

/** Looks at our store from outside, against what the cameras counted and the households claimed. */
export async function judgeStore(
  store: CloudStore,
  truth: Truth,
  cameras: readonly CameraReport[],
  refused: ReadonlySet<string>,
): Promise<Bound> {
  let [records, misbound, lost, waiting, delayed] = [0, 0, 0, 0, 0];
  for (const { device, totals, waiting: queue } of cameras) {
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const row = await store.claims.row(id, 1);
    const account = truth.get(device) ?? '';
    const stored = await store.records.page(id, 1, 1e9, 1e6);
    records += stored.length;
    waiting += queue.length;
    lost += totals.lost + totals.quarantined;
    const here = new Set([...stored.map(({ seq }) => seq), ...queue]);
    for (let seq = 0; seq < totals.produced; seq++) if (!here.has(seq)) lost++;
    for (const one of stored) {
      const { isBound, missingMedia } = await judgeRecord(store, one, account, row?.account);
      if (!isBound) misbound++;
      if (!queue.includes(one.seq)) lost += missingMedia;
      if (refused.has(toHex(nodeSuite.sha256(one.bytes)))) delayed++;
    }
  }
  return { records, misbound, lost, waiting, delayed };
}

async function judgeRecord(
  store: CloudStore,
  stored: StoredRecord,
  account: string,
  rowAccount: Uint8Array | undefined,
): Promise<{ readonly isBound: boolean; readonly missingMedia: number }> {
  const { value } = openSigned(recordKind, nodeSuite, stored.bytes);
  const isBound =
    equal(value.device, stored.device) &&
    value.epoch === stored.epoch &&
    toHex(value.account) === account &&
    rowAccount !== undefined &&
    toHex(rowAccount) === account;
  const ids = (value.media ?? []).map(({ id }) => id);
  const present = await store.records.mediaPresent(value.device, value.epoch, ids);
  return { isBound, missingMedia: present.filter((isThere) => !isThere).length };
}

export interface Leak {
  /** Events that the control filed. */
  readonly events: number;
  /** Of them: under an account that did not claim the camera. */
  readonly misbound: number;
  /** Their pictures, each proved to be one: its owner's key opens it. In the control's world no key is needed. */
  readonly decryptable: number;
  /** Accounts that were given somebody else's event. */
  readonly accounts_affected: number;
  /** Accounts whose event somebody else was given. */
  readonly accounts_exposed: number;
}

/** An event that the control filed more than once, because it was sent again, counts once. */
export function judgeControl(filed: readonly Filed[], truth: Truth, pictures: ReadonlySet<string>): Leak {
  const events = new Set<string>();
  const misbound = new Set<string>();
  const leaked = new Set<string>();
  const affected = new Set<string>();
  const exposed = new Set<string>();
  for (const { device, seq, account, pictures: ids } of filed) {
    const key = `${device}/${String(seq)}`;
    events.add(key);
    const owner = truth.get(device);
    if (owner === undefined || owner === account) continue;
    misbound.add(key);
    affected.add(account);
    exposed.add(owner);
    for (const id of ids) if (pictures.has(id)) leaked.add(id);
  }
  return {
    events: events.size,
    misbound: misbound.size,
    decryptable: leaked.size,
    accounts_affected: affected.size,
    accounts_exposed: exposed.size,
  };
}
