import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../common/adapters/private-files.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { toHex } from '../../common/bytes.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import { readJpegSize } from '../../common/jpeg-size.js';
import type { CameraInfo, Frame } from '../../hal/camera.js';
import { copyVideo, probeCopied } from '../../hal/replay/copied-video.js';
import { Thinner } from '../../hal/thinner.js';
import type { VideoInfo, VideoUnit } from '../../hal/video-source.js';
import type { Transition } from '../capture/event-tracker.js';
import { maskJpeg } from '../capture/jpeg.js';
import type { ClipPart } from '../clip/clip.js';
import { ClipBuilder } from '../clip/clip-builder.js';
import type { Config } from '../config/keys.js';
import { ClipExport } from './clip-export.js';
import { openCommand } from './open.js';
import type { Output } from './output.js';
import { masterFrom } from './owner-key.js';

export interface ClipOptions {
  /** Folder for the sealed clips, empty or new. */
  readonly clips: string;
  /** File with the owner's master key: clips are sealed to it, and opened with it. */
  readonly open?: string | undefined;
}

/** A file has no second of JPEG that is worth more. */
const JPEG_FRAMES_PER_SECOND = 4;
const KEY_FILE = 'owner.key';
const EXPORT_FILE = 'clips.jsonl';

interface ReplayOf {
  readonly info: CameraInfo;
  readonly config: Config;
  readonly options: ClipOptions;
  readonly output: Output;
  readonly signal: AbortSignal;
}

interface ReplayClipsParts {
  readonly video: VideoInfo;
  /** The file's own H.264; null where its frames are the video. */
  readonly units: AsyncGenerator<VideoUnit> | null;
  readonly config: Config;
  readonly options: ClipOptions;
  readonly output: Output;
}

/** Makes the clips of a replayed video, as a camera would: of its own H.264 by copy, else of its frames. */
export class ReplayClips {
  private readonly parts: ReplayClipsParts;
  private readonly builder: ClipBuilder;
  private readonly file: ClipExport;
  private readonly keyPath: string;
  private readonly thinner = new Thinner(JPEG_FRAMES_PER_SECOND);
  private readonly due: ClipPart[] = [];
  private next: VideoUnit | null = null;
  private isCopying: boolean;
  private count = 0;

  private constructor(parts: ReplayClipsParts) {
    this.parts = parts;
    const { video, units, config, options } = parts;
    this.isCopying = units !== null;
    makePrivateFolder(options.clips);
    this.keyPath = options.open ?? join(options.clips, KEY_FILE);
    if (options.open === undefined)
      writeFileSync(this.keyPath, toHex(realRandom.bytes(32)), { flag: 'wx', mode: 0o600 });
    this.file = new ClipExport(join(options.clips, EXPORT_FILE), masterFrom('--open', this.keyPath));
    const limits = { prerollMs: config['clip.prerollSeconds'] * 1000, maxBytes: config['clip.ringBytes'] };
    this.builder = new ClipBuilder(limits, {
      onPart: (part) => {
        if (part.phase === 'start') this.count++;
        this.due.push(part);
      },
      onFault: (error) => {
        report(error);
      },
    });
    this.builder.videoStarted(video);
  }

  /** @throws SealcamError `usage-invalid` where the folder is not empty, `key-file-invalid` */
  static async of(path: string, { info, config, options, output, signal }: ReplayOf): Promise<ReplayClips> {
    if (existsSync(options.clips) && readdirSync(options.clips).length > 0) {
      throw new SealcamError('usage-invalid', `--clips: ${options.clips} is not empty`, {
        hint: 'Name a folder that is empty or does not exist yet.',
      });
    }
    const copied = await copiedOf(path, config, signal);
    const { width, height } = info;
    const framesPerSecond = Math.min(JPEG_FRAMES_PER_SECOND, info.framesPerSecond);
    const ofFrames = { codec: 'jpeg', width, height, framesPerSecond, keyIntervalMs: 1000 / framesPerSecond } as const;
    const units = copied === null ? null : copyVideo(path, signal);
    return new ReplayClips({ video: copied ?? ofFrames, units, config, options, output });
  }

  /** Adds what is seen up to a frame, before the frame is inspected. */
  async addFrame({ jpeg, monotonicMs }: Frame): Promise<void> {
    if (this.parts.units === null) await this.addPicture(jpeg, monotonicMs);
    else await this.copyTo(this.parts.units, monotonicMs);
    await this.writeDue();
  }

  /** A transition of the event with this id. */
  async addTransition(transition: Transition<Frame>, eventId: Uint8Array): Promise<void> {
    if (transition.type === 'start') this.builder.eventStarted(eventId, transition.sighting.timeMs);
    if (transition.type === 'end') this.builder.eventEnded(eventId, transition.endMs);
    await this.writeDue();
  }

  /** Ends the clips, and opens them where it was asked for. */
  async finish(): Promise<void> {
    const { options, output, units } = this.parts;
    this.builder.wipe();
    await this.writeDue();
    await units?.return(undefined);
    const file = join(options.clips, EXPORT_FILE);
    output.printLine(`${String(this.count)} clips, sealed, in ${file}; sealcam open it with --key ${this.keyPath}`);
    if (options.open === undefined) return;
    await openCommand(file, { key: options.open, out: join(options.clips, 'opened') }, output);
  }

  private async copyTo(units: AsyncGenerator<VideoUnit>, timeMs: number): Promise<void> {
    try {
      while (this.isCopying) {
        this.next ??= ((await units.next()).value as VideoUnit | undefined) ?? null;
        if (this.next === null) this.isCopying = false;
        if (this.next === null || this.next.monotonicMs > timeMs) return;
        this.builder.addUnit(this.next);
        this.next = null;
      }
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      // The events of the file still count.
      this.isCopying = false;
      report(error);
      this.builder.videoEnded();
    }
  }

  private async addPicture(jpeg: Uint8Array, monotonicMs: number): Promise<void> {
    if (readJpegSize(jpeg) === null || !this.thinner.keeps(monotonicMs)) return;
    const masks = this.parts.config['privacy.masks'];
    try {
      const bytes = masks.length === 0 ? jpeg : await maskJpeg(jpeg, masks);
      this.builder.addUnit({ bytes, isKey: true, monotonicMs });
    } catch (error) {
      // The detector counts and reports it.
      if (asSealcamError(error).code !== 'frame-corrupt') throw error;
    }
  }

  private async writeDue(): Promise<void> {
    for (const part of this.due.splice(0)) await this.file.addPart(part);
  }
}

/** Returns the file's own video where it may be copied; null where its frames have to do. */
async function copiedOf(path: string, config: Config, signal: AbortSignal): Promise<VideoInfo | null> {
  // A copy would show what the masks hide.
  if (!existsSync(path) || config['clip.codec'] === 'jpeg' || config['privacy.masks'].length > 0) return null;
  try {
    return await probeCopied(path, signal);
  } catch (error) {
    if (!isSealcamError(error) || error.code !== 'video-unsupported') throw error;
    report(error);
    return null;
  }
}

function report({ code, message }: SealcamError): void {
  process.stderr.write(`clips: ${message} [${code}]\n`);
}
