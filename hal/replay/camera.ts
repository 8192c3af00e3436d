import { isAborted } from '../../common/abort.js';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { sleep, type Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Camera, CameraInfo, Frame } from '../camera.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import { listJpegs, readJpeg } from './jpeg-folder.js';
import { decodeVideo, lumaSize, probeVideo, type VideoInfo } from './video-file.js';

export interface ReplayCameraOptions {
  /** A video file, or a folder of JPEG files. */
  readonly path: string;
  /** The rate of a folder of JPEG files, which carries no times. */
  readonly folderFramesPerSecond: number;
  readonly clock: Clock;
  /** `live` plays in real time on the live clock; `fast` as fast as frames are read, on the time of the file. */
  readonly pace: 'live' | 'fast';
  /** Starts again at the end, like a camera that never stops. */
  readonly loop: boolean;
}

/** A file or folder; `play` delivers the frames of one pass, with times from its start. */
interface Source {
  readonly info: CameraInfo;
  readonly first: Uint8Array;
  play(signal: AbortSignal): AsyncGenerator<Omit<Frame, 'index'>>;
}

/** A camera that plays a video file or a folder of JPEG files. */
export class ReplayCamera implements Camera {
  private readonly options: ReplayCameraOptions;
  private source: Source | null = null;
  private streaming = false;
  private passMs: number | null = null;

  constructor(options: ReplayCameraOptions) {
    this.options = options;
  }

  /** Time of the first frame of the pass that plays, on the clock of its frames; null while none does. */
  get passStartedMs(): number | null {
    return this.passMs;
  }

  async open(signal: AbortSignal): Promise<CameraInfo> {
    this.source ??= await this.findSource(signal);
    return this.source.info;
  }

  async *frames(signal: AbortSignal): AsyncIterable<Frame> {
    const { source } = this;
    if (source === null) throw new SealcamError('camera-unavailable', 'the camera is not open');
    if (this.streaming) throw new SealcamError('camera-unavailable', 'the camera streams already');
    this.streaming = true;
    const { clock, pace, loop } = this.options;
    const periodMs = 1000 / source.info.framesPerSecond;
    let offsetMs = pace === 'live' ? clock.monotonicMs() : 0;
    let index = 0;
    try {
      do {
        this.passMs = offsetMs;
        let lastMs = 0;
        for await (const frame of source.play(signal)) {
          if (pace === 'live') await sleep(clock, offsetMs + frame.monotonicMs - clock.monotonicMs(), signal);
          if (signal.aborted) return;
          lastMs = frame.monotonicMs;
          yield { ...frame, monotonicMs: Math.round(offsetMs + frame.monotonicMs), index: index++ };
        }
        offsetMs += lastMs + periodMs;
      } while (loop && !isAborted(signal));
    } finally {
      this.streaming = false;
      this.passMs = null;
    }
  }

  still(): Promise<Frame> {
    if (this.source === null) throw new SealcamError('camera-unavailable', 'the camera is not open');
    return Promise.resolve({ jpeg: this.source.first, monotonicMs: this.options.clock.monotonicMs(), index: 0 });
  }

  close(): Promise<void> {
    this.source = null;
    return Promise.resolve();
  }

  private async findSource(signal: AbortSignal): Promise<Source> {
    const { path, pace, loop } = this.options;
    const kind = await stat(path).catch((cause: unknown) => {
      throw new SealcamError('video-unreadable', `${path}: no such file`, { cause });
    });
    const common = {
      driver: 'replay',
      model: basename(path),
      timeBase: pace === 'live' ? 'live' : 'recorded',
      isRepeated: loop,
    } as const;
    return kind.isDirectory() ? this.folderSource(path, common) : this.videoSource(path, common, signal);
  }

  private async videoSource(path: string, common: CommonInfo, signal: AbortSignal): Promise<Source> {
    const video: VideoInfo = await probeVideo(path, signal);
    const { width, height, framesPerSecond } = video;
    const luma = lumaSize(video);
    return {
      info: { ...common, width, height, framesPerSecond },
      first: video.firstFrame,
      async *play(playSignal) {
        for await (const frame of decodeVideo(path, video, playSignal)) {
          yield { jpeg: frame.jpeg, luma: { ...luma, data: frame.luma }, monotonicMs: frame.timeMs };
        }
      },
    };
  }

  private async folderSource(path: string, common: CommonInfo): Promise<Source> {
    const names = await listJpegs(path);
    const { first, size } = await firstPicture(path, names);
    const framesPerSecond = this.options.folderFramesPerSecond;
    return {
      info: { ...common, ...size, framesPerSecond },
      first,
      async *play(playSignal) {
        for (const [i, name] of names.entries()) {
          if (playSignal.aborted) return;
          yield { jpeg: await readJpeg(path, name), monotonicMs: Math.round((i * 1000) / framesPerSecond) };
        }
      },
    };
  }
}

/**
 * Returns the first file that is a JPEG, and its size. The others are played too, and skipped and counted where frames are decoded.
 * @throws SealcamError `video-unreadable` if none is
 */
async function firstPicture(
  path: string,
  names: readonly string[],
): Promise<{ readonly first: Uint8Array; readonly size: { readonly width: number; readonly height: number } }> {
  for (const name of names) {
    const first = await readJpeg(path, name);
    const size = readJpegSize(first);
    if (size !== null) return { first, size };
  }
  throw new SealcamError('video-unreadable', `${path}: none of its ${String(names.length)} .jpg files is a JPEG`);
}

type CommonInfo = Pick<CameraInfo, 'driver' | 'model' | 'timeBase' | 'isRepeated'>;
