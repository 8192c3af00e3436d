import { describe, expect, it } from 'vitest';
import { inOrder, moved } from '../../../../app/core/camera-order.js';

describe('the order of cameras', () => {
  it('is the household’s, and who has no place in it follows as it came', () => {
    const places = new Map([
      ['b', 1],
      ['c', 0],
    ]);
    const cameras = ['a', 'b', 'c', 'd'].map((device) => ({ device }));
    const names = inOrder(cameras, (device) => places.get(device) ?? null).map(({ device }) => device);
    expect(names).toEqual(['c', 'b', 'a', 'd']);
    expect(inOrder(cameras, () => null)).toEqual(cameras);
  });

  it('changes by one place, and not beyond its ends', () => {
    expect(moved(['a', 'b', 'c'], 'c', -1)).toEqual(['a', 'c', 'b']);
    expect(moved(['a', 'b', 'c'], 'a', 1)).toEqual(['b', 'a', 'c']);
    expect(moved(['a', 'b'], 'a', -1)).toEqual(['a', 'b']);
    expect(moved(['a', 'b'], 'b', 1)).toEqual(['a', 'b']);
    expect(moved(['a', 'b'], 'x', 1)).toEqual(['a', 'b']);
  });
});
