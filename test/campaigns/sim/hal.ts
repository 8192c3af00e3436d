import type { Clock } from '../../../common/clock.js';
import type { Camera, CameraInfo, Frame } from '../../../hal/camera.js';
import type { Hal } from '../../../hal/hal.js';
import type { MockKeyStore } from '../../../hal/mock/key-store.js';
import {
  MockButton,
  MockIndicator,
  MockLightSensor,
  MockMotionSensor,
  MockWatchdog,
} from '../../../hal/mock/peripherals.js';
import type { ClockQuality } from '../../../hal/system.js';
import { VideoFeed } from '../../../hal/video-feed.js';
import type { VideoInfo, VideoSource, VideoUnit } from '../../../hal/video-source.js';

const INFO: CameraInfo = {
  driver: 'mock',
  model: 'simulated',
  width: 64,
  height: 36,
  framesPerSecond: 1,
  timeBase: 'live',
};

/** A camera whose frames come from the world. They are not JPEGs: decoding and detection are not simulated. */
class SimLens implements Camera {
  private waiting: ((frame: Frame | null) => void) | null = null;
  private index = 0;

  open(): Promise<CameraInfo> {
    return Promise.resolve(INFO);
  }

  async *frames(signal: AbortSignal): AsyncIterable<Frame> {
    signal.addEventListener('abort', () => this.waiting?.(null), { once: true });
    while (!signal.aborted) {
      const frame = await new Promise<Frame | null>((resolve) => {
        this.waiting = resolve;
      });
      if (frame !== null) yield frame;
    }
  }

  still(): Promise<Frame> {
    return Promise.reject(new Error('not simulated'));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  showFrame(monotonicMs: number): void {
    this.waiting?.({ jpeg: new Uint8Array(8), monotonicMs, index: this.index++ });
  }
}

/** Its video: pictures that come when the world shows them. */
class SimVideo implements VideoSource {
  private readonly feed = new VideoFeed();

  open(): Promise<VideoInfo> {
    const { width, height, framesPerSecond } = INFO;
    return Promise.resolve({ codec: 'jpeg', width, height, framesPerSecond, keyIntervalMs: 1000 });
  }

  units(signal: AbortSignal): AsyncIterable<VideoUnit> {
    return this.feed.units(signal);
  }

  /** Shows a picture of this many bytes. */
  show(monotonicMs: number, bytes: number): void {
    const jpeg = new Uint8Array(bytes);
    jpeg.set(JPEG_START);
    this.feed.put({ bytes: jpeg, isKey: true, monotonicMs: Math.round(monotonicMs) });
  }
}

/** What of a JPEG file says its size. */
const JPEG_START = [0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, INFO.height, 0, INFO.width, 1, 1, 0x11, 0];

/** The wall clock of one camera, which the world sets forwards and backwards. */
export interface WallClock {
  offsetMs: number;
  quality: ClockQuality;
}

export interface SimHal extends Hal {
  readonly camera: SimLens;
  readonly button: MockButton;
  readonly video: SimVideo | null;
}

/** Makes the hardware of one camera on the world's clock. */
export function makeHal(
  clock: Clock,
  wall: WallClock,
  bootId: Uint8Array,
  keyStore: MockKeyStore,
  hasVideo: boolean,
): SimHal {
  return {
    camera: new SimLens(),
    video: hasVideo ? new SimVideo() : null,
    motionSensor: new MockMotionSensor(),
    button: new MockButton(),
    indicator: new MockIndicator(),
    light: new MockLightSensor(),
    watchdog: new MockWatchdog(),
    keyStore,
    clock: {
      bootId,
      monotonicMs: () => Math.round(clock.monotonicMs()),
      wall: () => {
        const { quality } = wall;
        return quality === 'unset' ? { ms: null, quality } : { ms: Math.round(clock.wallMs()), quality };
      },
    },
    system: {
      status: () =>
        Promise.resolve({
          uptimeS: Math.floor(clock.monotonicMs() / 1000),
          temperatureDeciC: 415,
          freeBytes: 1e9,
          warnings: [],
        }),
    },
  };
}
