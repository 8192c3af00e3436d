import { equal } from '../../common/bytes.js';
import type { LossReason, RecordTime, SealcamRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
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
): Verified<SealcamRecord> | null {
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

/** Appends a record that names `count` losses of a reason and the pending ones. Returns null without an epoch that signs. */
export function appendWithLoss(
  store: OutboxStore,
  content: Omit<RecordContent, 'loss'>,
  reason: LossReason,
  count: number,
): Verified<SealcamRecord> | null {
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
export function flushLosses(store: OutboxStore, time: RecordTime): Verified<SealcamRecord> | null {
  return store.transaction(() => {
    const epoch = store.queries.openEpoch.get();
    if (epoch === undefined || store.losses.isEmpty(epoch.epoch)) return null;
    const loss = store.losses.claimForRecord(epoch.epoch, epoch.head_seq + 1);
    return store.insert(epoch, { kind: 'gap', time, loss });
  });
}
