import { tmpdir } from 'node:os';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { CAMERA_DRIVERS, type CameraDriver } from '../../hal/camera-drivers.js';
import type { Camera } from '../../hal/camera.js';
import { FrameTap } from '../../hal/frame-tap.js';
import { JpegVideo } from '../../hal/jpeg-video.js';
import { ChildCamera, type CameraCommands } from '../../hal/linux/child-camera.js';
import { takeStill, STILL_TIMEOUT_MS } from '../../hal/linux/libcamera-still.js';
import { LibcameraCommands } from '../../hal/linux/libcamera.js';
import type { RequestedMode } from '../../hal/linux/offers.js';
import { RtspCommands } from '../../hal/linux/rtsp.js';
import { V4l2Commands } from '../../hal/linux/v4l2.js';
import { MockCamera } from '../../hal/mock/camera.js';
import { EncodedVideo } from '../../hal/mock/encoded-video.js';
import type { SceneScript } from '../../hal/mock/script.js';
import { buildScript } from '../../hal/mock/scenarios.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import { CopiedVideo } from '../../hal/replay/copied-video.js';
import type { VideoSource } from '../../hal/video-source.js';
import type { Config } from '../config/keys.js';

/** A camera with its video in H.264. */
interface EncodingCamera {
  readonly camera: Camera;
  readonly video: VideoSource;
}

type CameraFactory = (config: Config, clock: Clock) => EncodingCamera;

/** How each driver of hal/camera-drivers.ts is made; its constructor does no I/O. */
const FACTORIES = {
  mock: (config, clock) => {
    const camera = new FrameTap(
      new MockCamera({
        script: mockScript(config),
        framesPerSecond: config['camera.framesPerSecond'],
        clock,
        pace: 'live',
        frameLimit: null,
        withLuma: true,
      }),
    );
    return { camera, video: new EncodedVideo(camera) };
  },
  replay: (config, clock) => {
    const path = config['replay.path'];
    if (path === '') {
      throw new SealcamError('config-invalid-value', 'replay.path: camera.driver is replay, but no file is named');
    }
    const options = {
      path,
      clock,
      folderFramesPerSecond: config['camera.framesPerSecond'],
      pace: 'live',
      loop: config['replay.loop'],
    } as const;
    const replay = new ReplayCamera(options);
    const camera = new FrameTap(replay);
    return { camera, video: new CopiedVideo({ path, clock, camera, replay }) };
  },
  libcamera: (config, clock) => {
    const taker = { clock, folder: tmpdir(), timeoutMs: STILL_TIMEOUT_MS };
    const commands = new LibcameraCommands({
      ...wantedOf(config),
      device: config['camera.device'],
      clock,
      withVideo: wantsEncoder(config),
      takeStill: ({ width, height }, signal) => takeStill(taker, { width, height }, signal),
    });
    return childCamera(commands, clock);
  },
  v4l2: (config, clock) => {
    const options = { ...wantedOf(config), device: config['camera.device'], clock, withVideo: wantsEncoder(config) };
    return childCamera(new V4l2Commands(options), clock);
  },
  rtsp: (config, clock) => {
    const url = config['rtsp.url'];
    if (url === '') {
      throw new SealcamError('config-invalid-value', 'rtsp.url: camera.driver is rtsp, but no address is named');
    }
    const commands = new RtspCommands({
      ...wantedOf(config),
      url,
      credentialsFile: config['rtsp.credentialsFile'],
      clock,
      withVideo: wantsEncoder(config),
    });
    return childCamera(commands, clock);
  },
} satisfies Record<CameraDriver, CameraFactory>;

function wantsEncoder(config: Config): boolean {
  return config['clip.codec'] === 'h264';
}

function childCamera(commands: CameraCommands, clock: Clock): EncodingCamera {
  const camera = new ChildCamera(commands, clock);
  return { camera, video: camera.video };
}

export interface CameraAndVideo {
  readonly camera: Camera;
  /** Null where `clip.codec` is off. */
  readonly video: VideoSource | null;
}

/** Makes the configured camera and its video. @throws SealcamError `config-invalid-value` */
export function cameraOf(config: Config, clock: Clock): CameraAndVideo {
  const { camera, video } = FACTORIES[config['camera.driver']](config, clock);
  switch (config['clip.codec']) {
    case 'off':
      return { camera, video: null };
    case 'jpeg': {
      const tap = new FrameTap(camera);
      return { camera: tap, video: new JpegVideo(tap) };
    }
    case 'h264':
      checkMasks(config);
      return { camera, video };
  }
}

/** An encoder sees the whole picture, and what it has compressed cannot be masked. @throws SealcamError `config-invalid-value` */
function checkMasks(config: Config): void {
  if (config['privacy.masks'].length === 0) return;
  throw new SealcamError('config-invalid-value', 'clip.codec: h264 would show what privacy.masks hides', {
    hint: 'Set clip.codec to jpeg, whose frames are masked one by one.',
  });
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
