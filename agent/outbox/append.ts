import { equal } from '../../common/bytes.js';
import type { AnyRecord, LossReason, RecordTime } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { KeyRecordMedia } from '../../protocol/seal/period.js';
import { enforceLimits } from './limits.js';
import type { OutboxStore, RecordContent, SealedMedia } from './store.js';

/**
 * Signs and stores one record of the open epoch, then enforces the limits. Returns null, and counts a loss, if the media was
 * sealed for another claim.
 *
 * @throws SealcamError `unclaimed`, `store-full`, `store-unavailable`
 */
export function append(
  store: OutboxStore,
  content: RecordContent,
  media: readonly SealedMedia[] = [],
  sealedFor?: Uint8Array,
): Verified<AnyRecord> | null {
  return store.transaction(() => {
    const epoch = store.signingEpoch();
    if (sealedFor !== undefined && !equal(sealedFor, new Uint8Array(epoch.claim_hash))) {
      store.losses.addCount(epoch.epoch, 'claim-changed', 1);
      return null;
    }
    const record = store.insert(epoch, content, media);
    enforceLimits(store, content.time);
    return record;
  });
}

/** A period's key record, with the id of its object. */
export interface NewPeriod extends KeyRecordMedia {
  /** 16 bytes. */
  readonly mediaId: Uint8Array;
}

/**
 * Signs and stores a key record with its object. From then on the period may be used. Returns null, and stores nothing, if its
 * claim is no longer the current one.
 *
 * @throws SealcamError `unclaimed`, `store-full`, `store-unavailable`
 */
export function appendKey(
  store: OutboxStore,
  { periodId, commit, sealed, mediaId }: NewPeriod,
  claimHash: Uint8Array,
  time: RecordTime,
): Verified<AnyRecord> | null {
  return store.transaction(() => {
    const epoch = store.signingEpoch();
    if (!equal(claimHash, new Uint8Array(epoch.claim_hash))) return null;
    const media = {
      id: mediaId,
      role: 'key',
      length: sealed.body.length,
      bodyHash: store.sha256(sealed.body),
      headerHash: store.sha256(sealed.header),
    } as const;
    const record = store.insert(epoch, { kind: 'key', time, key: { periodId, commit } }, [{ media, sealed }]);
    enforceLimits(store, time);
    return record;
  });
}

/** Appends a record that names `count` losses of a reason and the pending ones. Returns null without an epoch that signs. */
export function appendWithLoss(
  store: OutboxStore,
  content: Omit<RecordContent, 'loss'>,
  reason: LossReason,
  count: number,
): Verified<AnyRecord> | null {
  return store.transaction(() => {
    const epoch = store.queries.openEpoch.get();
    if (epoch === undefined) return null;
    store.losses.addCount(epoch.epoch, reason, count);
    const loss = store.losses.claimForRecord(epoch.epoch, epoch.head_seq + 1);
    return append(store, { ...content, loss });
  });
}

/** Adds losses without a seq to the open epoch, if there is one. */
export function countLoss(store: OutboxStore, reason: LossReason, count: number): void {
  store.transaction(() => {
    const epoch = store.queries.openEpoch.get();
    if (epoch !== undefined) store.losses.addCount(epoch.epoch, reason, count);
  });
}

/** Appends a gap record that names pending losses. Returns null if none is pending. */
export function flushLosses(store: OutboxStore, time: RecordTime): Verified<AnyRecord> | null {
  return store.transaction(() => {
    const epoch = store.queries.openEpoch.get();
    if (epoch === undefined || store.losses.isEmpty(epoch.epoch)) return null;
    const loss = store.losses.claimForRecord(epoch.epoch, epoch.head_seq + 1);
    return store.insert(epoch, { kind: 'gap', time, loss });
  });
}
