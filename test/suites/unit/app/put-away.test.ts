import { describe, expect, it } from 'vitest';
import { PutAway } from '../../../../app/core/put-away.js';
import { MemoryStorage } from '../../../../app/core/storage.js';

const RELEASED = { device: 'd', epoch: 1, hasEnded: true };

describe('cameras put away', () => {
  it('stay away on this device until they are shown again', async () => {
    const storage = new MemoryStorage();
    const putAway = new PutAway(storage);
    let changes = 0;
    const unsubscribe = putAway.subscribe(() => changes++);
    await putAway.add(RELEASED);
    const later = new PutAway(storage);
    await later.load();
    expect([putAway.has(RELEASED), later.has(RELEASED)]).toEqual([true, true]);
    await putAway.remove(RELEASED);
    unsubscribe();
    await later.load();
    expect([putAway.has(RELEASED), later.has(RELEASED), changes]).toEqual([false, false, 2]);
  });

  it('are only those whose ownership is over, and not a later ownership', async () => {
    const putAway = new PutAway(new MemoryStorage());
    await putAway.add(RELEASED);
    expect(putAway.has({ ...RELEASED, hasEnded: false })).toBe(false);
    expect(putAway.has({ ...RELEASED, epoch: 2 })).toBe(false);
  });
});
