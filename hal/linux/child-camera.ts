import { isAborted } from '../../common/abort.js';
import type { Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Camera, CameraInfo, Frame } from '../camera.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import { VideoFeed } from '../video-feed.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../video-source.js';
import type { Command } from './child.js';
import { ChildStream } from './child-stream.js';

/** What a probed camera will deliver, and the command that streams it. */
export interface StreamPlan {
  readonly model: string;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly command: Command;
  readonly installHint: string;
  /** The command takes no frame rate, or the camera may not keep to it. */
  readonly mayDeliverMore: boolean;
  /** What the second output of the command carries, or why it has none; omitted where no video was asked for. */
  readonly video?: VideoInfo | SealcamError;
  /** Silence allowed before the first frame; {@link FIRST_FRAME_MAX_MS} if omitted. */
  readonly firstFrameMaxMs?: number;
}

/** Time in which a sensor wakes up. */
const FIRST_FRAME_MAX_MS = 5000;

/** One kind of camera: how to probe it, how to stream it, which processes hold it. */
export interface CameraCommands {
  readonly driver: CameraInfo['driver'];
  /** Probes the camera. @throws SealcamError `camera-unavailable`, with what the camera offers instead */
  plan(signal: AbortSignal): Promise<StreamPlan>;
  /** Returns the processes that hold the camera, for an error message. */
  deviceUsers(): Promise<readonly string[]>;
  /** Takes a picture while nothing streams; where it is missing, the first frame of a stream is used. */
  readonly takeStill?: (plan: StreamPlan, signal: AbortSignal) => Promise<Uint8Array>;
}

/** A camera that a program of the system streams, as a child process, with video as its second output. */
export class ChildCamera implements Camera {
  readonly video: VideoSource = {
    open: (signal) => this.openVideo(signal),
    units: (signal) => this.units(signal),
  };
  private readonly feed = new VideoFeed();
  private mustRestart = false;
  private frameCount = 0;
  private readonly commands: CameraCommands;
  private readonly clock: Clock;
  private plan: StreamPlan | null = null;
  private stream: ChildStream | null = null;

  constructor(commands: CameraCommands, clock: Clock) {
    this.commands = commands;
    this.clock = clock;
  }

  async open(signal: AbortSignal): Promise<CameraInfo> {
    this.plan ??= await this.commands.plan(signal);
    const { model, width, height, framesPerSecond } = this.plan;
    return { driver: this.commands.driver, model, width, height, framesPerSecond, timeBase: 'live' };
  }

  async *frames(signal: AbortSignal): AsyncIterable<Frame> {
    const { plan } = this;
    if (plan === null) throw new SealcamError('camera-unavailable', 'the camera is not open');
    if (this.stream !== null) throw new SealcamError('camera-unavailable', 'the camera streams already');
    this.frameCount = 0;
    try {
      for (let isFirst = true; isFirst || this.mustRestart; isFirst = false) {
        this.mustRestart = false;
        yield* this.run(plan, signal);
      }
    } finally {
      this.feed.fail(new SealcamError('video-ended', 'the frames of the camera ended'));
    }
  }

  async still(signal: AbortSignal): Promise<Frame> {
    const { plan } = this;
    if (plan === null) throw new SealcamError('camera-unavailable', 'the camera is not open');
    // A second program cannot open a camera that streams, and the newest frame has the full size.
    if (this.stream !== null) return this.stream.latest ?? this.firstOf(this.stream, signal);
    const { takeStill } = this.commands;
    if (takeStill !== undefined) {
      const jpeg = await takeStill(plan, signal);
      return { jpeg, monotonicMs: Math.round(this.clock.monotonicMs()), index: 0 };
    }
    for await (const frame of this.frames(signal)) return frame;
    throw new SealcamError('camera-ended', 'the camera stopped before its first picture');
  }

  async close(): Promise<void> {
    this.plan = null;
    await this.stream?.stop();
  }

  /** Delivers the frames of one run of the program. */
  private async *run(plan: StreamPlan, signal: AbortSignal): AsyncGenerator<Frame> {
    if (signal.aborted) return;
    const stream = new ChildStream({
      command: plan.command,
      clock: this.clock,
      installHint: plan.installHint,
      deviceUsers: () => this.commands.deviceUsers(),
      thinToFramesPerSecond: plan.mayDeliverMore ? plan.framesPerSecond : null,
      feed: this.feed,
      firstFrameMaxMs: plan.firstFrameMaxMs ?? FIRST_FRAME_MAX_MS,
      firstIndex: this.frameCount,
    });
    this.stream = stream;
    const interrupt = (): void => {
      stream.interrupt();
    };
    signal.addEventListener('abort', interrupt, { once: true });
    let isSizeKnown = false;
    try {
      for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
        if (isAborted(signal)) return;
        isSizeKnown ||= hasRightSize(plan, frame);
        this.frameCount = frame.index + 1;
        yield frame;
      }
    } finally {
      signal.removeEventListener('abort', interrupt);
      await stream.stop();
      this.stream = null;
    }
  }

  private async openVideo(signal: AbortSignal): Promise<VideoInfo> {
    await this.open(signal);
    const video = this.plan?.video ?? new SealcamError('video-unsupported', 'no video was asked for');
    if (video instanceof SealcamError) throw video;
    return video;
  }

  /** Delivers the video. An encoder that died needs another run of the program, which its frames wait for. */
  private units(signal: AbortSignal): AsyncIterable<VideoUnit> {
    if (this.stream?.hasDeadVideo === true) {
      this.mustRestart = true;
      this.stream.interrupt();
    }
    return this.feed.units(signal);
  }

  private async firstOf(stream: ChildStream, signal: AbortSignal): Promise<Frame> {
    while (!signal.aborted && stream === this.stream) {
      if (stream.latest !== null) return stream.latest;
      await new Promise<void>((resolve) => this.clock.after(50, resolve));
    }
    throw new SealcamError('camera-ended', 'the camera stopped before its first picture');
  }
}

/**
 * Checks that frames have the size that was asked for, because a driver may choose another one. Returns false for a frame
 * that is damaged; the next one is checked then.
 */
function hasRightSize(plan: StreamPlan, frame: Frame): boolean {
  const size = readJpegSize(frame.jpeg);
  if (size === null) return false;
  if (size.width === plan.width && size.height === plan.height) return true;
  throw new SealcamError(
    'camera-unavailable',
    `asked for ${sizeText(plan)}, ${plan.command.program} delivers ${sizeText(size)}`,
    { hint: 'Set camera.width and camera.height to a size that the camera offers.' },
  );
}

/** Formats a size, as in 640x480. */
function sizeText({ width, height }: { readonly width: number; readonly height: number }): string {
  return `${String(width)}x${String(height)}`;
}
