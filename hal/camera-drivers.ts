/**
 * The camera drivers by name, with what the program must know of one before it makes it. To add a driver: write it under
 * hal/, give it a row here, and a factory in agent/main/cameras.ts. A missing factory does not compile.
 */
export interface CameraDriverFacts {
  /** Its frames show no real place, so the console accepts the public development key and can press the button. */
  readonly isSimulated: boolean;
  /** Its stream may end for good, as a file does; any other camera is opened again. */
  readonly endsByItself: boolean;
  /** `sealcam doctor` opens the camera, and reports its model and mode. */
  readonly isHardware: boolean;
  /** `sealcam doctor` reports whether ffmpeg is installed. */
  readonly needsFfmpeg: boolean;
}

export const CAMERA_DRIVERS = {
  mock: { isSimulated: true, endsByItself: false, isHardware: false, needsFfmpeg: false },
  replay: { isSimulated: true, endsByItself: true, isHardware: false, needsFfmpeg: true },
  libcamera: { isSimulated: false, endsByItself: false, isHardware: true, needsFfmpeg: false },
  v4l2: { isSimulated: false, endsByItself: false, isHardware: true, needsFfmpeg: false },
  rtsp: { isSimulated: false, endsByItself: false, isHardware: true, needsFfmpeg: true },
} as const satisfies Record<string, CameraDriverFacts>;

export type CameraDriver = keyof typeof CAMERA_DRIVERS;

function isCameraDriver(name: string): name is CameraDriver {
  return Object.hasOwn(CAMERA_DRIVERS, name);
}

/** The values of the setting `camera.driver`. */
export const CAMERA_DRIVER_NAMES: readonly CameraDriver[] = Object.keys(CAMERA_DRIVERS).filter(isCameraDriver);
