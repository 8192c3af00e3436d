import { isAborted } from '../common/abort.js';
import { SealcamError } from '../common/errors.js';
import { BoundedQueue } from './bounded-queue.js';
import type { VideoUnit } from './video-source.js';

/** Four seconds of the fastest stream that is asked for. */
const QUEUE_MAX_UNITS = 128;
const QUEUE_MAX_BYTES = 4 * 1024 * 1024;

/** Hands units from a driver to the one reader of its video. Without a reader they are dropped. */
export class VideoFeed {
  private queue: BoundedQueue<VideoUnit> | null = null;

  /** Delivers units from the next key unit on. @throws SealcamError what {@link fail} receives */
  async *units(signal: AbortSignal): AsyncGenerator<VideoUnit> {
    if (this.queue !== null) throw new SealcamError('camera-unavailable', 'the video streams already');
    if (signal.aborted) return;
    const queue = new BoundedQueue<VideoUnit>({
      maxItems: QUEUE_MAX_UNITS,
      maxBytes: QUEUE_MAX_BYTES,
      bytesOf: ({ bytes }) => bytes.length,
      isStart: ({ isKey }) => isKey,
    });
    this.queue = queue;
    const interrupt = (): void => {
      queue.close(null);
    };
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      for (let unit = await queue.next(); unit !== undefined; unit = await queue.next()) {
        if (isAborted(signal)) return;
        yield unit;
      }
    } finally {
      signal.removeEventListener('abort', interrupt);
      this.queue = null;
    }
  }

  /** Adds a unit. */
  put(unit: VideoUnit): void {
    this.queue?.push(unit);
  }

  /** Ends the units of the reader with an error, after those that it has not read yet. */
  fail(error: SealcamError): void {
    this.queue?.close(error);
  }
}
