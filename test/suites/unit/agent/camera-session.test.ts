import { describe, expect, it } from 'vitest';
import { CameraSession } from '../../../../agent/capture/camera-session.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import { sleep } from '../../../../common/clock.js';
import { Counters } from '../../../../common/counters.js';
import { silentLog } from '../../../../common/log.js';
import { seededRandom } from '../../../../common/seeded-random.js';
import type { Camera, LumaPlane } from '../../../../hal/camera.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const settings = captureSettings(loadAgentConfig({ file: null, environment: {} }));
const PERIOD_MS = 100;

function noise(seed: number): LumaPlane {
  const { uniform } = seededRandom(seed);
  return { width: 160, height: 90, data: Uint8Array.from({ length: 160 * 90 }, () => 100 + Math.round(uniform() * 6)) };
}

const NOISE = Array.from({ length: 8 }, (_, seed) => noise(seed));

/** Delivers ten frames a second, each captured a moment before it arrives; between two times the bytes repeat. */
function camera(
  clock: VirtualClock,
  [frozenFromMs, frozenToMs]: readonly [number, number],
  isDecodable: (index: number) => boolean,
): Camera {
  return {
    open: () =>
      Promise.resolve({
        driver: 'v4l2',
        model: 'scripted',
        width: 160,
        height: 90,
        framesPerSecond: 10,
        timeBase: 'live',
      } as const),
    async *frames(signal) {
      for (let index = 0; !signal.aborted; index++) {
        await sleep(clock, PERIOD_MS, signal);
        const monotonicMs = index * PERIOD_MS;
        const isFrozen = monotonicMs >= frozenFromMs && monotonicMs < frozenToMs;
        const seed = isFrozen ? 0 : index + 1;
        const luma = NOISE[seed % NOISE.length] ?? noise(seed);
        const jpeg = Uint8Array.of(seed, seed >> 8);
        // Without a plane of the driver the bytes are decoded, and these are no JPEG.
        yield isDecodable(index) ? { jpeg, luma, monotonicMs, index } : { jpeg, monotonicMs, index };
      }
    },
    still: () => Promise.reject(new Error('not used here')),
    close: () => Promise.resolve(),
  };
}

async function play(
  frozen: readonly [number, number],
  switchMs: number,
  untilMs: number,
  isDecodable: (index: number) => boolean = () => true,
): Promise<string[]> {
  const clock = new VirtualClock(0);
  const reports: string[] = [];
  const session: CameraSession = new CameraSession(settings, {
    camera: camera(clock, frozen, isDecodable),
    clock,
    counters: new Counters(),
    log: () => silentLog,
    onTransition: () => reports.push('an event'),
    wallMsOf: () => null,
    onArmed: () => reports.push('armed'),
    onSilence: () => reports.push(`health: ${session.state}`),
    onScene: ({ class: name, durationMs }, atMs) =>
      reports.push(`${name} ${String(durationMs ?? '–')} at ${String(atMs)}`),
  });
  clock.after(switchMs, () => {
    session.lightSwitched(clock.monotonicMs());
  });
  session.start();
  await clock.run(untilMs, PERIOD_MS / 2);
  reports.push(session.state);
  const stopped = session.stop();
  await clock.run(500);
  await stopped;
  return reports;
}

describe('the camera session', () => {
  it('reports when it is armed, each scene with the time of its frame, and a frozen stream like a silent one', async () => {
    // The frame 1200 ms after the first arms it; a freeze is certain five seconds after its first frame.
    expect(await play([8000, 20_000], 4000, 30_000)).toEqual([
      'startup 1200 at 1200',
      'armed',
      'ir-cut – at 4000',
      'stall – at 13000',
      'health: stalled',
      'stall 12000 at 20000',
      'ok',
    ]);
  });

  it('reports nothing more about a stream that continues', async () => {
    expect(await play([0, 0], 4000, 12_000)).toEqual(['startup 1200 at 1200', 'armed', 'ir-cut – at 4000', 'ok']);
  });

  it('says that it does not see when frames arrive that cannot be decoded, and when it sees again', async () => {
    const reports = await play([0, 0], 40_000, 16_000, (index) => index < 20 || index % 36 === 0 || index >= 80);
    expect(reports.slice(0, 4)).toEqual([
      'startup 1200 at 1200',
      'armed',
      expect.stringMatching(/^stall – at /),
      'health: stalled',
    ]);
    expect(reports.at(-1)).toBe('ok');
    expect(reports.filter((line) => /^stall \d+ at /.test(line))).toHaveLength(1);
    // From the first frame on: never ok, although frames arrive.
    expect(await play([0, 0], 40_000, 12_000, (index) => index > 0 && index % 36 === 0)).toEqual([
      expect.stringMatching(/^stall – at /),
      'health: stalled',
      'stalled',
    ]);
  });

  it('is starting, not ok, until a first frame was decoded', async () => {
    expect(await play([0, 0], 40_000, 300, () => false)).toEqual(['starting']);
  });
});

describe('a camera that delivers frames and sees nothing', () => {
  const FLAT: LumaPlane = { width: 160, height: 90, data: new Uint8Array(160 * 90).fill(16) };

  /** Shows one colour until it was opened `cureAt` times. */
  function hanging(clock: VirtualClock, driver: 'v4l2' | 'mock', cureAt: number, openedMs: number[]): Camera {
    return {
      open: () => {
        openedMs.push(clock.monotonicMs());
        const size = { width: 160, height: 90, framesPerSecond: 10 };
        return Promise.resolve({ driver, model: 'hanging', timeBase: 'live', ...size } as const);
      },
      async *frames(signal) {
        const isCured = openedMs.length >= cureAt;
        for (let index = 0; !signal.aborted; index++) {
          await sleep(clock, PERIOD_MS * 10, signal);
          const monotonicMs = clock.monotonicMs();
          const luma = isCured ? (NOISE[index % NOISE.length] ?? FLAT) : FLAT;
          yield { jpeg: Uint8Array.of(index, index >> 8), luma, monotonicMs, index };
        }
      },
      still: () => Promise.reject(new Error('not used here')),
      close: () => Promise.resolve(),
    };
  }

  async function run(driver: 'v4l2' | 'mock', cureAt: number, minutes: number) {
    const clock = new VirtualClock(0);
    const openedMs: number[] = [];
    const states = new Set<string>();
    const scenes: string[] = [];
    const counters = new Counters();
    const session: CameraSession = new CameraSession(settings, {
      camera: hanging(clock, driver, cureAt, openedMs),
      clock,
      counters,
      log: () => silentLog,
      onTransition: () => undefined,
      wallMsOf: () => null,
      onArmed: () => undefined,
      onSilence: () => undefined,
      onScene: ({ class: name, durationMs }) => scenes.push(durationMs === undefined ? name : `${name} over`),
    });
    session.start();
    await clock.run(60_000, 500);
    for (let s = 60; s < minutes * 60; s++) {
      states.add(session.state);
      await clock.run(1000, 500);
    }
    const last = session.state;
    const stopped = session.stop();
    await clock.run(1000, 500);
    await stopped;
    const atMinutes = openedMs.map((ms) => Math.round(ms / 60_000));
    return { atMinutes, states: [...states], last, scenes, reopened: counters.get('camera.reopened') };
  }

  it('is opened again after two minutes, and then ever more rarely, and never says that it sees', async () => {
    const { atMinutes, states, scenes, reopened } = await run('v4l2', Infinity, 40);
    // Blind from 0:30; waits of 2, 4, 8 and 16 minutes.
    expect(atMinutes).toEqual([0, 3, 7, 15, 31]);
    expect(reopened).toBe(4);
    expect(states).toEqual(['stalled']);
    expect(scenes.filter((scene) => scene.startsWith('stall'))).toEqual(['stall']);
  });

  it('sees again where that helps, and says since when', async () => {
    const { atMinutes, states, last, scenes } = await run('v4l2', 2, 10);
    expect(atMinutes).toEqual([0, 3]);
    expect(states).toEqual(['stalled', 'ok']);
    expect(last).toBe('ok');
    expect(scenes.filter((scene) => scene.startsWith('stall'))).toEqual(['stall', 'stall over']);
  });

  it('is left alone where it is a mock', async () => {
    expect((await run('mock', Infinity, 10)).atMinutes).toEqual([0]);
  });
});
