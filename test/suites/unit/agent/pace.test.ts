import { describe, expect, it } from 'vitest';
import { Capture } from '../../../../agent/capture/capture.js';
import { Detector } from '../../../../agent/capture/detect/detector.js';
import { Pace } from '../../../../agent/capture/pace.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import { Counters } from '../../../../common/counters.js';
import { silentLog } from '../../../../common/log.js';
import type { Frame, LumaPlane } from '../../../../hal/camera.js';
import { SceneRenderer } from '../../../../hal/mock/renderer.js';

const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));
const FRAMES_PER_SECOND = 10;
const FRAMES = 200;

async function walk(): Promise<readonly LumaPlane[]> {
  const person = { kind: 'person', fromMs: 12_000, toMs: 16_000, path: 'cross', look: 4711 } as const;
  const renderer = new SceneRenderer({ scene: 'porch', seed: 3, noise: 2, repeatMs: null, happenings: [person] }, 4);
  const planes: LumaPlane[] = [];
  for (let i = 0; i < FRAMES; i++) planes.push(await renderer.luma((i * 1000) / FRAMES_PER_SECOND));
  return planes;
}

describe('the pace', () => {
  it('starts and ends an event as if all frames were inspected, and inspects few of an empty scene', async () => {
    const planes = await walk();
    const play = async (
      idleFramesPerSecond: number,
    ): Promise<{ spans: unknown[]; late: number; unwatched: number }> => {
      const counters = new Counters();
      const spans: unknown[] = [];
      let now = 0;
      let late = 0;
      const info = {
        driver: 'mock',
        model: '',
        width: 160,
        height: 90,
        framesPerSecond: 10,
        timeBase: 'live',
      } as const;
      const capture = new Capture(
        info,
        { ...settings, idleFramesPerSecond },
        {
          counters,
          log: silentLog,
          onScene: () => undefined,
          wallMsOf: () => null,
          onTransition: (one) => {
            if (one.type === 'start') late = now - one.span.startFrame;
            if (one.type === 'end') spans.push([one.span.onsetFrame, one.span.startFrame, one.endFrame]);
          },
        },
      );
      for (const [index, luma] of planes.entries()) {
        now = index;
        const monotonicMs = (index * 1000) / FRAMES_PER_SECOND;
        await capture.inspectFrame({ jpeg: Uint8Array.of(index), luma, index, monotonicMs }, monotonicMs);
      }
      return { spans, late, unwatched: counters.get('frames.unwatched') };
    };
    const all = await play(FRAMES_PER_SECOND);
    const paced = await play(3);
    expect(all).toMatchObject({ unwatched: 0, late: 0 });
    expect(all.spans).toHaveLength(1);
    expect(paced.spans).toEqual(all.spans);
    // The event is found while catching up, at most one inspection later.
    expect(paced.late).toBeLessThanOrEqual(FRAMES_PER_SECOND / 3);
    expect(paced.unwatched).toBeGreaterThan(FRAMES / 4);
  });

  it('leaves no trace of `differs`, which only asks whether an inspection is worth it', async () => {
    const planes = await walk();
    const plain = new Detector(settings.detector);
    const asked = new Detector(settings.detector);
    let differing = 0;
    for (const [i, plane] of planes.entries()) {
      if (asked.differs(planes[(i * 7) % FRAMES] ?? plane)) differing++;
      expect(asked.observe(plane, i * 100, i)).toEqual(plain.observe(plane, i * 100, i));
    }
    expect(differing).toBeGreaterThan(1);
    expect(differing).toBeLessThan(FRAMES);
  });

  it('keeps a bounded number of frames, however fast they come', () => {
    const pace = new Pace(1);
    const frame = (ms: number): Frame => ({ jpeg: new Uint8Array(0), monotonicMs: ms, index: ms });
    pace.noteInspection(true, 0);
    pace.noteInspection(true, 3000);
    for (let ms = 3001; ms < 3800; ms++) expect(pace.mayWait(frame(ms))).toBe(true);
    const waiting = pace.drainWaiting();
    expect(waiting.length).toBeLessThan(100);
    expect(waiting.at(-1)?.index).toBe(3799);
    expect(pace.drainWaiting()).toEqual([]);
  });

  it('lets no frame wait until it has been calm for a while', () => {
    const pace = new Pace(1);
    const frame = (ms: number): Frame => ({ jpeg: new Uint8Array(0), monotonicMs: ms, index: 0 });
    expect(pace.mayWait(frame(0))).toBe(false);
    pace.noteInspection(true, 0);
    pace.noteInspection(true, 2900);
    pace.noteInspection(false, 3000);
    expect(pace.mayWait(frame(3100))).toBe(false);
  });
});
