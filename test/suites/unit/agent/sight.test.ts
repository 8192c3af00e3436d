import { describe, expect, it } from 'vitest';
import { SightWatch } from '../../../../agent/capture/sight.js';
import type { LumaPlane } from '../../../../hal/camera.js';

const plane = (level: number, spread: number): LumaPlane => ({
  width: 16,
  height: 9,
  data: Uint8Array.from({ length: 144 }, (_, i) => level + (i === 143 ? spread : 0)),
});
const GOOD = plane(40, 30);

/** Adds attempts 100 ms apart; returns what changed, with its time. */
function watch(attempts: readonly (LumaPlane | null)[]): string[] {
  const sight = new SightWatch();
  return attempts.flatMap((luma, i) => {
    const seen = sight.add(luma, i * 100);
    if (seen.type === 'unchanged') return [];
    const what = seen.type === 'lost' ? `lost: ${seen.reason}` : `regained after ${String(seen.durationMs)}`;
    return [`${what} at ${String(i * 100)}`];
  });
}

const times = <T>(count: number, item: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => item(i));

describe('the sight of a camera', () => {
  it('is lost when most frames cannot be decoded, although one in thirty can', () => {
    expect(watch(times(356, (i) => (i % 36 === 0 ? GOOD : null)))).toEqual(['lost: undecodable at 400']);
    // The control: one bad frame in thirty.
    expect(watch(times(356, (i) => (i % 30 === 0 ? null : GOOD)))).toEqual([]);
  });

  it('is not lost by a bad first frame, and comes back when most frames can be decoded again', () => {
    expect(watch([null, ...times(50, () => GOOD)])).toEqual([]);
    expect(watch([...times(10, () => null), ...times(40, () => GOOD)])).toEqual([
      'lost: undecodable at 400',
      'regained after 2000 at 2400',
    ]);
  });

  it('is lost while every frame is black, or of any one colour, for half a minute', () => {
    for (const level of [0, 16, 128, 250]) {
      expect(watch([...times(400, () => plane(level, 3)), GOOD])).toEqual([
        'lost: featureless at 30000',
        'regained after 10000 at 40000',
      ]);
    }
    // The controls: a dark scene with a little noise, and a short while without light.
    expect(watch(times(400, () => plane(8, 4)))).toEqual([]);
    expect(watch([...times(299, () => plane(0, 0)), ...times(100, () => GOOD)])).toEqual([]);
  });
});
