import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { CameraCommands, StreamPlan } from './child-camera.js';
import { runTool, SECOND_OUTPUT_FD, type Command, type ToolRun } from './child.js';
import { usersOf } from './device-users.js';
import { appEncoder, encodedVideo, gstEncoder } from './encoders.js';
import { decodedPictures, streamCopy } from './ffmpeg-outputs.js';
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
  readonly withVideo: boolean;
  readonly takeStill?: NonNullable<CameraCommands['takeStill']>;
}

/** The camera programs of Raspberry Pi under their new and their old names. */
const CAMERA_PROGRAMS = [
  { list: 'rpicam-hello', stream: 'rpicam-vid' },
  { list: 'libcamera-hello', stream: 'libcamera-vid' },
] as const;
const JPEG_QUALITY = '80';
/** The sensor wakes up, and ffmpeg looks at the stream. */
const FIRST_PICTURE_MAX_MS = 10_000;
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
    const { clock, device, withVideo } = this.options;
    for (const { list, stream } of CAMERA_PROGRAMS) {
      const run = await runTool({ program: list, args: ['--list-cameras'] }, clock, signal);
      if (!run.found) continue;
      checkRun(list, run);
      // Older versions list on stderr, among the log of libcamera.
      const camera = chooseCamera(parseHelloList(`${run.stdout}\n${run.stderr}`), device);
      checkModes(camera, this.options);
      const plan = this.planOf(camera.model, appCommand(stream, camera, this.options), false);
      return withVideo ? this.withAppVideo(plan, stream, camera, signal) : plan;
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
    let [model, id] = ['libcamera', device];
    if (listed.found) {
      checkRun('cam', listed);
      ({ model, id } = chooseCamera(parseCamList(listed.stdout), device));
    }
    const plan = this.planOf(model, gstCommand(id, this.options), true);
    return withVideo ? this.withGstVideo(plan, id, signal) : plan;
  }

  /** rpicam-vid has one output, so ffmpeg takes the pictures from its video. */
  private async withAppVideo(
    plan: StreamPlan,
    program: string,
    camera: ListedCamera,
    signal: AbortSignal,
  ): Promise<StreamPlan> {
    const ffmpeg = await runTool({ program: 'ffmpeg', args: ['-version'] }, this.options.clock, signal);
    const missing = 'without ffmpeg rpicam-vid gives either video or pictures';
    if (!ffmpeg.found) return { ...plan, video: new SealcamError('video-unsupported', missing) };
    const command = appVideoCommand(program, camera, this.options);
    return { ...plan, command, video: encodedVideo(this.options), firstFrameMaxMs: FIRST_PICTURE_MAX_MS };
  }

  private async withGstVideo(plan: StreamPlan, id: string, signal: AbortSignal): Promise<StreamPlan> {
    const encoder = await gstEncoder(this.options.framesPerSecond, this.options.clock, signal);
    if (encoder instanceof SealcamError) return { ...plan, video: encoder };
    return { ...plan, command: gstVideoCommand(id, this.options, encoder), video: encodedVideo(this.options) };
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

function appCommand(program: string, camera: ListedCamera, wanted: RequestedMode): Command {
  return { program, args: appArgs(camera, wanted, ['--codec', 'mjpeg', '--quality', JPEG_QUALITY]) };
}

function appVideoCommand(program: string, camera: ListedCamera, wanted: RequestedMode): Command {
  const rate = String(wanted.framesPerSecond);
  const input = ['-f', 'h264', '-framerate', rate, '-probesize', '65536', '-i', 'pipe:0'];
  const outputs = [...streamCopy(), ...decodedPictures(wanted)];
  const ffmpeg = ['ffmpeg', '-hide_banner', '-nostdin', '-loglevel', 'error', ...input, ...outputs].join(' ');
  // The shell's own text holds numbers and constants alone; what is configured reaches it as arguments.
  const args = appArgs(camera, wanted, appEncoder(wanted.framesPerSecond));
  return { program: 'sh', args: ['-c', `"$@" | ${ffmpeg}`, 'sh', program, ...args], hasSecondOutput: true };
}

function appArgs({ index }: ListedCamera, wanted: RequestedMode, codec: readonly string[]): string[] {
  const { width, height, framesPerSecond } = wanted;
  return [
    '--camera',
    String(index),
    ...codec,
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
  ];
}

/** Returns the pipeline of GStreamer for pictures alone, without a frame rate in the caps, with which libcamerasrc was seen to hang. */
function gstCommand(id: string, wanted: RequestedMode): Command {
  return { program: 'gst-launch-1.0', args: ['-q', ...gstSource(id, wanted), '!', 'jpegenc', '!', 'fdsink', 'fd=1'] };
}

/** Returns the pipeline with both outputs. Without the part that keeps the rate it was seen to end in SIGABRT. */
function gstVideoCommand(id: string, wanted: RequestedMode, encoder: readonly string[]): Command {
  const rate = `video/x-raw,framerate=${String(wanted.framesPerSecond)}/1`;
  const newest = ['queue', 'max-size-buffers=1', 'leaky=downstream'];
  const paced = [...gstSource(id, wanted), '!', ...newest, '!', 'videorate', 'drop-only=true', '!', rate];
  const pictures = ['t.', '!', ...newest, '!', 'jpegenc', '!', 'fdsink', 'fd=1', 'sync=false'];
  const units = ['h264parse', 'config-interval=-1', '!', 'video/x-h264,stream-format=byte-stream,alignment=au'];
  const sink = ['fdsink', `fd=${String(SECOND_OUTPUT_FD)}`, 'sync=false'];
  const video = ['t.', '!', ...newest, '!', 'videoconvert', '!', ...encoder, '!', ...units, '!', ...sink];
  const args = ['-q', ...paced, '!', 'tee', 'name=t', ...pictures, ...video];
  return { program: 'gst-launch-1.0', args, hasSecondOutput: true };
}

function gstSource(id: string, { width, height }: RequestedMode): string[] {
  // gst-launch joins its arguments and parses the result, so other characters in a name could add to the pipeline.
  if (!/^[\w./@:\\-]*$/.test(id)) {
    throw new SealcamError('camera-unavailable', `camera.device: ${id} is not the name of a camera`);
  }
  const caps = `video/x-raw,format=NV12,width=${String(width)},height=${String(height)}`;
  const source = id === '' ? ['libcamerasrc'] : ['libcamerasrc', `camera-name=${id.replaceAll('\\', '\\\\')}`];
  return [...source, '!', caps];
}
