import { accessSync, constants } from 'node:fs';
import { realClock } from '../../common/adapters/real-clock.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { CAMERA_DRIVERS } from '../../hal/camera-drivers.js';
import { gpioChipPath, gpiodVersion } from '../../hal/linux/gpio-tools.js';
import { LinuxSystem } from '../../hal/linux/system.js';
import { hasSystemdNotify, WATCHDOG_DEVICE } from '../../hal/linux/watchdogs.js';
import type { WatchdogDriver } from '../../hal/peripherals.js';
import type { Config } from '../config/keys.js';
import { cameraOf } from '../main/cameras.js';
import { serialLineOf } from '../main/drivers.js';
import { checkVideo } from './doctor-video.js';

export interface Check {
  readonly name: string;
  readonly run: () => Promise<string> | string;
}

const CHECK_TIMEOUT_MS = 15_000;

/** Returns the checks of the configured drivers; hardware that is not configured is not touched. */
export function hardwareChecks(config: Config, environment: Environment): readonly Check[] {
  const { isHardware } = CAMERA_DRIVERS[config['camera.driver']];
  const watchdog = WATCHDOG_CHECKS[config['watchdog.driver']];
  const lines = (['gpio.buttonLine', 'gpio.motionLine', 'gpio.irCutLine', 'gpio.ledLine'] as const).filter(
    (setting) => config[setting] >= 0,
  );
  return [
    { name: 'board', run: () => checkBoard(config) },
    ...(isHardware ? [{ name: 'camera', run: () => checkCamera(config) }] : []),
    ...(config['clip.codec'] === 'off' ? [] : [{ name: 'video', run: () => checkVideo(config) }]),
    ...(lines.length > 0 ? [{ name: 'gpio', run: () => checkGpio(config, lines) }] : []),
    ...(config['serial.path'] === '' ? [] : [{ name: 'serial line', run: () => checkSerialLine(config) }]),
    ...(watchdog === null ? [] : [{ name: 'watchdog', run: () => watchdog(environment) }]),
  ];
}

async function checkBoard(config: Config): Promise<string> {
  const { warnings, temperatureDeciC } = await new LinuxSystem(config['data.folder'], realClock).status();
  const temperature = temperatureDeciC === null ? 'temperature unknown' : `${(temperatureDeciC / 10).toFixed(1)} °C`;
  return warnings.length === 0 ? temperature : `${temperature}; warning: ${warnings.join('; ')}`;
}

async function checkCamera(config: Config): Promise<string> {
  const { camera } = cameraOf({ ...config, 'clip.codec': 'off' }, realClock);
  const { model, width, height, framesPerSecond } = await camera.open(AbortSignal.timeout(CHECK_TIMEOUT_MS));
  await camera.close();
  return `${model}, ${String(width)}x${String(height)} at ${String(framesPerSecond)} frames per second`;
}

async function checkGpio(config: Config, lines: readonly string[]): Promise<string> {
  const version = await gpiodVersion(realClock, AbortSignal.timeout(CHECK_TIMEOUT_MS));
  const path = gpioChipPath(config['gpio.chip']);
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new SealcamError('gpio-unavailable', `${path} does not exist, or this user may not open it`, { cause });
  }
  return `gpiod ${String(version)}, ${path}, ${String(lines.length)} lines`;
}

async function checkSerialLine(config: Config): Promise<string> {
  if (config['serial.path'] === 'stdio') return 'stdin and stdout';
  const line = await serialLineOf(config, realClock);
  await line.close();
  return `${config['serial.path']} opens`;
}

type Environment = ConfigSource['environment'];

/** The check of each watchdog driver; null for one that needs nothing. */
const WATCHDOG_CHECKS: Readonly<
  Record<WatchdogDriver, ((environment: Environment) => Promise<string> | string) | null>
> = {
  none: null,
  systemd: checkSystemdWatchdog,
  device: checkDeviceWatchdog,
};

async function checkSystemdWatchdog(environment: Environment): Promise<string> {
  if (!(await hasSystemdNotify(realClock, AbortSignal.timeout(CHECK_TIMEOUT_MS))))
    throw new SealcamError('watchdog-unavailable', 'systemd-notify is not installed', { hint: 'Install systemd.' });
  const isService = (environment['NOTIFY_SOCKET'] ?? '') !== '';
  return isService
    ? 'systemd listens'
    : 'systemd-notify is installed; whether the unit listens shows only in the service';
}

/** Checks only the permission: opening the device would start the watchdog. */
function checkDeviceWatchdog(): string {
  try {
    accessSync(WATCHDOG_DEVICE, constants.W_OK);
  } catch (cause) {
    throw new SealcamError('watchdog-unavailable', `${WATCHDOG_DEVICE} does not exist, or this user may not open it`, {
      cause,
    });
  }
  return WATCHDOG_DEVICE;
}
