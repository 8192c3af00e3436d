import { describe, expect, it } from 'vitest';
import { FrameOrder } from '../../../../agent/capture/frame-order.js';
import { FreezeWatch } from '../../../../agent/capture/freeze.js';
import { SceneLog } from '../../../../agent/capture/scene-log.js';
import { Counters } from '../../../../common/counters.js';
import { silentLog } from '../../../../common/log.js';
import type { Frame } from '../../../../hal/camera.js';
import type { RecordScene } from '../../../../protocol/objects/record.js';

describe('the scene log', () => {
  function recordAll(scenes: readonly (readonly [RecordScene, number])[]): { lines: string[]; counters: Counters } {
    const counters = new Counters();
    const lines: string[] = [];
    const log = new SceneLog({
      counters,
      log: silentLog,
      onRecord: ({ class: name, durationMs }, atMs) => lines.push([name, durationMs ?? '–', atMs].join(' ')),
    });
    for (const [scene, atMs] of scenes) log.recordScene(scene, atMs);
    return { lines, counters };
  }

  it('records a class once a minute, counts it always, and keeps classes apart', () => {
    const lamp = { class: 'illumination' } as const;
    const { lines, counters } = recordAll([
      [lamp, 1000],
      [lamp, 30_000],
      [{ class: 'ir-cut' }, 30_000],
      [lamp, 61_000],
    ]);
    expect(lines).toEqual(['illumination – 1000', 'ir-cut – 30000', 'illumination – 61000']);
    expect(counters.snapshot()).toEqual({ 'scenes.illumination': 3, 'scenes.ir-cut': 1 });
  });

  it('records the end of each beginning that it recorded, also within the minute, and no other end', () => {
    const begin = { class: 'tamper' } as const;
    const end = { class: 'tamper', durationMs: 9000 } as const;
    const { lines, counters } = recordAll([
      [begin, 1000],
      [end, 10_000],
      [begin, 20_000],
      [end, 29_000],
    ]);
    expect(lines).toEqual(['tamper – 1000', 'tamper 9000 10000']);
    expect(counters.get('scenes.tamper')).toBe(2);
  });

  it('records a silence that had no beginning of its own when it is over', () => {
    expect(recordAll([[{ class: 'stall', durationMs: 8000 }, 9000]]).lines).toEqual(['stall 8000 9000']);
  });
});

describe('the order of frames', () => {
  const play = (times: readonly number[]): string => {
    const order = new FrameOrder();
    return times.map((time) => order.classify(time)[0]).join('');
  };

  it('skips times that run backwards, or are not numbers', () => {
    expect(play([0, 100, 50, 200, 200, NaN, 300])).toBe('nnsnnsn');
  });

  it('accepts an older time that stays: the one before it was wrong', () => {
    expect(play([0, 9e9, ...Array.from({ length: 12 }, (_, i) => 100 * i)])).toBe('nnsssssssssrnn');
    expect(play([0, ...Array.from({ length: 30 }, () => NaN)])).toBe(`n${'s'.repeat(30)}`);
  });
});

describe('the freeze watch', () => {
  const frame = (index: number, byte: number, luma?: number): Frame => ({
    jpeg: Uint8Array.of(1, 2, byte),
    monotonicMs: index * 1000,
    index,
    ...(luma === undefined ? {} : { luma: { width: 1, height: 1, data: Uint8Array.of(luma) } }),
  });
  const types = (frames: readonly Frame[]): string[] => {
    const watch = new FreezeWatch();
    return frames.map((one) => {
      const step = watch.inspectFrame(one);
      return step.type === 'thawed' ? `thawed ${String(step.durationMs)}` : step.type;
    });
  };

  it('reports a freeze once after five seconds, and its duration when it is over', () => {
    const frames = Array.from({ length: 8 }, (_, i) => frame(i, 7));
    expect(types([...frames, frame(8, 8), frame(9, 9)])).toEqual([
      'live',
      'repeat',
      'repeat',
      'repeat',
      'repeat',
      'froze',
      'repeat',
      'repeat',
      'thawed 8000',
      'live',
    ]);
  });

  it('reports one picture that comes twice as a repeat', () => {
    expect(types([frame(0, 1), frame(1, 1), frame(2, 2), frame(3, 2)])).toEqual(['live', 'repeat', 'live', 'repeat']);
  });

  it('compares the luma plane too, where a driver delivers it', () => {
    expect(types(Array.from({ length: 8 }, (_, i) => frame(i, 7, i)))).toEqual(Array.from({ length: 8 }, () => 'live'));
  });
});
