import { isSealcamError, SealcamError } from '../../common/errors.js';
import type { LiveInitialisation, LiveUnit } from '../../protocol/transport/live-content.js';
import { readFragment, readInitialisation } from '../core/fragments.js';
import { mediaSourceKind, playsVideo, silentVideo } from './clip-video.js';
import type { LookPicture, PictureEvents } from './look-picture.js';

/** Further behind than this, the video jumps to what is live. */
const BEHIND_MAX_S = 0.6;
/** Further behind than this, it plays a little faster, which nobody sees. */
const BEHIND_S = 0.3;
const FASTER = 1.15;
/** Where it jumps to: so far before the end of what is here. */
const LIVE_EDGE_S = 0.1;
/** Video that was shown is kept this long: the browser's memory is not filled by a long look. */
const KEPT_S = 10;
/** Pictures that wait to be handed over. A browser that takes none for as long as this goes on with the next key. */
const QUEUE_MAX = 120;

/** Plays H.264 through Media Source Extensions, each picture handed over as it comes, and keeps close to the last one. */
export class LookVideo implements LookPicture {
  readonly element = silentVideo();
  private readonly source: MediaSource;
  private readonly url: string;
  private readonly events: PictureEvents;
  private readonly type: string;
  private buffer: SourceBuffer | null = null;
  /** The initialisation, then pictures. */
  private queue: Uint8Array[];
  private waitsForKey = false;
  /** What must be added to a time of the video to have the camera's. */
  private offsetMs = 0;
  private isClosed = false;

  /** @throws SealcamError `video-unsupported` where the browser does not play it; `malformed` */
  constructor({ segment }: LiveInitialisation, events: PictureEvents) {
    const form = readInitialisation(segment);
    const Source = mediaSourceKind();
    if (Source === undefined || !playsVideo(form)) {
      throw new SealcamError('video-unsupported', 'this browser does not play the video of this camera', {
        hint: 'Use another browser.',
      });
    }
    this.events = events;
    this.type = form.type;
    this.queue = [segment];
    this.source = new Source();
    this.url = URL.createObjectURL(this.source);
    const { element } = this;
    this.source.addEventListener('sourceopen', () => {
      this.begin();
    });
    element.addEventListener('error', () => {
      if (!this.isClosed) this.fail('the browser cannot decode the video');
    });
    for (const name of ['waiting', 'stalled', 'timeupdate'] as const) {
      element.addEventListener(name, () => {
        this.keepLive();
      });
    }
    element.src = this.url;
    this.countPainted();
  }

  show({ bytes, capturedMs }: LiveUnit, isKey: boolean): void {
    this.noteOffset(bytes, capturedMs);
    if (this.queue.length > QUEUE_MAX) {
      this.queue = this.buffer === null ? this.queue.slice(0, 1) : [];
      this.waitsForKey = true;
    }
    if (isKey) this.waitsForKey = false;
    if (!this.waitsForKey) this.queue.push(bytes);
    this.append();
  }

  close(): void {
    this.isClosed = true;
    this.queue = [];
    this.element.pause();
    this.element.removeAttribute('src');
    this.element.load();
    URL.revokeObjectURL(this.url);
  }

  private begin(): void {
    if (this.buffer !== null || this.source.readyState !== 'open') return;
    this.buffer = this.source.addSourceBuffer(this.type);
    this.buffer.addEventListener('updateend', () => {
      this.keepLive();
      this.append();
    });
    this.append();
    // It is closed again, or was paused meanwhile.
    this.element.play().catch(() => undefined);
  }

  /** Hands the next picture over, or lets the browser forget an old part. The buffer does one thing at a time. */
  private append(): void {
    const { buffer } = this;
    if (this.isClosed || buffer === null || buffer.updating || this.source.readyState !== 'open') return;
    try {
      const { buffered } = buffer;
      const keepFromS = this.element.currentTime - KEPT_S;
      if (buffered.length > 0 && buffered.start(0) < keepFromS - KEPT_S) {
        buffer.remove(0, keepFromS);
        return;
      }
      const next = this.queue.shift();
      if (next !== undefined) buffer.appendBuffer(new Uint8Array(next));
    } catch {
      this.fail('the browser does not take the video');
    }
  }

  /** Jumps to what is live where the video is behind it, or where it stands in a hole. */
  private keepLive(): void {
    const { buffered, currentTime, seeking, paused } = this.element;
    if (this.isClosed || buffered.length === 0) return;
    const [startS, endS] = [buffered.start(buffered.length - 1), buffered.end(buffered.length - 1)];
    const isInside = currentTime >= startS && currentTime <= endS;
    if ((!isInside || endS - currentTime > BEHIND_MAX_S) && !seeking) {
      this.element.currentTime = Math.max(startS, endS - LIVE_EDGE_S);
    }
    this.element.playbackRate = endS - this.element.currentTime > BEHIND_S ? FASTER : 1;
    if (paused) this.element.play().catch(() => undefined);
  }

  private noteOffset(bytes: Uint8Array, capturedMs: number): void {
    try {
      const [sample] = readFragment(bytes);
      if (sample !== undefined) this.offsetMs = capturedMs - sample.startMs;
    } catch (error) {
      // Only a figure is lost: the browser's own reader decides whether it plays.
      if (!isSealcamError(error)) throw error;
    }
  }

  private countPainted(): void {
    // Older browsers cannot say it.
    if (!('requestVideoFrameCallback' in HTMLVideoElement.prototype)) return;
    const next = (_nowMs: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
      if (this.isClosed) return;
      this.events.onPainted(Math.round(mediaTime * 1000 + this.offsetMs));
      this.element.requestVideoFrameCallback(next);
    };
    this.element.requestVideoFrameCallback(next);
  }

  private fail(message: string): void {
    this.events.onFault(new SealcamError('video-unsupported', message, { hint: 'Use another browser.' }));
  }
}
