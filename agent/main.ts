import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../common/adapters/real-clock.js';
import { realRandom } from '../common/adapters/real-random.js';
import type { Clock } from '../common/clock.js';
import { SealcamError } from '../common/errors.js';
import { RELEASED_MS } from '../common/version.js';
import type { Camera } from '../hal/camera.js';
import type { Hal } from '../hal/hal.js';
import { FileKeyStore } from '../hal/linux/key-store.js';
import { LinuxSystem, LinuxSystemClock, readBootId } from '../hal/linux/system.js';
import { MockCamera } from '../hal/mock/camera.js';
import { MockButton, MockIndicator, MockLightSensor, MockMotionSensor, MockWatchdog } from '../hal/mock/peripherals.js';
import { buildScript } from '../hal/mock/script.js';
import { MockSystemClock } from '../hal/mock/system.js';
import { ReplayCamera } from '../hal/replay/camera.js';
import { nodeSuite } from '../protocol/crypto/node.js';
import { makeDataFolder } from './adapters/data-folder.js';
import { uplinkFile } from './adapters/uplink-file.js';
import { Agent } from './agent.js';
import { configureImages } from './capture/jpeg.js';
import type { Config } from './config/keys.js';
import { createLog, type LevelLog } from '../common/adapters/pino-log.js';
import { mqttSocket } from './uplink/mqtt-socket.js';

/** The composition root of the camera: real clock, real randomness, drivers by configuration. */
export interface Composition {
  readonly agent: Agent;
  readonly log: LevelLog;
  /** The mock's button; real ones are pressed with a finger. */
  readonly button: MockButton;
}

export function keyStoreOf(config: Config): FileKeyStore {
  return new FileKeyStore(config['data.folder'], process.getuid?.() ?? 0);
}

/** One time for all: frames, timers and records count on the HAL's monotonic clock. */
function agentClock(hal: Pick<Hal, 'clock'>): Clock {
  return { monotonicMs: () => hal.clock.monotonicMs(), wallMs: () => realClock.wallMs(), after: realClock.after };
}

function script(config: Config): ReturnType<typeof buildScript> {
  return buildScript(config['mock.scene'], config['mock.scenario'], config['mock.seed']);
}

function cameraOf(config: Config, clock: Clock): Camera {
  const framesPerSecond = config['camera.framesPerSecond'];
  switch (config['camera.driver']) {
    case 'mock':
      return new MockCamera({
        ...{ script: script(config), framesPerSecond, clock },
        ...{ pace: 'live', frameLimit: null, withLuma: true },
      });
    case 'replay': {
      const path = config['replay.path'];
      if (path === '')
        throw new SealcamError('config-invalid-value', 'replay.path: camera.driver is replay, but no file is named');
      return new ReplayCamera({
        ...{ path, clock, folderFramesPerSecond: framesPerSecond },
        ...{ pace: 'live', loop: config['replay.loop'] },
      });
    }
  }
}

function halOf(config: Config): Hal & { readonly button: MockButton } {
  const bootId = readBootId(() => realRandom.bytes(16));
  const linuxClock = new LinuxSystemClock(realClock, bootId, RELEASED_MS);
  const hasScriptedClock = config['camera.driver'] === 'mock' && config['mock.scenario'] === 'clock-jump';
  const clock = hasScriptedClock
    ? new MockSystemClock({ ...realClock, monotonicMs: () => linuxClock.monotonicMs() }, script(config), bootId)
    : linuxClock;
  return {
    clock,
    camera: cameraOf(config, agentClock({ clock })),
    motionSensor: new MockMotionSensor(),
    button: new MockButton(),
    indicator: new MockIndicator(),
    light: new MockLightSensor(),
    keyStore: keyStoreOf(config),
    system: new LinuxSystem(config['data.folder']),
    watchdog: new MockWatchdog(),
  };
}

function readSecret(path: string, setting: string): string | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new SealcamError('config-invalid-value', `${setting}: ${path} cannot be read`, { cause });
  }
}

/** Wires an agent from its configuration. @throws SealcamError when keys, queue or configuration cannot be used */
export function compose(config: Config, output: NodeJS.WritableStream, onWindow: (open: boolean) => void): Composition {
  configureImages();
  makeDataFolder(config['data.folder']);
  const log = createLog(config['log.level'], output);
  const hal = halOf(config);
  const agent = new Agent(config, {
    ...{ hal, log, onWindow, suite: nodeSuite, random: realRandom, clock: agentClock(hal) },
    uplinkStore: uplinkFile(join(config['data.folder'], 'uplink.json'), log),
    openSocket: (will, device) =>
      mqttSocket({
        ...{ will, device, url: config['uplink.url'], keepAliveMs: config['uplink.keepAlive'] },
        password: readSecret(config['uplink.passwordFile'], 'uplink.passwordFile'),
        ca: readSecret(config['uplink.caFile'], 'uplink.caFile'),
      }),
  });
  return { agent, log, button: hal.button };
}
