/** The form of a unit: an H.264 access unit in Annex B, its parameter sets in each key unit, or a JPEG file. */
export type VideoCodec = 'h264' | 'jpeg';

export interface VideoInfo {
  readonly codec: VideoCodec;
  /** In pixels, as announced; an H.264 key unit carries the true size. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Time between two key units; null where the encoder does not tell. */
  readonly keyIntervalMs: number | null;
}

/** One picture, whole. Order of decoding is order of showing. */
export interface VideoUnit {
  /** Untrusted, like a frame. */
  readonly bytes: Uint8Array;
  /** Decoding can begin here. Each unit of the codec `jpeg` is one. */
  readonly isKey: boolean;
  /** On the clock of the camera's frames. */
  readonly monotonicMs: number;
}

/** Longest time between two key units; a clip can begin only at one. */
export const KEY_INTERVAL_MAX_MS = 4000;

/**
 * The video of a camera, beside its frames: units come while the frames of the camera are read, and a fault of the video leaves the
 * frames alone. Never compressed again from what a camera has compressed.
 */
export interface VideoSource {
  /** Opens the camera, or finds it open. @throws SealcamError as `Camera.open` does, `video-unsupported` */
  open(signal: AbortSignal): Promise<VideoInfo>;
  /**
   * Delivers units, the first one a key unit, until the signal fires. One reader at a time. After an error another call begins at the
   * next key unit, and starts an encoder that died again.
   * @throws SealcamError `video-ended`, `video-changed`, `video-corrupt`, `video-keys-rare`, `video-unsupported`
   */
  units(signal: AbortSignal): AsyncIterable<VideoUnit>;
}
