import { equal } from '../../common/bytes.js';
import type { LossReason, RecordTime, SealcamRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import { enforceLimits } from './limits.js';
import type { OutboxStore, RecordContent, SealedMedia } from './store.js';

/** See {@link Outbox.append}. */
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

/** See {@link Outbox.appendWithLoss}. */
export function appendWithLoss(
  store: OutboxStore,
  content: Omit<RecordContent, 'loss'>,
  reason: LossReason,
  count: number,
): Verified<SealcamRecord> | null {
  return store.transaction(() => {
    const epoch = store.queries.openEpoch.get();
    if (epoch === undefined || epoch.stopped === 1) return null;
    store.losses.addCount(epoch.epoch, reason, count);
    const loss = store.losses.claimForRecord(epoch.epoch, epoch.head_seq + 1);
    return append(store, { ...content, loss });
  });
}

/** See {@link Outbox.countLoss}. */
export function countLoss(store: OutboxStore, reason: LossReason, count: number): void {
  store.transaction(() => {
    const epoch = store.queries.openEpoch.get();
    if (epoch !== undefined) store.losses.addCount(epoch.epoch, reason, count);
  });
}

/** See {@link Outbox.flushLosses}. */
export function flushLosses(store: OutboxStore, time: RecordTime): Verified<SealcamRecord> | null {
  return store.transaction(() => {
    const epoch = store.queries.openEpoch.get();
    if (epoch === undefined || epoch.stopped === 1 || store.losses.isEmpty(epoch.epoch)) return null;
    const loss = store.losses.claimForRecord(epoch.epoch, epoch.head_seq + 1);
    return store.insert(epoch, { kind: 'gap', time, loss });
  });
}
