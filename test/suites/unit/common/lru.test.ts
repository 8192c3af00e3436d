import { describe, expect, it } from 'vitest';
import { Lru } from '../../../../common/lru.js';

describe('the entries used last', () => {
  it('stay, and the one unused the longest goes', () => {
    const lru = new Lru<string, number | null>(2);
    lru.set('a', 1);
    lru.set('b', null);
    expect(lru.get('a')).toBe(1);
    lru.set('c', 3);
    expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3]);
  });

  it('are never all thrown away at once', () => {
    const lru = new Lru<number, number>(100);
    for (let key = 0; key < 1000; key++) lru.set(key, key);
    const kept = Array.from({ length: 1000 }, (_, key) => key).filter((key) => lru.get(key) !== undefined);
    expect(kept).toEqual(Array.from({ length: 100 }, (_, i) => 900 + i));
  });

  it('are replaced under the same key without pushing out another', () => {
    const lru = new Lru<string, number>(2);
    lru.set('a', 1);
    lru.set('b', 2);
    lru.set('b', 3);
    expect([lru.get('a'), lru.get('b')]).toEqual([1, 3]);
  });
});
