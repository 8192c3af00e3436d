import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../../common/log.js';
import { TimeFloor } from '../../../../agent/main/adapters/time-floor.js';
import { uplinkFile } from '../../../../agent/main/adapters/uplink-file.js';
import { CLOCK_WAIT_MAX_MS } from '../../../../agent/uplink/clock-gate.js';
import { initialState, persistedOf } from '../../../../agent/uplink/machine.js';
import type { ClockQuality, SystemClock } from '../../../../hal/system.js';
import { read, trackedFiles } from '../../../support/house/sources.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { UplinkWorld } from '../../../support/worlds/uplink-world.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const BUILT_MS = Date.UTC(2026, 10, 1);
const DAY_MS = 86_400_000;

function clockAt(ms: number | null, quality: ClockQuality): SystemClock & { ms: number | null; quality: ClockQuality } {
  return {
    ms,
    quality,
    bootId: new Uint8Array(16),
    monotonicMs: () => 0,
    wall() {
      return { ms: this.ms, quality: this.quality };
    },
  };
}

describe('the time floor', () => {
  const path = (): string => join(tempFolder(), 'clock');

  it('is the build time of the program, then the last network time', () => {
    const file = path();
    const clock = clockAt(0, 'rtc');
    expect(new TimeFloor(file, clock, BUILT_MS, silentLog).floorMs()).toBe(BUILT_MS);
    Object.assign(clock, { ms: BUILT_MS + DAY_MS, quality: 'ntp' });
    const timers = new VirtualClock();
    const stop = new TimeFloor(file, clock, BUILT_MS, silentLog).startSaving(timers);
    clock.ms = BUILT_MS + 2 * DAY_MS;
    timers.advance(3_600_000);
    stop();
    expect(timers.pending).toBe(0);
    // The next boot, on a camera without a real-time clock.
    clock.quality = 'rtc';
    clock.ms = BUILT_MS + DAY_MS;
    expect(new TimeFloor(file, clock, BUILT_MS, silentLog).floorMs()).toBe(BUILT_MS + 2 * DAY_MS);
    clock.ms = BUILT_MS + 3 * DAY_MS;
    expect(new TimeFloor(file, clock, BUILT_MS, silentLog).floorMs()).toBeNull();
  });

  it('is not raised by an unverified clock, and network time below it replaces it', () => {
    const file = path();
    const clock = clockAt(BUILT_MS + 9000 * DAY_MS, 'rtc');
    new TimeFloor(file, clock, BUILT_MS, silentLog).startSaving(new VirtualClock())();
    clock.ms = BUILT_MS - 1;
    expect(new TimeFloor(file, clock, BUILT_MS, silentLog).floorMs()).toBe(BUILT_MS);
    // A time server was wrong once; the next correct time lowers the floor again.
    writeFileSync(file, String(BUILT_MS + 9000 * DAY_MS));
    Object.assign(clock, { ms: BUILT_MS + DAY_MS, quality: 'ntp' });
    const floor = new TimeFloor(file, clock, BUILT_MS, silentLog);
    expect(floor.floorMs()).toBeNull();
    floor.startSaving(new VirtualClock())();
    expect(readFileSync(file, 'utf8')).toBe(String(BUILT_MS + DAY_MS));
  });

  it.each(['', 'noise', '1e300', '-5', '12.5'])('ignores a damaged file: %j', (text) => {
    const file = path();
    writeFileSync(file, text);
    expect(new TimeFloor(file, clockAt(0, 'rtc'), BUILT_MS, silentLog).floorMs()).toBe(BUILT_MS);
  });
});

describe('an uplink whose clock was never set', () => {
  const unset = (): { camera: UplinkWorld; set: () => void } => {
    let isSet = false;
    const camera = new UplinkWorld('mqtt://127.0.0.1:1', {}, { isClockSet: () => isSet });
    camera.uplink.start();
    return { camera, set: () => void (isSet = true) };
  };

  it('waits for network time, and spreads its attempt from there', () => {
    const { camera, set } = unset();
    camera.clock.advance(60_000);
    expect(camera.phase).toBe('boot');
    set();
    camera.clock.advance(5000);
    expect(camera.phase).toBe('spread');
  });

  it('waits ten minutes and no longer', () => {
    const { camera } = unset();
    camera.clock.advance(CLOCK_WAIT_MAX_MS - 1);
    expect(camera.phase).toBe('boot');
    camera.clock.advance(1);
    expect(camera.phase).toBe('spread');
  });

  it('does not make a person who claims it wait', () => {
    const { camera } = unset();
    camera.uplink.setClaimWindow(true);
    expect(camera.phase).toBe('connecting');
    // And does not start a second time when the wait for network time would have ended.
    camera.clock.advance(CLOCK_WAIT_MAX_MS);
    expect(camera.uplink.status().attempts).toBeLessThan(CLOCK_WAIT_MAX_MS / 7500 + 2);
    expect(camera.clock.pending).toBeLessThanOrEqual(1);
  });

  it('stops while it waits, and leaves no timer', () => {
    const { camera } = unset();
    camera.uplink.stop();
    expect(camera.clock.pending).toBe(0);
    expect(camera.phase).toBe('stopped');
  });
});

describe('the stored state of the uplink', () => {
  const kept = persistedOf(initialState({ initialWindowMs: 60_000, connectTimeoutMs: 1 }), 'boot');

  it('is loaded for the same broker only, and the file does not name the broker', () => {
    const path = join(tempFolder(), 'uplink.json');
    uplinkFile(path, silentLog, 'mqtts://broker.example:8883').save({ ...kept, protocol: 4, drainIntervalMs: 7000 });
    expect(uplinkFile(path, silentLog, 'mqtts://broker.example:8883').load()).toMatchObject({
      protocol: 4,
      drainIntervalMs: 7000,
    });
    expect(uplinkFile(path, silentLog, 'mqtts://other.example:8883').load()).toBeNull();
    expect(readFileSync(path, 'utf8')).not.toContain('example');
  });

  it.each(['', '{}', '[]', '{"windowMs":"1"}', JSON.stringify({ ...kept, broker: 5 })])(
    'is ignored in a damaged file: %j',
    (text) => {
      const path = join(tempFolder(), 'uplink.json');
      writeFileSync(path, text);
      expect(uplinkFile(path, silentLog).load()).toBeNull();
    },
  );
});

/** No delay of the uplink may depend on a clock that can be set. */
const WALL_CLOCK = /\bwallMs\b|\bDate\b|\bperformance\b|\bhrtime\b|\bsetTimeout\(|\bsetInterval\(/;
/** The idle time of a socket, and a certificate's date compared with a floor that is a parameter. */
const ALLOWED: Readonly<Record<string, RegExp>> = {
  'agent/uplink/mqtt-socket.ts': /stream\.setTimeout\(DISCONNECT_TIMEOUT_MS/,
  'agent/uplink/floor-check.ts': /Date\.parse\(at\.validTo\)/,
};
const wallClockIn = (path: string, text: string): string[] =>
  text
    .split('\n')
    .filter((line) => WALL_CLOCK.test(line) && ALLOWED[path]?.test(line) !== true)
    .map((line) => `${path}: ${line.trim()}`);

describe('the uplink’s time', () => {
  it('is monotonic everywhere', () => {
    const files = trackedFiles().filter((path) => path.startsWith('agent/uplink/'));
    expect(files.length).toBeGreaterThan(8);
    expect(files.flatMap((path) => wallClockIn(path, read(path)))).toEqual([]);
  });

  it('the control: other clocks are noticed', () => {
    expect(wallClockIn('agent/uplink/machine.ts', 'const due = clock.wallMs() + 5;')).toHaveLength(1);
    expect(wallClockIn('agent/uplink/sender.ts', 'const now = Date.now();')).toHaveLength(1);
  });
});
