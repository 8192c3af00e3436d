import { tmpdir } from 'node:os';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { CAMERA_DRIVERS, type CameraDriver } from '../../hal/camera-drivers.js';
import type { Camera } from '../../hal/camera.js';
import { ChildCamera } from '../../hal/linux/child-camera.js';
import { takeStill, STILL_TIMEOUT_MS } from '../../hal/linux/libcamera-still.js';
import { LibcameraCommands } from '../../hal/linux/libcamera.js';
import type { RequestedMode } from '../../hal/linux/offers.js';
import { V4l2Commands } from '../../hal/linux/v4l2.js';
import { MockCamera } from '../../hal/mock/camera.js';
import type { SceneScript } from '../../hal/mock/script.js';
import { buildScript } from '../../hal/mock/scenarios.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import type { Config } from '../config/keys.js';

type CameraFactory = (config: Config, clock: Clock) => Camera;

/** How each driver of hal/camera-drivers.ts is made; its constructor does no I/O. */
const FACTORIES = {
  mock: (config, clock) =>
    new MockCamera({
      script: mockScript(config),
      framesPerSecond: config['camera.framesPerSecond'],
      clock,
      pace: 'live',
      frameLimit: null,
      withLuma: true,
    }),
  replay: (config, clock) => {
    const path = config['replay.path'];
    if (path === '') {
      throw new SealcamError('config-invalid-value', 'replay.path: camera.driver is replay, but no file is named');
    }
    return new ReplayCamera({
      path,
      clock,
      folderFramesPerSecond: config['camera.framesPerSecond'],
      pace: 'live',
      loop: config['replay.loop'],
    });
  },
  libcamera: (config, clock) => {
    const taker = { clock, folder: tmpdir(), timeoutMs: STILL_TIMEOUT_MS };
    const commands = new LibcameraCommands({
      ...wantedOf(config),
      device: config['camera.device'],
      clock,
      takeStill: ({ width, height }, signal) => takeStill(taker, { width, height }, signal),
    });
    return new ChildCamera(commands, clock);
  },
  v4l2: (config, clock) =>
    new ChildCamera(new V4l2Commands({ ...wantedOf(config), device: config['camera.device'], clock }), clock),
} satisfies Record<CameraDriver, CameraFactory>;

/** Makes the configured camera. @throws SealcamError `config-invalid-value` */
export function cameraOf(config: Config, clock: Clock): Camera {
  return FACTORIES[config['camera.driver']](config, clock);
}

/** Reports whether the camera shows no real place: then the development key, which is public, may open its console. */
export function hasSimulatedCamera(config: Config): boolean {
  return CAMERA_DRIVERS[config['camera.driver']].isSimulated;
}

/** Returns the script that a mock camera plays, and whose clock jumps the mock clock follows. */
export function mockScript(config: Config): SceneScript {
  return buildScript(config['mock.scene'], config['mock.scenario'], config['mock.seed']);
}

function wantedOf(config: Config): RequestedMode {
  return {
    width: config['camera.width'],
    height: config['camera.height'],
    framesPerSecond: config['camera.framesPerSecond'],
  };
}
