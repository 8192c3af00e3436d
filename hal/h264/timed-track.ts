import { asSealcamError } from '../../common/errors.js';
import { AccessUnitSplitter, type AccessUnit } from './access-units.js';
import { H264Track, type TrackListener } from './track.js';

/** A track whose times come beside its bytes, one for each unit and in their order. */
export class TimedTrack {
  private readonly splitter = new AccessUnitSplitter();
  private readonly track: H264Track;
  private readonly listener: TrackListener;
  private readonly units: AccessUnit[] = [];
  private readonly times: number[] = [];

  constructor(listener: TrackListener) {
    this.listener = listener;
    this.track = new H264Track(listener);
  }

  /** Adds bytes of the stream. */
  push(chunk: Uint8Array): void {
    try {
      for (const unit of this.splitter.push(chunk, 0)) this.units.push(unit);
    } catch (error) {
      this.listener.onFault(asSealcamError(error));
    }
    this.join();
  }

  /** Adds the time of the next unit that has none. */
  addTime(monotonicMs: number): void {
    this.times.push(monotonicMs);
    this.join();
  }

  /** Passes the last unit on: the stream has ended. */
  end(): void {
    const last = this.splitter.end();
    if (last !== null) this.units.push(last);
    this.join();
  }

  private join(): void {
    while (this.times.length > 0) {
      const unit = this.units.shift();
      if (unit === undefined) return;
      this.track.add({ ...unit, beganMs: this.times.shift() ?? 0 });
    }
  }
}
