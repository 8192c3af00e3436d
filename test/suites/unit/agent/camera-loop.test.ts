import { describe, expect, it } from 'vitest';
import { sleep } from '../../../../common/clock.js';
import { Counters } from '../../../../common/counters.js';
import { SealcamError } from '../../../../common/errors.js';
import { silentLog } from '../../../../common/log.js';
import { CameraLoop } from '../../../../agent/capture/camera-loop.js';
import type { Camera, CameraInfo, Frame } from '../../../../hal/camera.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const info: CameraInfo = {
  driver: 'v4l2',
  model: 'scripted',
  width: 4,
  height: 4,
  framesPerSecond: 10,
  timeBase: 'live',
};

/** One run of the stream: seconds of frames, then how it ends. */
type Step = readonly [seconds: number, then: 'fails' | 'hangs' | 'absent' | 'unreadable' | 'truncated'];

function scripted(
  clock: VirtualClock,
  steps: readonly Step[],
  change: Partial<CameraInfo>,
): Camera & { readonly opened: number[] } {
  const left = [...steps];
  const opened: number[] = [];
  let step: Step = [0, 'fails'];
  return {
    opened,
    open: () => {
      opened.push(clock.monotonicMs());
      step = left.shift() ?? [3600, 'hangs'];
      if (step[1] === 'absent') return Promise.reject(new SealcamError('camera-unavailable', 'gone'));
      if (step[1] === 'unreadable') return Promise.reject(new SealcamError('video-unreadable', 'no such file'));
      return Promise.resolve({ ...info, ...change });
    },
    async *frames(signal) {
      for (let i = 0; i < step[0] && !signal.aborted; i++) {
        await sleep(clock, 1000, signal);
        yield { jpeg: new Uint8Array(1), monotonicMs: clock.monotonicMs(), index: i } satisfies Frame;
      }
      if (step[1] === 'hangs') await sleep(clock, 8000, signal);
      throw new SealcamError(step[1] === 'truncated' ? 'video-truncated' : 'camera-ended', 'as scripted');
    },
    still: () => Promise.reject(new Error('not used here')),
    close: () => Promise.resolve(),
  };
}

async function play(
  steps: readonly Step[],
  ms: number,
  change: Partial<CameraInfo> = {},
): Promise<{ reports: string[]; opened: number[]; state: string }> {
  const clock = new VirtualClock(0);
  const reports: string[] = [];
  const camera = scripted(clock, steps, change);
  const controller = new AbortController();
  const loop = new CameraLoop({
    camera,
    clock,
    counters: new Counters(),
    log: silentLog,
    onOpen: () => undefined,
    onFrame: () => Promise.resolve(),
    onEnd: () => undefined,
    onSilence: () => reports.push(`silent: ${loop.cameraState}`),
    onStall: (silentMs) => reports.push(`stall ${String(Math.round(silentMs / 1000))}`),
  });
  const done = loop.run(controller.signal);
  await clock.run(ms, 100);
  const state = loop.cameraState;
  controller.abort();
  await clock.run(200);
  await done;
  return { reports, opened: camera.opened, state };
}

describe('the camera loop', () => {
  it('opens a source again that is not there yet, such as a file on a mount, with a growing back-off', async () => {
    const { opened, state } = await play([...Array<Step>(4).fill([0, 'unreadable']), [60, 'hangs']], 20_000);
    expect(opened.map((ms) => Math.round(ms / 500) * 500)).toEqual([0, 500, 1500, 3500, 7500]);
    expect(state).toBe('ok');
  });

  it('plays a recording again that ended early, if it is one that repeats', async () => {
    const steps: Step[] = [
      [2, 'truncated'],
      [2, 'truncated'],
      [60, 'hangs'],
    ];
    expect((await play(steps, 20_000, { isRepeated: true })).opened).toHaveLength(3);
    // The control: one that is played once is over.
    expect((await play(steps, 20_000, { isRepeated: false })).opened).toHaveLength(1);
  });

  it('reports the silence of a camera that hangs once, and its length afterwards', async () => {
    const { reports, state } = await play([[3, 'hangs']], 20_000);
    expect(reports).toEqual(['silent: stalled', 'stall 10']);
    expect(state).toBe('ok');
  });

  it('reports the silence of a camera that fails and stays away, and its whole length when frames return', async () => {
    const { reports } = await play([[3, 'fails'], ...Array.from({ length: 5 }, () => [0, 'absent'] as const)], 60_000);
    expect(reports).toEqual(['silent: absent', 'stall 33']);
  });

  it('reports the silence of a camera that was never there', async () => {
    const { reports, state } = await play(
      Array.from({ length: 50 }, () => [0, 'absent'] as const),
      30_000,
    );
    expect(reports).toEqual(['silent: absent']);
    expect(state).toBe('absent');
  });

  it('reports nothing for a camera that is back immediately', async () => {
    expect((await play([[3, 'fails']], 20_000)).reports).toEqual([]);
  });

  it('waits longer from fault to fault, but starts over after a steady stream', async () => {
    const gaps = async (seconds: number): Promise<number[]> => {
      const { opened } = await play(
        Array.from({ length: 5 }, () => [seconds, 'fails'] as const),
        100_000,
      );
      // The virtual clock goes in steps of 100 ms.
      return opened.slice(1, 5).map((ms, i) => Math.round((ms - (opened[i] ?? 0) - seconds * 1000) / 500) * 500);
    };
    expect(await gaps(1)).toEqual([500, 1000, 2000, 4000]);
    expect(await gaps(12)).toEqual([500, 500, 500, 500]);
  });
});
