import { readdir, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { CameraCommands, StreamPlan } from './child-camera.js';
import { runTool, type Command } from './child.js';
import { usersOf } from './device-users.js';
import { decodedPictures, JPEG_OUTPUT, streamCopy } from './ffmpeg-outputs.js';
import type { RequestedMode } from './offers.js';
import { chooseFormat, parseFfmpegFormats, parseV4l2Ctl, type V4l2Format } from './v4l2-formats.js';

export interface V4l2Options extends RequestedMode {
  /** Path of the device; empty for /dev/video0. */
  readonly device: string;
  readonly clock: Clock;
  readonly withVideo: boolean;
}

const INSTALL_HINT = 'Install ffmpeg (Debian: apt install ffmpeg), and v4l-utils to list frame rates.';
/** gst-launch parses its arguments again, so a path must have no character with a meaning there. */
const DEVICE_PATH = /^\/dev\/[\w/.:-]+$/;
/** The name in ffmpeg. */
const H264 = 'h264';
const JPEG_QSCALE = '5';

/** A camera of Video4Linux, as most on USB are. */
export class V4l2Commands implements CameraCommands {
  readonly driver = 'v4l2';
  private readonly options: V4l2Options;
  private readonly device: string;

  constructor(options: V4l2Options) {
    this.options = options;
    this.device = options.device === '' ? '/dev/video0' : options.device;
  }

  async plan(signal: AbortSignal): Promise<StreamPlan> {
    const { clock, width, height, framesPerSecond } = this.options;
    await this.checkDevice();
    const model = await this.modelName();
    const ffmpeg = await runTool({ program: 'ffmpeg', args: ['-version'] }, clock, signal);
    const formats = await this.formats(ffmpeg.found, signal);
    const encoded = this.options.withVideo ? this.videoPlan(model, formats, ffmpeg.found) : undefined;
    if (encoded !== undefined && !(encoded instanceof SealcamError)) return encoded;
    const pictures = formats.filter(({ name }) => name !== H264);
    const { format, framesPerSecond: rate } = chooseFormat(model, pictures, this.options);
    const wanted = { width, height, framesPerSecond: rate };
    const command = ffmpeg.found ? ffmpegCommand(this.device, format, wanted) : gstCommand(this.device, format, wanted);
    const plan = { model, width, height, framesPerSecond, command, installHint: INSTALL_HINT, mayDeliverMore: true };
    return encoded === undefined ? plan : { ...plan, video: encoded };
  }

  /** Returns the plan for a camera with an encoder: its H.264 as it is, and pictures of it. */
  private videoPlan(model: string, formats: readonly V4l2Format[], hasFfmpeg: boolean): StreamPlan | SealcamError {
    const offered = formats.filter(({ name }) => name === H264);
    if (offered.length === 0) return new SealcamError('video-unsupported', `${model} offers no H.264`);
    if (!hasFfmpeg) return new SealcamError('video-unsupported', 'ffmpeg is not installed', { hint: INSTALL_HINT });
    const { format, framesPerSecond: rate } = chooseFormat(model, offered, this.options);
    const { width, height, framesPerSecond } = this.options;
    const input = ffmpegInput(this.device, format, { width, height, framesPerSecond: rate });
    const args = [...input, ...streamCopy(), ...decodedPictures({ width, height, framesPerSecond })];
    return {
      model,
      width,
      height,
      framesPerSecond,
      command: { program: 'ffmpeg', args, hasSecondOutput: true },
      installHint: INSTALL_HINT,
      mayDeliverMore: false,
      // How far apart the key units are only the camera knows.
      video: { codec: H264, width, height, framesPerSecond: rate, keyIntervalMs: null },
    };
  }

  deviceUsers(): Promise<readonly string[]> {
    return usersOf((path) => path === this.device);
  }

  private async checkDevice(): Promise<void> {
    if (!DEVICE_PATH.test(this.device)) {
      throw new SealcamError('camera-unavailable', `camera.device: ${this.device} is not a device of /dev`);
    }
    const kind = await stat(this.device).catch(() => null);
    if (kind?.isCharacterDevice() === true) return;
    const others = (await readdir('/dev').catch(() => [])).filter((name) => /^video\d+$/.test(name));
    const there = others.length === 0 ? 'there is no video device' : `there is /dev/${others.join(', /dev/')}`;
    throw new SealcamError('camera-unavailable', `${this.device} is not a camera; ${there}`);
  }

  private async modelName(): Promise<string> {
    const path = `/sys/class/video4linux/${basename(this.device)}/name`;
    return (await readFile(path, 'utf8').catch(() => '')).trim() || basename(this.device);
  }

  private async formats(hasFfmpeg: boolean, signal: AbortSignal): Promise<readonly V4l2Format[]> {
    const { clock } = this.options;
    const v4l2Ctl = { program: 'v4l2-ctl', args: ['-d', this.device, '--list-formats-ext'] };
    const listed = await runTool(v4l2Ctl, clock, signal);
    if (listed.found && listed.code === 0) return parseV4l2Ctl(listed.stdout);
    if (!hasFfmpeg) {
      throw new SealcamError('camera-unavailable', 'neither ffmpeg nor v4l2-ctl is installed', { hint: INSTALL_HINT });
    }
    // ffmpeg always ends this listing with the error "immediate exit requested".
    const args = ['-hide_banner', '-nostdin', '-f', 'v4l2', '-list_formats', 'all', '-i', this.device];
    const asked = await runTool({ program: 'ffmpeg', args }, clock, signal);
    if (/resource busy/i.test(asked.stderr)) {
      const users = await this.deviceUsers();
      throw new SealcamError(
        'camera-unavailable',
        `${this.device} is busy, used by ${users.join(', ') || 'another program'}`,
      );
    }
    return parseFfmpegFormats(asked.stderr);
  }
}

function ffmpegInput(device: string, format: V4l2Format, { width, height, framesPerSecond }: RequestedMode): string[] {
  return [
    '-hide_banner',
    '-nostdin',
    '-loglevel',
    'error',
    '-f',
    'v4l2',
    '-input_format',
    format.name,
    '-video_size',
    `${String(width)}x${String(height)}`,
    '-framerate',
    String(framesPerSecond),
    '-i',
    device,
  ];
}

function ffmpegCommand(device: string, format: V4l2Format, wanted: RequestedMode): Command {
  // Cameras leave out the Huffman tables that a JPEG file needs; the filter adds them without compressing again.
  const encode = format.isJpeg ? ['-c:v', 'copy', '-bsf:v', 'mjpeg2jpeg'] : ['-c:v', 'mjpeg', '-q:v', JPEG_QSCALE];
  return { program: 'ffmpeg', args: [...ffmpegInput(device, format, wanted), '-an', ...encode, ...JPEG_OUTPUT] };
}

function gstCommand(device: string, format: V4l2Format, { width, height }: RequestedMode): Command {
  const size = `width=${String(width)},height=${String(height)}`;
  const encode = format.isJpeg ? [`image/jpeg,${size}`] : [`video/x-raw,${size}`, '!', 'videoconvert', '!', 'jpegenc'];
  return {
    program: 'gst-launch-1.0',
    args: ['-q', 'v4l2src', `device=${device}`, '!', ...encode, '!', 'fdsink', 'fd=1'],
  };
}
