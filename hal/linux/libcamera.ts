import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { CameraCommands, StreamPlan } from './child-camera.js';
import { runTool, type Command, type ToolRun } from './child.js';
import { usersOf } from './device-users.js';
import {
  checkModes,
  chooseCamera,
  parseCamList,
  parseHelloList,
  type ListedCamera,
  type RequestedMode,
} from './offers.js';

export interface LibcameraOptions extends RequestedMode {
  /** Number or id of the camera; empty for the first. */
  readonly device: string;
  readonly clock: Clock;
  readonly takeStill?: NonNullable<CameraCommands['takeStill']>;
}

/** The camera programs of Raspberry Pi under their new and their old names. */
const CAMERA_PROGRAMS = [
  { list: 'rpicam-hello', stream: 'rpicam-vid' },
  { list: 'libcamera-hello', stream: 'libcamera-vid' },
] as const;
const JPEG_QUALITY = '80';
const INSTALL_HINT =
  'Install rpicam-apps (Raspberry Pi OS), or gstreamer1.0-tools, gstreamer1.0-libcamera and gstreamer1.0-plugins-good (Debian).';

/** A camera of libcamera, streamed by the first of its programs that is installed. */
export class LibcameraCommands implements CameraCommands {
  readonly driver = 'libcamera';
  readonly takeStill?: NonNullable<CameraCommands['takeStill']>;
  private readonly options: LibcameraOptions;

  constructor(options: LibcameraOptions) {
    this.options = options;
    if (options.takeStill !== undefined) this.takeStill = options.takeStill;
  }

  async plan(signal: AbortSignal): Promise<StreamPlan> {
    const { clock, device } = this.options;
    for (const { list, stream } of CAMERA_PROGRAMS) {
      const run = await runTool({ program: list, args: ['--list-cameras'] }, clock, signal);
      if (!run.found) continue;
      checkRun(list, run);
      // Older versions list on stderr, among the log of libcamera.
      const camera = chooseCamera(parseHelloList(`${run.stdout}\n${run.stderr}`), device);
      checkModes(camera, this.options);
      return this.planOf(camera.model, appCommand(stream, camera, this.options), false);
    }
    const listed = await runTool({ program: 'cam', args: ['-l'] }, clock, signal);
    const gst = await runTool({ program: 'gst-launch-1.0', args: ['--version'] }, clock, signal);
    if (!gst.found) {
      throw new SealcamError(
        'camera-unavailable',
        'none of rpicam-vid, libcamera-vid and gst-launch-1.0 is installed',
        {
          hint: INSTALL_HINT,
        },
      );
    }
    if (!listed.found) return this.planOf('libcamera', gstCommand(device, this.options), true);
    checkRun('cam', listed);
    const camera = chooseCamera(parseCamList(listed.stdout), device);
    return this.planOf(camera.model, gstCommand(camera.id, this.options), true);
  }

  deviceUsers(): Promise<readonly string[]> {
    return usersOf((path) => /^\/dev\/(media|video|v4l-subdev)\d+$/.test(path));
  }

  private planOf(model: string, command: Command, mayDeliverMore: boolean): StreamPlan {
    const { width, height, framesPerSecond } = this.options;
    return { model, width, height, framesPerSecond, command, installHint: INSTALL_HINT, mayDeliverMore };
  }
}

function checkRun(program: string, { timedOut, code, stderr }: ToolRun): void {
  if (timedOut) throw new SealcamError('camera-unavailable', `${program} did not answer`);
  if (code === 0) return;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  throw new SealcamError('camera-unavailable', `${program} ended with status ${String(code)}: ${last}`);
}

function appCommand(program: string, { index }: ListedCamera, wanted: RequestedMode): Command {
  const { width, height, framesPerSecond } = wanted;
  return {
    program,
    args: [
      '--camera',
      String(index),
      '--codec',
      'mjpeg',
      '--quality',
      JPEG_QUALITY,
      '--width',
      String(width),
      '--height',
      String(height),
      '--framerate',
      String(framesPerSecond),
      '-t',
      '0',
      '-n',
      '--flush',
      '-o',
      '-',
    ],
  };
}

/** Returns the pipeline of GStreamer, without a frame rate in the caps, with which libcamerasrc was seen to hang. */
function gstCommand(id: string, { width, height }: RequestedMode): Command {
  // gst-launch joins its arguments and parses the result, so other characters in a name could add to the pipeline.
  if (!/^[\w./@:\\-]*$/.test(id)) {
    throw new SealcamError('camera-unavailable', `camera.device: ${id} is not the name of a camera`);
  }
  const caps = `video/x-raw,format=NV12,width=${String(width)},height=${String(height)}`;
  const source = id === '' ? ['libcamerasrc'] : ['libcamerasrc', `camera-name=${id.replaceAll('\\', '\\\\')}`];
  return {
    program: 'gst-launch-1.0',
    args: ['-q', ...source, '!', caps, '!', 'jpegenc', '!', 'fdsink', 'fd=1'],
  };
}
