import { equal, fromHex, toHex } from '../../../common/bytes.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import type { CloudStore, StoredRecord } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
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
  /** Records that a camera made and that are neither stored nor still in its outbox; and pictures and segments likewise. */
  readonly lost: number;
  /** Records, and bodies of segments, still in an outbox when the drill ended. */
  readonly waiting: number;
  /** Records that ingest refused in the storm and stored later. */
  readonly delayed: number;
  /** Key records in our store, and those of them that came later. */
  readonly key_records: number;
  readonly keys_delayed: number;
  /** Segments of clips whose bodies are stored. */
  readonly segments: number;
}

/** Compares our store with what the cameras counted and the households claimed. */
export async function judgeStore(
  { store, bodies }: { readonly store: CloudStore; readonly bodies: Pick<MediaStore, 'get'> | null },
  truth: Truth,
  cameras: readonly Pick<CameraReport, 'device' | 'totals' | 'waiting' | 'segments'>[],
  refused: ReadonlySet<string>,
): Promise<Bound> {
  const bound = {
    records: 0,
    misbound: 0,
    lost: 0,
    waiting: 0,
    delayed: 0,
    key_records: 0,
    keys_delayed: 0,
    segments: 0,
  };
  for (const { device, totals, waiting, segments } of cameras) {
    const id = fromHex(device, 32) ?? new Uint8Array(32);
    const row = await store.claims.row(id, 1);
    const account = truth.get(device) ?? '';
    const stored = await store.records.page(id, 1, 1e9, 1e6);
    bound.records += stored.length;
    bound.waiting += waiting.length + segments.queued;
    bound.lost += totals.lost + totals.quarantined + segments.lost;
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
    const present = bodies === null ? 0 : await presentSegments(bodies, stored);
    bound.segments += present;
    bound.lost += Math.max(0, segments.produced - segments.lost - segments.queued - present);
  }
  return bound;
}

/** Returns how many bodies that these records name lie in the media store where they are asked for, and are those. */
async function presentSegments(bodies: Pick<MediaStore, 'get'>, records: readonly StoredRecord[]): Promise<number> {
  let present = 0;
  for (const { bytes, device } of records) {
    const { epoch, clip } = openSigned(anyRecordKind, nodeSuite, bytes).value;
    for (const [, , , bodyHash] of clip?.segments ?? []) {
      const body = await bodies.get({ device, epoch, bodyHash });
      if (body !== undefined && equal(nodeSuite.sha256(body), bodyHash)) present++;
    }
  }
  return present;
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
  /** Segments of the clips of those events, and those that another camera's row was given for: likewise. */
  readonly segments: number;
  /** Accounts that were shown another account's event. */
  readonly accounts_affected: number;
  /** Accounts whose event was shown to another account. */
  readonly accounts_exposed: number;
}

/** What the owners' own keys open: ids of pictures, and hashes of the bodies of segments. */
export interface Real {
  readonly pictures: Pick<ReadonlySet<string>, 'has'>;
  readonly segments: Pick<ReadonlySet<string>, 'has'>;
}

/** A body that came while the store answered with the row of another segment. */
export interface CrossedUpload {
  readonly device: string;
  /** The camera of that row, under which who believes it files the body. */
  readonly instead: string;
  readonly bodyHash: string;
}

/** Counts what the control filed under wrong accounts. An event that was sent again and filed twice counts once. */
export function judgeControl(
  filed: readonly Filed[],
  uploads: readonly CrossedUpload[],
  truth: Truth,
  { pictures, segments }: Real,
): Leak {
  const events = new Set<string>();
  const misbound = new Set<string>();
  const leaked = new Set<string>();
  const affected = new Set<string>();
  const exposed = new Set<string>();
  const watched = new Set<string>();
  for (const { device, seq, account, pictures: ids, segments: hashes } of filed) {
    const key = `${device}/${String(seq)}`;
    events.add(key);
    const owner = truth.get(device);
    if (owner === undefined || owner === account) continue;
    misbound.add(key);
    affected.add(account);
    exposed.add(owner);
    for (const id of ids) if (pictures.has(id)) leaked.add(id);
    for (const hash of hashes) if (segments.has(hash)) watched.add(hash);
  }
  for (const { device, instead, bodyHash } of uploads) {
    if (truth.get(device) !== truth.get(instead) && segments.has(bodyHash)) watched.add(bodyHash);
  }
  return {
    events: events.size,
    misbound: misbound.size,
    decryptable: leaked.size,
    segments: watched.size,
    accounts_affected: affected.size,
    accounts_exposed: exposed.size,
  };
}
