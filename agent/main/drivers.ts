import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import type { Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import { RELEASED_MS } from '../../common/version.js';
import type { Hal } from '../../hal/hal.js';
import type { Button, SerialLine, Watchdog, WatchdogDriver } from '../../hal/peripherals.js';
import { GpioIndicator } from '../../hal/linux/gpio-indicator.js';
import { GpioButton, GpioLightSensor, GpioMotionSensor } from '../../hal/linux/gpio-inputs.js';
import type { GpioLine } from '../../hal/linux/gpio-tools.js';
import { FileKeyStore } from '../../hal/linux/key-store.js';
import { openSerialLine } from '../../hal/linux/serial-line.js';
import { StdioLine } from '../../hal/linux/stdio-line.js';
import { LinuxSystem, LinuxSystemClock, readBootId } from '../../hal/linux/system.js';
import {
  BothWatchdogs,
  DeviceWatchdog,
  NoWatchdog,
  SystemdWatchdog,
  WATCHDOG_DEVICE,
  WATCHDOG_TIMEOUT,
} from '../../hal/linux/watchdogs.js';
import { MockIndicator, MockLightSensor, MockMotionSensor } from '../../hal/mock/peripherals.js';
import { MockSystemClock } from '../../hal/mock/system.js';
import type { Config } from '../config/keys.js';
import { cameraOf, mockScript } from './cameras.js';

/** Opens the device's keys, which the user of this process must own. */
export function keyStoreOf(config: Config): FileKeyStore {
  return new FileKeyStore(config['data.folder'], process.getuid?.() ?? 0);
}

/** Returns the one clock of the agent: frames, timers and records all count on the monotonic time of the HAL. */
export function agentClock(hal: Pick<Hal, 'clock'>): Clock {
  return { monotonicMs: () => hal.clock.monotonicMs(), wallMs: () => realClock.wallMs(), after: realClock.after };
}

/** Returns the line that a setting names, with its usual wiring; null where it names no line. */
function gpioLine(
  config: Config,
  setting: 'gpio.buttonLine' | 'gpio.motionLine' | 'gpio.irCutLine' | 'gpio.ledLine',
  wiring: Pick<GpioLine, 'activeLow' | 'pull'>,
): GpioLine | null {
  return config[setting] < 0 ? null : { chip: config['gpio.chip'], line: config[setting], ...wiring };
}

function peripheralsOf(
  config: Config,
  clock: Clock,
  log: Log,
): Pick<Hal, 'motionSensor' | 'light' | 'indicator'> & { readonly realButton: Button | null } {
  const button = gpioLine(config, 'gpio.buttonLine', { activeLow: true, pull: 'pull-up' });
  const motion = gpioLine(config, 'gpio.motionLine', { activeLow: false, pull: 'pull-down' });
  const irCut = gpioLine(config, 'gpio.irCutLine', { activeLow: false, pull: 'as-is' });
  const led = gpioLine(config, 'gpio.ledLine', { activeLow: false, pull: 'as-is' });
  return {
    realButton: button === null ? null : new GpioButton({ line: button, clock, log }),
    motionSensor: motion === null ? new MockMotionSensor() : new GpioMotionSensor({ line: motion, clock, log }),
    light: irCut === null ? new MockLightSensor() : new GpioLightSensor({ line: irCut, clock, log }),
    indicator: led === null ? new MockIndicator() : new GpioIndicator({ line: led, clock, log }),
  };
}

interface WatchdogParts {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
}

/** How each watchdog is made; its constructor does no I/O but to read the device's timeout. */
const WATCHDOGS = {
  none: () => new NoWatchdog(),
  systemd: ({ environment, clock, log }) => new SystemdWatchdog({ environment, pid: process.pid, clock, log }),
  device: ({ log }) => new DeviceWatchdog({ path: WATCHDOG_DEVICE, timeoutPath: WATCHDOG_TIMEOUT, log }),
} satisfies Record<WatchdogDriver, (parts: WatchdogParts) => Watchdog>;

/**
 * Makes the configured watchdog. A unit of Type=notify waits for this program's messages whatever is configured, so that it gets
 * them, and its watchdog is fed, beside any other.
 */
export function watchdogOf(driver: WatchdogDriver, parts: WatchdogParts): Watchdog {
  const chosen = WATCHDOGS[driver](parts);
  const isDemanded = (parts.environment['NOTIFY_SOCKET'] ?? '') !== '';
  return isDemanded && driver !== 'systemd' ? new BothWatchdogs(WATCHDOGS.systemd(parts), chosen) : chosen;
}

/** Opens the line of the debug console. @throws SealcamError `serial-unavailable` */
export async function serialLineOf(config: Config, clock: Clock): Promise<SerialLine> {
  const path = config['serial.path'];
  return path === 'stdio' ? stdioLine() : openSerialLine(path, config['serial.baudRate'], clock);
}

/** Returns the terminal that the program was started in. */
export function stdioLine(): SerialLine {
  return new StdioLine(process.stdin, process.stdout);
}

/** Joins two buttons: a press of either is a press of the camera's button. */
function bothButtons(first: Button, second: Button | null): Button {
  if (second === null) return first;
  return {
    onPress: (listener) => {
      const leave = [first.onPress(listener), second.onPress(listener)];
      return () => {
        for (const each of leave) each();
      };
    },
  };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes every driver that the configuration names; nothing is opened yet. `button` is pressed at the terminal, and works
 * beside a real one.
 */
export function halOf(config: Config, environment: Environment, log: Log, button: Button): Hal {
  const bootId = readBootId(() => realRandom.bytes(16));
  const linuxClock = new LinuxSystemClock(realClock, bootId, RELEASED_MS);
  // The mock scenario that sets the wall clock forward and back needs a clock that follows its script.
  const hasScriptedClock = config['camera.driver'] === 'mock' && config['mock.scenario'] === 'clock-jump';
  const clock = hasScriptedClock
    ? new MockSystemClock({ ...realClock, monotonicMs: () => linuxClock.monotonicMs() }, mockScript(config), bootId)
    : linuxClock;
  const timers = agentClock({ clock });
  const { realButton, ...peripherals } = peripheralsOf(config, timers, log);
  return {
    clock,
    ...peripherals,
    button: bothButtons(button, realButton),
    ...cameraOf(config, timers),
    keyStore: keyStoreOf(config),
    system: new LinuxSystem(config['data.folder'], timers),
    watchdog: watchdogOf(config['watchdog.driver'], { environment, clock: timers, log }),
  };
}
