import type { SealedObject } from '../../protocol/seal/seal.js';
import type { MediaRow, RecordRow } from './queries.js';
import { repairKey } from './periods.js';
import { openMedia, openRow, type QueuedRecord } from './queued.js';
import type { OutboxStore } from './store.js';

/**
 * Returns the record of a row with its media, each verified. A record or picture that is corrupted on disk is dropped and
 * added to the pending losses; null if the whole record is.
 */
export function readSound(store: OutboxStore, row: RecordRow, mayRepair = true): QueuedRecord | null {
  const { epoch, seq } = row;
  const record = openRow(row, store);
  const repaired = (): QueuedRecord | null => {
    const again = mayRepair ? repairKey(store, row) : undefined;
    return again === undefined ? null : readSound(store, again, false);
  };
  if (record === null) {
    const whole = repaired();
    if (whole === null) dropCorrupted(store, row);
    return whole;
  }
  // The record names all its objects; those that were dropped since are null.
  const named = record.value.media ?? [];
  const media = named.map((): SealedObject | null => null);
  const isKey = record.value.kind === 'key';
  for (const stored of store.reading(() => store.queries.media.all(epoch, seq))) {
    const { position } = stored;
    const sealed = openMedia(stored, named[position], store);
    if (sealed !== null) {
      media[position] = sealed;
    } else if (isKey) {
      const whole = repaired();
      // A key record without its object opens nothing.
      if (whole === null) dropCorrupted(store, row);
      return whole;
    } else if (store.queries.epoch.get(epoch)?.is_open === 1) {
      dropCorruptedMedia(store, row, stored, named[position]?.id);
    } else {
      // A closed epoch can sign no loss, and a record whose missing picture nobody names is never receipted.
      dropCorrupted(store, row);
      return null;
    }
  }
  return { epoch, seq, hash: record.hash, bytes: record.bytes, media, isClip: record.value.kind === 'clip' };
}

function dropCorrupted(store: OutboxStore, row: RecordRow): void {
  store.transaction(() => {
    store.dropRecord(row, 'corrupt');
  });
}

function dropCorruptedMedia(
  store: OutboxStore,
  { epoch, seq }: RecordRow,
  stored: MediaRow,
  id: Uint8Array | undefined,
): void {
  store.transaction(() => {
    store.queries.deleteOneMedia.run({ epoch, seq, position: stored.position });
    store.queries.addQueued.run(0, -stored.header.length - stored.body.length);
    if (id !== undefined) store.losses.addMedia(epoch, 'corrupt', id, seq);
  });
}
