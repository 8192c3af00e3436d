import { tmpdir } from 'node:os';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { RELEASED_MS } from '../../common/version.js';
import type { Camera } from '../../hal/camera.js';
import type { Hal } from '../../hal/hal.js';
import type { Button, SerialLine, Watchdog } from '../../hal/peripherals.js';
import { ChildCamera } from '../../hal/linux/child-camera.js';
import { GpioIndicator } from '../../hal/linux/gpio-indicator.js';
import { GpioButton, GpioLightSensor, GpioMotionSensor } from '../../hal/linux/gpio-inputs.js';
import type { GpioLine } from '../../hal/linux/gpio-tools.js';
import { FileKeyStore } from '../../hal/linux/key-store.js';
import { takeStill, STILL_TIMEOUT_MS } from '../../hal/linux/libcamera-still.js';
import { LibcameraCommands } from '../../hal/linux/libcamera.js';
import { openSerialLine } from '../../hal/linux/serial-line.js';
import { StdioLine } from '../../hal/linux/stdio-line.js';
import { LinuxSystem, LinuxSystemClock, readBootId } from '../../hal/linux/system.js';
import { V4l2Commands } from '../../hal/linux/v4l2.js';
import {
  DeviceWatchdog,
  NoWatchdog,
  SystemdWatchdog,
  WATCHDOG_DEVICE,
  WATCHDOG_TIMEOUT,
} from '../../hal/linux/watchdogs.js';
import { MockCamera } from '../../hal/mock/camera.js';
import { MockIndicator, MockLightSensor, MockMotionSensor } from '../../hal/mock/peripherals.js';
import { buildScript } from '../../hal/mock/script.js';
import { MockSystemClock } from '../../hal/mock/system.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import type { Config } from '../config/keys.js';

export function keyStoreOf(config: Config): FileKeyStore {
  return new FileKeyStore(config['data.folder'], process.getuid?.() ?? 0);
}

/** One time for all: frames, timers and records count on the HAL's monotonic clock. */
export function agentClock(hal: Pick<Hal, 'clock'>): Clock {
  return { monotonicMs: () => hal.clock.monotonicMs(), wallMs: () => realClock.wallMs(), after: realClock.after };
}

function script(config: Config): ReturnType<typeof buildScript> {
  return buildScript(config['mock.scene'], config['mock.scenario'], config['mock.seed']);
}

export function cameraOf(config: Config, clock: Clock): Camera {
  const framesPerSecond = config['camera.framesPerSecond'];
  const wanted = { width: config['camera.width'], height: config['camera.height'], framesPerSecond };
  switch (config['camera.driver']) {
    case 'libcamera': {
      const taker = { clock, folder: tmpdir(), timeoutMs: STILL_TIMEOUT_MS };
      const commands = new LibcameraCommands({
        ...wanted,
        device: config['camera.device'],
        clock,
        takeStill: ({ width, height }, signal) => takeStill(taker, { width, height }, signal),
      });
      return new ChildCamera(commands, clock);
    }
    case 'v4l2':
      return new ChildCamera(new V4l2Commands({ ...wanted, device: config['camera.device'], clock }), clock);
    case 'mock':
      return new MockCamera({
        script: script(config),
        framesPerSecond,
        clock,
        pace: 'live',
        frameLimit: null,
        withLuma: true,
      });
    case 'replay': {
      const path = config['replay.path'];
      if (path === '')
        throw new SealcamError('config-invalid-value', 'replay.path: camera.driver is replay, but no file is named');
      return new ReplayCamera({
        path,
        clock,
        folderFramesPerSecond: framesPerSecond,
        pace: 'live',
        loop: config['replay.loop'],
      });
    }
  }
}

/** The line of a setting with its usual wiring, or null for none. */
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

function watchdogOf(config: Config, environment: Environment, clock: Clock, log: Log): Watchdog {
  switch (config['watchdog.driver']) {
    case 'none':
      return new NoWatchdog();
    case 'systemd':
      return new SystemdWatchdog({ environment, pid: process.pid, clock, log });
    case 'device':
      return new DeviceWatchdog({ path: WATCHDOG_DEVICE, timeoutPath: WATCHDOG_TIMEOUT, log });
  }
}

/** The line of the debug console. @throws SealcamError `serial-unavailable` */
export async function serialLineOf(config: Config, clock: Clock): Promise<SerialLine> {
  const path = config['serial.path'];
  return path === 'stdio' ? stdioLine() : openSerialLine(path, config['serial.baudRate'], clock);
}

/** The terminal that the program was started in. */
export function stdioLine(): SerialLine {
  return new StdioLine(process.stdin, process.stdout);
}

/** One who presses either presses the camera's button. */
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

/** `button` is pressed at the terminal, beside a real one where there is one. */
export function halOf(config: Config, environment: Environment, log: Log, button: Button): Hal {
  const bootId = readBootId(() => realRandom.bytes(16));
  const linuxClock = new LinuxSystemClock(realClock, bootId, RELEASED_MS);
  const hasScriptedClock = config['camera.driver'] === 'mock' && config['mock.scenario'] === 'clock-jump';
  const clock = hasScriptedClock
    ? new MockSystemClock({ ...realClock, monotonicMs: () => linuxClock.monotonicMs() }, script(config), bootId)
    : linuxClock;
  const timers = agentClock({ clock });
  const { realButton, ...peripherals } = peripheralsOf(config, timers, log);
  return {
    clock,
    ...peripherals,
    button: bothButtons(button, realButton),
    camera: cameraOf(config, timers),
    keyStore: keyStoreOf(config),
    system: new LinuxSystem(config['data.folder'], timers),
    watchdog: watchdogOf(config, environment, timers, log),
  };
}
