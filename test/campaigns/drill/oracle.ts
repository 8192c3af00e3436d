import { fromHex, toHex } from '../../../common/bytes.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { inspectStored } from '../common/stored-record.js';
import type { Filed } from './control.js';
import type { CameraReport } from './fleet-process.js';

/**
 * Account that claimed each camera: hex of the device → hex of the account. Kept by the drill itself, not read from a
 * store.
 */
export type Truth = ReadonlyMap<string, string>;

export interface Bound {
  /** Records in our store. */
  readonly records: number;
  /**
   * Records whose camera, account and epoch are not those they are filed under, or whose account did not claim the
   * camera.
   */
  readonly misbound: number;
  /** Records that a camera made and that are neither stored nor still in its outbox; and pictures likewise. */
  readonly lost: number;
  /** Records still in an outbox when the drill ended. */
  readonly waiting: number;
  /** Records that ingest refused in the storm and stored later. */
  readonly delayed: number;
  /** Key records in our store, and those of them that came later. */
  readonly key_records: number;
  readonly keys_delayed: number;
}

/** Compares our store with what the cameras counted and the households claimed. */
export async function judgeStore(
  store: CloudStore,
  truth: Truth,
  cameras: readonly CameraReport[],
  refused: ReadonlySet<string>,
): Promise<Bound> {
  const bound = { records: 0, misbound: 0, lost: 0, waiting: 0, delayed: 0, key_records: 0, keys_delayed: 0 };
  for (const { device, totals, waiting } of cameras) {
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const row = await store.claims.row(id, 1);
    const account = truth.get(device) ?? '';
    const stored = await store.records.page(id, 1, 1e9, 1e6);
    bound.records += stored.length;
    bound.waiting += waiting.length;
    bound.lost += totals.lost + totals.quarantined;
    const here = new Set([...stored.map(({ seq }) => seq), ...waiting]);
    for (let seq = 0; seq < totals.produced; seq++) if (!here.has(seq)) bound.lost++;
    for (const one of stored) {
      const { isBound, missingMedia, kind } = await inspectStored(store, one, account, row?.account);
      if (!isBound) bound.misbound++;
      if (!waiting.includes(one.seq)) bound.lost += missingMedia;
      const isDelayed = refused.has(toHex(nodeSuite.sha256(one.bytes)));
      if (isDelayed) bound.delayed++;
      if (kind !== 'key') continue;
      bound.key_records++;
      if (isDelayed) bound.keys_delayed++;
    }
  }
  return bound;
}

export interface Leak {
  /** Events that the control filed. */
  readonly events: number;
  /** Events filed under an account that did not claim the camera. */
  readonly misbound: number;
  /**
   * Pictures of those events. Each is a real picture: its owner's key opens it. In the control's world no key is
   * needed.
   */
  readonly decryptable: number;
  /** Accounts that were shown another account's event. */
  readonly accounts_affected: number;
  /** Accounts whose event was shown to another account. */
  readonly accounts_exposed: number;
}

/** Counts what the control filed under wrong accounts. An event that was sent again and filed twice counts once. */
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
