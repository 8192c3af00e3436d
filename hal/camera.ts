import type { CameraDriver } from './camera-drivers.js';

/** A small grey picture: `data` holds width × height bytes, row by row, 0 black to 255 white. */
export interface LumaPlane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface Frame {
  /** A JPEG file as the camera delivered it: untrusted, it may be cut off or no JPEG at all. */
  readonly jpeg: Uint8Array;
  /** Grey picture of the same frame, about 160 pixels wide, where the driver has it cheaply. */
  readonly luma?: LumaPlane;
  /** When it was captured, on the clock of {@link SystemClock} for live sources, from the file's start for recorded ones. */
  readonly monotonicMs: number;
  /** 0-based number in the stream; a driver that knows of lost frames skips their numbers. */
  readonly index: number;
}

export interface CameraInfo {
  readonly driver: CameraDriver;
  /** What it is, for a person: a sensor's name, a file's name. */
  readonly model: string;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Live frames are dropped when late; recorded ones are all looked at and carry the file's own time. */
  readonly timeBase: 'live' | 'recorded';
}

/**
 * One camera. `open` finds out what it offers and throws if that is not what was asked for;
 * `frames` may run once at a time and ends when the signal fires, the stream ends, or by an error.
 */
export interface Camera {
  /** @throws SealcamError `camera-unavailable`, `video-unreadable`, `ffmpeg-missing` */
  open(signal: AbortSignal): Promise<CameraInfo>;
  /** @throws SealcamError `camera-ended`, `video-truncated` at the point where it happens */
  frames(signal: AbortSignal): AsyncIterable<Frame>;
  /** One frame now, at the camera's full size. */
  still(signal: AbortSignal): Promise<Frame>;
  /** Frees whatever the camera holds; calling it twice is allowed. */
  close(): Promise<void>;
}
