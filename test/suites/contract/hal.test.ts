import { chmodSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import type { DeviceSecrets, KeyStore } from '../../../hal/key-store.js';
import { FileKeyStore } from '../../../hal/linux/key-store.js';
import { LinuxSystem, LinuxSystemClock, readBootId } from '../../../hal/linux/system.js';
import { MockKeyStore } from '../../../hal/mock/key-store.js';
import {
  MockButton,
  MockIndicator,
  MockLightSensor,
  MockMotionSensor,
  MockSerialLine,
  MockWatchdog,
} from '../../../hal/mock/peripherals.js';
import { buildScript } from '../../../hal/mock/scenarios.js';
import { MockSystem, MockSystemClock } from '../../../hal/mock/system.js';
import type { System, SystemClock } from '../../../hal/system.js';
import { codeOf } from '../../support/codes.js';
import { tempFolder } from '../../support/runner/temp.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';

const uid = process.getuid?.() ?? 0;
const secrets = (): DeviceSecrets => ({ seed: realRandom.bytes(32), claimSecret: realRandom.bytes(16) });

const keyStores: readonly (readonly [string, () => KeyStore])[] = [
  ['mock', () => new MockKeyStore()],
  ['file', () => new FileKeyStore(tempFolder(), uid)],
];

describe.each(keyStores)('key store: %s', (_, make) => {
  it('makes the secrets once and keeps them', () => {
    const store = make();
    const first = store.load(secrets);
    const second = store.load(() => {
      throw new Error('must not be called again');
    });
    expect(second).toEqual(first);
    expect(first.seed).toHaveLength(32);
    expect(first.claimSecret).toHaveLength(16);
  });
});

describe('key store: file', () => {
  function made(): { folder: string; seed: string; store: FileKeyStore } {
    const folder = tempFolder();
    const store = new FileKeyStore(folder, uid);
    store.load(secrets);
    return { folder, seed: join(folder, 'device.seed'), store };
  }

  it('lets no other user read them, and keeps them over a restart', () => {
    const { folder, seed, store } = made();
    expect(statSync(seed).mode & 0o777).toBe(0o600);
    expect(new FileKeyStore(folder, uid).load(secrets)).toEqual(store.load(secrets));
  });

  it('refuses files that others could have changed, and repairs nothing', () => {
    const open = made();
    chmodSync(open.seed, 0o644);
    expect(codeOf(() => open.store.load(secrets))).toBe('key-file-invalid');
    expect(statSync(open.seed).mode & 0o777).toBe(0o644);
    const { folder } = made();
    expect(codeOf(() => new FileKeyStore(folder, uid + 1).load(secrets))).toBe('key-file-invalid');
  });

  it('refuses a 64-byte key: an altered public half would leak the scalar', () => {
    const { seed, store } = made();
    writeFileSync(seed, new Uint8Array(64), { mode: 0o600 });
    expect(codeOf(() => store.load(secrets))).toBe('key-file-invalid');
    writeFileSync(seed, new Uint8Array(31));
    expect(codeOf(() => store.load(secrets))).toBe('key-file-invalid');
  });

  it('starts over after a power cut while a key was written', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'device.seed.new'), new Uint8Array(5));
    const { seed } = new FileKeyStore(folder, uid).load(secrets);
    expect(readdirSync(folder).sort()).toEqual(['claim.secret', 'device.seed']);
    expect(new FileKeyStore(folder, uid).load(secrets).seed).toEqual(seed);
    // The control: half a key under its own name is refused at every start.
    writeFileSync(join(folder, 'device.seed'), new Uint8Array(5));
    expect(codeOf(() => new FileKeyStore(folder, uid).load(secrets))).toBe('key-file-invalid');
  });

  it('follows no symbolic link', () => {
    const { seed: target } = made();
    const folder = tempFolder();
    symlinkSync(target, join(folder, 'device.seed'));
    expect(codeOf(() => new FileKeyStore(folder, uid).load(secrets))).toBe('key-file-invalid');
  });

  it('fails with key-store-unavailable when the folder cannot be used', () => {
    expect(codeOf(() => new FileKeyStore(join(tempFolder(), 'none'), uid).load(secrets))).toBe('key-store-unavailable');
  });

  it('makes the secret that a power cut left out', () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'claim.secret'), new Uint8Array(16).fill(3), { mode: 0o600 });
    const loaded = new FileKeyStore(folder, uid).load(secrets);
    expect(loaded.claimSecret).toEqual(new Uint8Array(16).fill(3));
    expect(new Uint8Array(readFileSync(join(folder, 'device.seed')))).toEqual(loaded.seed);
  });
});

const clocks: readonly (readonly [string, () => SystemClock])[] = [
  ['mock', () => new MockSystemClock(realClock, buildScript('porch', 'walk', 1), realRandom.bytes(16))],
  [
    'linux',
    () =>
      new LinuxSystemClock(
        realClock,
        readBootId(() => realRandom.bytes(16)),
        Date.UTC(2020, 0, 1),
      ),
  ],
];

describe.each(clocks)('system clock: %s', (_, make) => {
  it('has a boot id, and monotonic time that never goes back', async () => {
    const clock = make();
    expect(clock.bootId).toHaveLength(16);
    const before = clock.monotonicMs();
    expect(Number.isSafeInteger(before)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before + 10);
  });

  it('reports the quality of its wall time', () => {
    const { ms, quality } = make().wall();
    expect(quality === 'unset' ? ms : typeof ms).toBe(quality === 'unset' ? null : 'number');
  });
});

describe('system clock', () => {
  it('of a scripted mock jumps, and its monotonic time does not', () => {
    const virtual = new VirtualClock();
    const clock = new MockSystemClock(virtual, buildScript('porch', 'clock-jump', 1), realRandom.bytes(16));
    const wall = clock.wall().ms ?? 0;
    const monotonic = clock.monotonicMs();
    virtual.advance(6000);
    expect((clock.wall().ms ?? 0) - wall).toBe(6000 + 3_600_000);
    expect(clock.monotonicMs() - monotonic).toBe(6000);
  });

  it('counts as never set before its floor', () => {
    const clock = new LinuxSystemClock(realClock, realRandom.bytes(16), realClock.wallMs() + 60_000);
    expect(clock.wall()).toEqual({ ms: null, quality: 'unset' });
  });
});

const systems: readonly (readonly [string, () => System])[] = [
  ['mock', () => new MockSystem()],
  ['linux', () => new LinuxSystem(tempFolder(), realClock)],
];

describe.each(systems)('system: %s', (_, make) => {
  it('reports the fields of a health record', async () => {
    const { uptimeS, temperatureDeciC, freeBytes } = await make().status();
    expect(uptimeS).toBeGreaterThan(0);
    expect(freeBytes).toBeGreaterThan(0);
    if (temperatureDeciC !== null) expect(Math.abs(temperatureDeciC)).toBeLessThan(2000);
  });
});

describe('peripherals: mock', () => {
  it('call their listeners until these unsubscribe', () => {
    const heard: unknown[] = [];
    const button = new MockButton();
    const motion = new MockMotionSensor();
    const light = new MockLightSensor();
    const unsubscribes = [
      button.onPress((heldMs) => heard.push(heldMs)),
      motion.onMotion((atMs) => heard.push(atMs)),
      light.onSwitch((mode) => heard.push(mode)),
    ];
    button.press(300);
    motion.trigger(5);
    light.switchTo('night', 6);
    for (const unsubscribe of unsubscribes) unsubscribe();
    button.press(1);
    motion.trigger(2);
    light.switchTo('day', 3);
    expect(heard).toEqual([300, 5, 'night']);
    expect(light.mode).toBe('day');
  });

  it('keep states and count kicks', () => {
    const indicator = new MockIndicator();
    const watchdog = new MockWatchdog();
    for (const state of ['claim-window', 'recording', 'recording'] as const) indicator.show(state);
    expect(indicator.shown).toEqual(['claim-window', 'recording']);
    watchdog.ready();
    watchdog.alive();
    expect(watchdog.kicks).toBe(1);
  });

  it('carry bytes over a line both ways, and report its end', async () => {
    const [a, b] = MockSerialLine.pair();
    const heard: string[] = [];
    b.onData((data) => heard.push(Buffer.from(data).toString()));
    a.onClose(() => heard.push('closed'));
    await a.write(Buffer.from('status\n'));
    await Promise.resolve();
    await b.close();
    await a.write(Buffer.from('lost'));
    await Promise.resolve();
    expect(heard).toEqual(['status\n', 'closed']);
  });
});
