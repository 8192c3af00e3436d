import { isAborted } from '../../common/abort.js';
import { sleep, type Clock } from '../../common/clock.js';
import { SealcamError } from '../../common/errors.js';
import type { Camera, CameraInfo, Frame } from '../camera.js';
import { SceneRenderer } from './renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from './scenes/scene-art.js';
import { isCorruptAt, momentAt, type SceneScript } from './script.js';

export interface MockCameraOptions {
  readonly script: SceneScript;
  readonly framesPerSecond: number;
  readonly clock: Clock;
  /** `live` waits for the time of each frame; `fast` delivers as fast as frames are read. */
  readonly pace: 'live' | 'fast';
  /** The stream ends after this many frames; null for no end. */
  readonly frameLimit: number | null;
  /** Whether frames carry their luma plane; without it the agent decodes the JPEG. */
  readonly withLuma: boolean;
}

/** Bytes that are not a JPEG, as a loose cable delivers them. */
const CORRUPT = Uint8Array.of(0xff, 0xd8, 0xff, 0x00, 0x13, 0x37);

/** A camera that renders a seeded scene. */
export class MockCamera implements Camera {
  private readonly options: MockCameraOptions;
  private readonly renderer: SceneRenderer;
  private startedMs: number | null = null;
  private streaming = false;

  constructor(options: MockCameraOptions) {
    this.options = options;
    this.renderer = new SceneRenderer(options.script);
  }

  open(): Promise<CameraInfo> {
    const { script, framesPerSecond, pace } = this.options;
    this.startedMs ??= this.options.clock.monotonicMs();
    return Promise.resolve({
      driver: 'mock',
      model: `mock ${script.scene}`,
      width: SCENE_WIDTH,
      height: SCENE_HEIGHT,
      framesPerSecond,
      timeBase: pace === 'live' ? 'live' : 'recorded',
    });
  }

  async *frames(signal: AbortSignal): AsyncIterable<Frame> {
    if (this.startedMs === null) throw new SealcamError('camera-unavailable', 'the camera is not open');
    if (this.streaming) throw new SealcamError('camera-unavailable', 'the camera streams already');
    this.streaming = true;
    try {
      const { clock, script, framesPerSecond, pace, frameLimit } = this.options;
      const periodMs = 1000 / framesPerSecond;
      const startedMs = this.startedMs;
      let index = pace === 'live' ? Math.ceil((clock.monotonicMs() - startedMs) / periodMs) : 0;
      while (!signal.aborted && (frameLimit === null || index < frameLimit)) {
        if (pace === 'live') {
          await sleep(clock, startedMs + index * periodMs - clock.monotonicMs(), signal);
          if (isAborted(signal)) return;
          // Like a sensor it does not wait for its reader: frames that are not read in time are lost.
          const due = Math.floor((clock.monotonicMs() - startedMs) / periodMs);
          if (due > index) index = due;
        }
        const timeMs = index * periodMs;
        if (!momentAt(script, timeMs).stalled) yield await this.frameAt(index, timeMs);
        index++;
      }
    } finally {
      this.streaming = false;
    }
  }

  async still(): Promise<Frame> {
    if (this.startedMs === null) throw new SealcamError('camera-unavailable', 'the camera is not open');
    const timeMs = this.options.clock.monotonicMs() - this.startedMs;
    return this.frameAt(Math.floor((timeMs * this.options.framesPerSecond) / 1000), timeMs);
  }

  close(): Promise<void> {
    this.startedMs = null;
    return Promise.resolve();
  }

  private async frameAt(index: number, timeMs: number): Promise<Frame> {
    const { script, framesPerSecond, pace, withLuma } = this.options;
    const monotonicMs = Math.round((pace === 'live' ? (this.startedMs ?? 0) : 0) + timeMs);
    if (isCorruptAt(script, timeMs, timeMs + 1000 / framesPerSecond)) return { jpeg: CORRUPT, monotonicMs, index };
    const { jpeg, luma } = await this.renderer.render(timeMs);
    return withLuma ? { jpeg, luma, monotonicMs, index } : { jpeg, monotonicMs, index };
  }
}
