import { SealcamError } from '../../common/errors.js';
import { isInstalled } from '../adapters/is-installed.js';
import type { FrameTap } from '../frame-tap.js';
import { VideoFeed } from '../video-feed.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../video-source.js';
import { FFMPEG_KEY_INTERVAL_MS, FfmpegEncoder } from './ffmpeg-encoder.js';
import type { FrameEncoder, FrameEncoderOptions } from './frame-encoder.js';
import { findWasmEncoder, WASM_KEY_INTERVAL_MS, WasmEncoder } from './wasm-encoder.js';

/**
 * The H.264 of a mock camera: its own frames, compressed by the system's ffmpeg, and without one by an encoder in WebAssembly. A real
 * camera is never encoded here.
 */
export class EncodedVideo implements VideoSource {
  private readonly camera: FrameTap;
  private readonly wasmPath: string | null;
  private isRead = false;

  constructor(camera: FrameTap, wasmPath = findWasmEncoder()) {
    this.camera = camera;
    this.wasmPath = wasmPath;
  }

  async open(signal: AbortSignal): Promise<VideoInfo> {
    const { width, height, framesPerSecond } = await this.camera.open(signal);
    const keyIntervalMs = isInstalled('ffmpeg') ? FFMPEG_KEY_INTERVAL_MS : WASM_KEY_INTERVAL_MS;
    return { codec: 'h264', width, height, framesPerSecond, keyIntervalMs };
  }

  async *units(signal: AbortSignal): AsyncGenerator<VideoUnit> {
    if (this.isRead) throw new SealcamError('camera-unavailable', 'the video streams already');
    this.isRead = true;
    try {
      yield* this.encode(await this.open(signal), signal);
    } finally {
      this.isRead = false;
    }
  }

  private async *encode(info: VideoInfo, signal: AbortSignal): AsyncGenerator<VideoUnit> {
    const feed = new VideoFeed();
    const encoder = this.startEncoder({
      ...info,
      onUnit: (unit) => {
        feed.put(unit);
      },
      onFault: (error) => {
        feed.fail(error);
      },
    });
    const leave = this.camera.listen(
      (frame) => {
        encoder.add(frame);
      },
      () => {
        encoder.end();
      },
    );
    try {
      yield* feed.units(signal);
    } finally {
      leave();
      encoder.kill();
    }
  }

  private startEncoder(options: FrameEncoderOptions): FrameEncoder {
    if (isInstalled('ffmpeg')) return new FfmpegEncoder(options);
    if (this.wasmPath !== null) return new WasmEncoder(this.wasmPath, options);
    throw new SealcamError('video-unsupported', 'the mock camera has no encoder: ffmpeg is not installed', {
      hint: 'Install ffmpeg (Debian: apt install ffmpeg), or set clip.codec to jpeg.',
    });
  }
}
