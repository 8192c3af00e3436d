import type { CameraDriver } from './camera-drivers.js';

/** A small grey picture: `data` holds width × height bytes in rows from the top, 0 for black to 255 for white. */
export interface LumaPlane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface Frame {
  /** The bytes that the camera delivered. They are untrusted, and may be a truncated JPEG or not one at all. */
  readonly jpeg: Uint8Array;
  /** The luma plane of the same frame, about 160 pixels wide, where the driver has it cheaply. */
  readonly luma?: LumaPlane;
  /** When it was captured: on the monotonic clock of `SystemClock` for a live source, since its start for a recorded one. */
  readonly monotonicMs: number;
  /** Number in the stream, from 0; a driver that knows of lost frames skips their numbers. */
  readonly index: number;
}

export interface CameraInfo {
  readonly driver: CameraDriver;
  /** A name for people: of the sensor, or of the file. */
  readonly model: string;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Late live frames are dropped. Recorded frames are all inspected, and carry the time of the file. */
  readonly timeBase: 'live' | 'recorded';
  /** False for a recording that is played once: its end, also an early one, is final. */
  readonly isRepeated?: boolean;
}

/**
 * One camera. `open` checks that it offers what was asked for. `frames` runs once at a time, and ends when the signal
 * fires, when the stream ends, or with an error.
 */
export interface Camera {
  /** @throws SealcamError `camera-unavailable`, `video-unreadable`, `ffmpeg-missing` */
  open(signal: AbortSignal): Promise<CameraInfo>;
  /** @throws SealcamError `camera-ended`, `video-truncated`, after the last good frame */
  frames(signal: AbortSignal): AsyncIterable<Frame>;
  /** Returns one frame now, at the full size of the camera. */
  still(signal: AbortSignal): Promise<Frame>;
  /** Frees the camera; may be called twice. */
  close(): Promise<void>;
}
