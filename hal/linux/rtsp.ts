import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import { copiedVideo, parseProbed, PROBE_ARGS, type ProbedStream } from '../probed-stream.js';
import type { CameraCommands, StreamPlan } from './child-camera.js';
import { runTool, type Command } from './child.js';
import { decodedPictures, streamCopy } from './ffmpeg-outputs.js';
import type { RequestedMode } from './offers.js';
import { rtspInput, type RtspInput } from './rtsp-address.js';

export interface RtspOptions extends RequestedMode {
  /** Without user and password. */
  readonly url: string;
  /** File with `user:password`; empty for none. */
  readonly credentialsFile: string;
  readonly clock: Clock;
  readonly withVideo: boolean;
}

const INSTALL_HINT = 'Install ffmpeg (Debian: apt install ffmpeg).';
/** Connecting, probing, and the first key unit, up to four seconds away. */
const FIRST_FRAME_MAX_MS = 15_000;
const PROBE_TIMEOUT_MS = 15_000;

/**
 * An IP camera, streamed by ffmpeg over TCP: its H.264 as it is, and pictures of it at the size and rate of the settings. ffmpeg ends with
 * status 0 when the camera dies, so every end that was not asked for is a failure.
 */
export class RtspCommands implements CameraCommands {
  readonly driver = 'rtsp';
  private readonly options: RtspOptions;

  constructor(options: RtspOptions) {
    this.options = options;
  }

  async plan(signal: AbortSignal): Promise<StreamPlan> {
    const { url, credentialsFile, width, framesPerSecond, withVideo } = this.options;
    const input = await rtspInput(url, credentialsFile);
    const found = await this.probe(input, signal);
    // The shape of the picture is the camera's; the height of the settings is not needed.
    const height = 2 * Math.max(1, Math.round((found.height * width) / found.width / 2));
    const wanted = { width, height, framesPerSecond };
    const video = withVideo ? copiedVideo(found) : undefined;
    const isCopied = video !== undefined && !(video instanceof SealcamError);
    return {
      model: new URL(url).hostname,
      ...wanted,
      command: streamCommand(input, wanted, isCopied),
      installHint: INSTALL_HINT,
      mayDeliverMore: false,
      firstFrameMaxMs: FIRST_FRAME_MAX_MS,
      ...(video === undefined ? {} : { video }),
    };
  }

  /** A camera in the network is shared; none of its users is known here. */
  deviceUsers(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  private async probe({ args, list, redact }: RtspInput, signal: AbortSignal): Promise<ProbedStream> {
    const command = { program: 'ffprobe', args: [...PROBE_ARGS, ...args], input: list, redact };
    const run = await runTool(command, this.options.clock, signal, PROBE_TIMEOUT_MS);
    if (!run.found) throw new SealcamError('ffmpeg-missing', 'ffprobe is not installed');
    const found = run.code === 0 ? parseProbed(run.stdout) : null;
    if (found !== null) return found;
    throw unavailable(this.options.url, run.timedOut ? 'no answer' : run.stderr.trim());
  }
}

function unavailable(url: string, stderr: string): SealcamError {
  const reason = stderr.split('\n').at(-1) ?? '';
  const isRefused = /401|403|Unauthorized|Forbidden/i.test(stderr);
  return new SealcamError('camera-unavailable', `${url}: ${reason === '' ? 'no video there' : reason}`, {
    hint: isRefused
      ? 'The camera refuses user or password: check rtsp.credentialsFile.'
      : 'Check rtsp.url, and that the camera is on and reachable from here by TCP.',
  });
}

function streamCommand(input: RtspInput, wanted: RequestedMode, hasSecondOutput: boolean): Command {
  return {
    program: 'ffmpeg',
    args: [
      '-hide_banner',
      '-nostdin',
      '-loglevel',
      'error',
      ...input.args,
      ...(hasSecondOutput ? streamCopy() : []),
      ...decodedPictures(wanted),
    ],
    hasSecondOutput,
    input: input.list,
    redact: input.redact,
  };
}
