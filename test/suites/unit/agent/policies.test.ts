import { describe, expect, it } from 'vitest';
import type { CameraState } from '../../../../agent/capture/camera-loop.js';
import { loadAgentConfig } from '../../../../agent/config/keys.js';
import type { AgentVitals } from '../../../../agent/health/vitals.js';
import { Housekeeping } from '../../../../agent/main/housekeeping.js';
import { Privacy } from '../../../../agent/main/privacy.js';
import { captureSettings } from '../../../../agent/main/settings.js';
import type { StandingOrders } from '../../../../agent/ownership/standing-orders.js';
import { ClockWatch } from '../../../../agent/record/record-time.js';
import { SealcamError } from '../../../../common/errors.js';
import { MockIndicator, MockWatchdog } from '../../../../hal/mock/peripherals.js';
import { RecorderWorld } from '../../../support/worlds/recorder-world.js';
import { testLog, type LogEntry } from '../../../support/worlds/test-agent.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';

const NO_ORDERS: StandingOrders = {
  privacy: false,
  zones: null,
  sensitivity: null,
  changes: { zones: null, sensitivity: null },
};
const config = loadAgentConfig({ file: null, environment: {} });

/** A camera that only knows whether it runs. */
class SwitchedCamera {
  isStopped = true;
  sensitivity: number | null = null;

  configure(settings: ReturnType<typeof captureSettings>): void {
    this.sensitivity = settings.detector.sensitivity;
  }

  start(): void {
    this.isStopped = false;
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return Promise.resolve();
  }
}

function privacyWorld() {
  const camera = new SwitchedCamera();
  const indicator = new MockIndicator();
  const orders = { standing: NO_ORDERS };
  const world = { camera, indicator, orders, healthRecords: 0, wipes: 0, isClaimWindowOpen: false, hasOwner: true };
  const seen: { state: CameraState } = { state: 'ok' };
  const privacy = new Privacy({
    camera,
    indicator,
    orders,
    captureSettings: (standing) => captureSettings(config, standing),
    hasOwner: () => world.hasOwner,
    isClaimWindowOpen: () => world.isClaimWindowOpen,
    cameraState: () => seen.state,
    recordHealth: () => world.healthRecords++,
    wipeVideo: () => world.wipes++,
  });
  const apply = (change: Partial<StandingOrders>): void => {
    orders.standing = { ...NO_ORDERS, ...change };
    privacy.applyOrders(orders.standing);
  };
  return { ...world, world, privacy, apply, seen };
}

describe('privacy', () => {
  it('stops a running camera, starts it again, and records both without delay', () => {
    const { privacy, camera, indicator, apply, world } = privacyWorld();
    privacy.start();
    expect(camera.isStopped).toBe(false);
    apply({ privacy: true });
    expect([camera.isStopped, indicator.shown.at(-1), world.healthRecords]).toEqual([true, 'privacy', 1]);
    expect(world.wipes).toBe(1);
    apply({ privacy: false });
    expect([camera.isStopped, indicator.shown.at(-1), world.healthRecords]).toEqual([false, 'recording', 2]);
  });

  it('keeps the camera off at a start, and before and after the agent runs', async () => {
    const { privacy, camera, apply, world } = privacyWorld();
    apply({ privacy: true });
    privacy.start();
    expect(camera.isStopped).toBe(true);
    apply({ privacy: false });
    expect(camera.isStopped).toBe(false);
    await privacy.stop();
    apply({ privacy: true });
    apply({ privacy: false });
    expect(camera.isStopped).toBe(true);
    expect(world.healthRecords).toBe(1);
  });

  it('leaves other orders to the detector, and records nothing for them', () => {
    const { privacy, camera, apply, world } = privacyWorld();
    privacy.start();
    apply({ sensitivity: 17 });
    expect(camera.sensitivity).toBe(17);
    expect(world.healthRecords).toBe(0);
  });

  it('does not take the indicator from an open claim window', () => {
    const { privacy, indicator, apply, world } = privacyWorld();
    indicator.show('claim-window');
    world.isClaimWindowOpen = true;
    apply({ privacy: true });
    expect(indicator.shown.at(-1)).toBe('claim-window');
    expect(privacy.restingState()).toBe('privacy');
    world.isClaimWindowOpen = false;
    world.hasOwner = false;
    apply({});
    expect(indicator.shown.at(-1)).toBe('off');
  });
});

describe('the indicator', () => {
  it('shows a fault while the camera does not see, and privacy before anything else', () => {
    const { privacy, indicator, apply, seen } = privacyWorld();
    for (const state of ['stalled', 'absent'] as const) {
      seen.state = state;
      privacy.showRestingState();
      expect(indicator.shown.at(-1)).toBe('fault');
    }
    apply({ privacy: true });
    expect(indicator.shown.at(-1)).toBe('privacy');
    apply({});
    for (const state of ['starting', 'ok'] as const) {
      seen.state = state;
      privacy.showRestingState();
      expect(indicator.shown.at(-1)).toBe('recording');
    }
  });
});

describe('housekeeping', () => {
  it('names pending losses, records a clock that was set, and keeps the watchdog quiet', () => {
    const world = new RecorderWorld();
    world.claim();
    const clock = new VirtualClock();
    const watchdog = new MockWatchdog();
    const log: LogEntry[] = [];
    let wallMs = 1_000_000;
    const wall = (): { readonly ms: number; readonly quality: 'ntp' } => ({ ms: wallMs, quality: 'ntp' });
    const monotonicMs = (): number => clock.monotonicMs();
    let shown = 0;
    const vitals = (): AgentVitals => ({
      uptimeS: Math.floor(clock.monotonicMs() / 1000),
      restarts: 2,
      starts: 7,
      memoryBytes: 80_000_000,
      ownMemoryBytes: 24_000_000,
    });
    const housekeeping = new Housekeeping({
      clock,
      vitals,
      showIndicator: () => shown++,
      watchdog,
      outbox: world.outbox,
      recorder: world.recorder,
      clockWatch: new ClockWatch({ bootId: world.camera.boot, wall, monotonicMs }),
      now: () => world.camera.time(clock.monotonicMs()),
      log: testLog(log),
    });
    watchdog.ready();
    housekeeping.start();
    world.outbox.countLoss('failed');
    wallMs += 3_600_000;
    clock.advance(10_000);
    const kinds = world.records().map(({ kind, scene }) => scene?.class ?? kind);
    expect(kinds).toEqual(['accept', 'clock-jump', 'gap']);
    expect(watchdog.kicks).toBe(2);
    expect(shown).toBe(2);
    const vital = (): unknown[] => log.filter(({ msg }) => msg === 'the agent runs');
    expect(vital()).toHaveLength(1);
    expect(vital()[0]).toMatchObject({ restarts: 2, starts: 7, memoryBytes: 80_000_000, ownMemoryBytes: 24_000_000 });
    // A full disk: the failure is logged, the watchdog hears nothing, and the next run follows.
    world.outbox.flushLosses = () => {
      throw new SealcamError('store-full', 'full');
    };
    clock.advance(20_000);
    expect(watchdog.kicks).toBe(2);
    expect(log.filter(({ code }) => code === 'store-full')).toHaveLength(2);
    // Every hour, also while something else fails.
    clock.advance(3_600_000);
    expect(vital()).toHaveLength(2);
    housekeeping.stop();
    const faults = log.filter(({ code }) => code === 'store-full').length;
    clock.advance(60_000);
    expect(log.filter(({ code }) => code === 'store-full')).toHaveLength(faults);
  });
});
