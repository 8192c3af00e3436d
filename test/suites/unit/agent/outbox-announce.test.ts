import { describe, expect, it } from 'vitest';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { claimed, motion, close, open } from '../../../support/worlds/outbox-world.js';
import { storeOf } from '../../../support/outbox-store.js';
import { tempFolder } from '../../../support/runner/temp.js';

describe('the outbox announces what it appended', () => {
  it('once for each transaction, with every record of it', () => {
    const world = new CameraWorld();
    const opened = open(world, tempFolder());
    const { outbox } = opened;
    const counts: number[] = [];
    outbox.onAppended((count) => counts.push(count));
    const first = world.claim();
    outbox.beginEpoch(first, world.time(0));
    motion(world, outbox, 1);
    outbox.countLoss('failed');
    outbox.flushLosses(world.time(2));
    // Tombstone and accept.
    outbox.beginEpoch(world.claim(2, first.hash), world.time(3));
    outbox.endEpoch('release', world.time(4));
    expect(counts).toEqual([1, 1, 1, 2, 1]);
    close(opened);
  });

  it('not where nothing was appended', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const counts: number[] = [];
    outbox.onAppended((count) => counts.push(count));
    expect(outbox.flushLosses(world.time(1))).toBeNull();
    expect(
      outbox.append({ kind: 'scene', time: world.time(1), scene: { class: 'stall' } }, [], new Uint8Array(32)),
    ).toBe(null);
    outbox.endEpoch('reset', world.time(2));
    outbox.endEpoch('reset', world.time(3));
    expect(counts).toEqual([1]);
    close(opened);
  });

  it('after the commit, and never what was rolled back', () => {
    const world = new CameraWorld();
    const opened = claimed(world, tempFolder());
    const { outbox } = opened;
    const store = storeOf(outbox);
    const seen: { readonly count: number; readonly isInside: boolean }[] = [];
    outbox.onAppended((count) => seen.push({ count, isInside: store.queries.device.database.inTransaction }));
    expect(() => {
      store.transaction(() => {
        motion(world, outbox, 1);
        throw new Error('rolled back');
      });
    }).toThrow('rolled back');
    store.transaction(() => {
      motion(world, outbox, 2);
      try {
        store.transaction(() => {
          motion(world, outbox, 3);
          throw new Error('an inner one');
        });
      } catch {
        // The outer transaction continues.
      }
    });
    expect(seen).toEqual([{ count: 1, isInside: false }]);
    expect(outbox.totals().produced).toBe(2);
    close(opened);
  });
});
