import { stat } from 'node:fs/promises';
import { isAborted } from '../../common/abort.js';
import { sleep, type Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { FrameTap } from '../frame-tap.js';
import { TimedTrack } from '../h264/timed-track.js';
import { copiedVideo, parseProbed, PROBE_ARGS } from '../probed-stream.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../video-source.js';
import { collectText, runTool, startFfmpeg } from './ffmpeg.js';
import { timestampReader } from './frame-pipes.js';
import { inputArgs, unreadable } from './video-file.js';

/** A unit that is later than this belongs to the past of a pass that began before its reader. */
const LATE_MAX_MS = 1000;

export interface CopiedVideoOptions {
  readonly path: string;
  readonly clock: Clock;
  /** The camera that plays the file, as its readers see it. */
  readonly camera: FrameTap;
  readonly replay: { readonly passStartedMs: number | null };
}

/** The H.264 of a video file, as it is in the file, in step with the live frames of its camera. */
export class CopiedVideo implements VideoSource {
  private readonly options: CopiedVideoOptions;
  private isRead = false;

  constructor(options: CopiedVideoOptions) {
    this.options = options;
  }

  async open(signal: AbortSignal): Promise<VideoInfo> {
    const { path, camera } = this.options;
    await camera.open(signal);
    return probeCopied(path, signal);
  }

  async *units(signal: AbortSignal): AsyncGenerator<VideoUnit> {
    if (this.isRead) throw new SealcamError('camera-unavailable', 'the video streams already');
    this.isRead = true;
    const ended = new AbortController();
    let startReading: () => void = () => undefined;
    const isStarted = new Promise<void>((resolve) => (startReading = resolve));
    signal.addEventListener('abort', startReading, { once: true });
    const leave = this.options.camera.listen(startReading, () => {
      ended.abort();
    });
    try {
      if (this.options.replay.passStartedMs === null && !signal.aborted) await isStarted;
      if (isAborted(signal)) return;
      yield* this.passes(AbortSignal.any([signal, ended.signal]));
      if (!isAborted(signal)) throw new SealcamError('video-ended', 'the frames of the camera ended');
    } finally {
      this.isRead = false;
      leave();
      signal.removeEventListener('abort', startReading);
    }
  }

  /** Plays the file again and again, each pass beside that of the frames. */
  private async *passes(signal: AbortSignal): AsyncGenerator<VideoUnit> {
    const { path, clock, replay } = this.options;
    // Only the pass that plays when reading begins has a past. A later one goes on where the one before it ended, however late.
    let isJoining = true;
    for (let startMs = replay.passStartedMs; startMs !== null; startMs = await this.nextPass(startMs, signal)) {
      for await (const unit of copyVideo(path, signal)) {
        const monotonicMs = Math.round(startMs + unit.monotonicMs);
        const isLate = monotonicMs < clock.monotonicMs() - LATE_MAX_MS;
        if (isJoining && (isLate || !unit.isKey)) continue;
        isJoining = false;
        await sleep(clock, monotonicMs - clock.monotonicMs(), signal);
        if (signal.aborted) return;
        yield { ...unit, monotonicMs };
      }
      if (signal.aborted) return;
      // Also where the copy began so late that nothing of that pass was left.
      isJoining = false;
    }
  }

  /** Waits for the next pass of the frames; null where none follows. */
  private async nextPass(startMs: number, signal: AbortSignal): Promise<number | null> {
    const { replay, camera } = this.options;
    while (!signal.aborted) {
      const { passStartedMs } = replay;
      if (passStartedMs !== startMs) return passStartedMs;
      await new Promise<void>((resolve) => {
        const leave = camera.listen(wake, wake);
        signal.addEventListener('abort', wake, { once: true });
        function wake(): void {
          leave();
          signal.removeEventListener('abort', wake);
          resolve();
        }
      });
    }
    return null;
  }
}

/** Returns what a copy of a file's stream is. @throws SealcamError `video-unsupported` where browsers would not play it, `video-unreadable` */
export async function probeCopied(path: string, signal: AbortSignal): Promise<VideoInfo> {
  if ((await stat(path)).isDirectory()) {
    throw new SealcamError('video-unsupported', `${path}: a folder of JPEG files holds no H.264`);
  }
  const { code, stdout, stderr } = await runTool('ffprobe', [...PROBE_ARGS, ...inputArgs(path)], signal);
  const found = code === 0 ? parseProbed(new TextDecoder().decode(stdout)) : null;
  if (found === null) throw unreadable(path, stderr);
  const video = copiedVideo(found);
  if (video instanceof SealcamError) throw video;
  return video;
}

/** Copies the stream of a file: units with their times from its start. @throws SealcamError of the stream, `video-truncated` */
export async function* copyVideo(path: string, signal: AbortSignal): AsyncGenerator<VideoUnit> {
  const { child, extra, exit } = startFfmpeg(
    [
      '-v',
      'error',
      '-nostdin',
      ...inputArgs(path),
      '-map',
      '0:v:0',
      '-c:v',
      'copy',
      '-f',
      'mkvtimestamp_v2',
      '-flush_packets',
      '1',
      'pipe:3',
      '-map',
      '0:v:0',
      '-c:v',
      'copy',
      '-bsf:v',
      // What is first in a unit must be its delimiter, also where the file has some of its own.
      'h264_mp4toannexb,h264_metadata=aud=remove,h264_metadata=aud=insert',
      '-flush_packets',
      '1',
      '-f',
      'h264',
      'pipe:1',
    ],
    1,
  );
  const stderr = collectText(child.stderr);
  const passed: (VideoUnit | SealcamError)[] = [];
  const track = new TimedTrack({
    onUnit: (unit) => passed.push(unit),
    onFault: (error) => passed.push(error),
  });
  const stop = (): void => {
    child.kill('SIGKILL');
    child.stdout.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  extra[0]?.on(
    'data',
    timestampReader((timeMs) => {
      track.addTime(timeMs);
    }),
  );
  try {
    for await (const chunk of child.stdout) {
      track.push(chunk as Uint8Array);
      yield* taken(passed);
    }
    const code = await exit;
    track.end();
    yield* taken(passed);
    if (code !== 0 && !signal.aborted) throw new SealcamError('video-truncated', `${path}: ${stderr()}`);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await exit.catch(() => null);
  }
}

function* taken(passed: (VideoUnit | SealcamError)[]): Generator<VideoUnit> {
  for (const each of passed.splice(0)) {
    if (each instanceof SealcamError) throw each;
    yield each;
  }
}
