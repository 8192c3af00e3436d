import type { ClipForm } from '../core/fragments.js';
import { waitsAt, type ClipContent, type ClipScreen, type ScreenEvents } from './clip-screen.js';

declare global {
  interface Window {
    /** iPhones have this one alone; the compiler's library does not have it. */
    readonly ManagedMediaSource?: typeof MediaSource;
  }
}

/** Longest time that the last picture before a hole stands: a frame a second is the slowest camera. */
const LAST_PICTURE_MS = 1000;

/** Returns what the browser plays growing videos with; undefined without any. */
export function mediaSourceKind(): typeof MediaSource | undefined {
  const { ManagedMediaSource, MediaSource: plain } = window as Partial<Window> & { MediaSource?: typeof MediaSource };
  return ManagedMediaSource ?? plain;
}

/** Returns whether this browser plays clips of this form. */
export function playsVideo({ type }: ClipForm): boolean {
  return mediaSourceKind()?.isTypeSupported(type) === true;
}

/** Returns a video that may begin by itself: nothing here has sound, and only what is muted may. */
export function silentVideo(): HTMLVideoElement {
  const element = document.createElement('video');
  element.muted = true;
  element.playsInline = true;
  // ManagedMediaSource demands it.
  element.disableRemotePlayback = true;
  return element;
}

/** Plays H.264 through Media Source Extensions: each segment is handed over as it comes. */
export class ClipVideo implements ClipScreen {
  readonly element = silentVideo();
  private readonly source: MediaSource;
  private readonly url: string;
  private readonly events: ScreenEvents;
  private buffer: SourceBuffer | null = null;
  private content: ClipContent = { parts: [], awaited: [], isWhole: false };
  private readonly appended = new Set<number>();
  /** Index of the part that the buffer got last: one that is no key follows only this. */
  private last = -1;

  constructor(form: ClipForm, events: ScreenEvents) {
    const Source = mediaSourceKind();
    if (Source === undefined) throw new Error('a browser without Media Source Extensions');
    this.events = events;
    this.source = new Source();
    this.url = URL.createObjectURL(this.source);
    const { element } = this;
    this.source.addEventListener('sourceopen', () => {
      if (this.buffer !== null || this.source.readyState !== 'open') return;
      this.buffer = this.source.addSourceBuffer(form.type);
      this.buffer.addEventListener('updateend', () => {
        this.append();
      });
      this.append();
    });
    for (const name of ['timeupdate', 'waiting', 'seeking'] as const) {
      element.addEventListener(name, () => {
        this.skipHole();
      });
    }
    for (const name of ['timeupdate', 'play', 'pause', 'ended', 'seeked'] as const) {
      element.addEventListener(name, events.onChange);
    }
    element.addEventListener('error', () => {
      if (element.src !== '') events.onFault();
    });
    element.src = this.url;
  }

  get positionMs(): number {
    return this.element.currentTime * 1000;
  }

  get isPlaying(): boolean {
    return !this.element.paused && !this.element.ended;
  }

  show(content: ClipContent): void {
    this.content = content;
    this.append();
  }

  play(): void {
    // It was paused again meanwhile, or closed.
    this.element.play().catch(() => undefined);
  }

  pause(): void {
    this.element.pause();
  }

  seek(positionMs: number): void {
    this.element.currentTime = positionMs / 1000;
  }

  close(): void {
    this.element.pause();
    this.element.removeAttribute('src');
    this.element.load();
    URL.revokeObjectURL(this.url);
  }

  /** Hands the next part over. The buffer takes one at a time. */
  private append(): void {
    const { buffer, source } = this;
    if (buffer === null || buffer.updating || source.readyState === 'closed') return;
    const next = this.next();
    if (next !== null) {
      this.last = next.index;
      this.appended.add(next.index);
      try {
        buffer.appendBuffer(new Uint8Array(next.bytes));
      } catch {
        this.events.onFault();
      }
      return;
    }
    if (this.content.isWhole && source.readyState === 'open') source.endOfStream();
    this.skipHole();
  }

  private next(): { readonly index: number; readonly bytes: Uint8Array } | null {
    const { parts } = this.content;
    const at = parts.findIndex(({ index }) => !this.appended.has(index));
    const part = parts[at];
    if (part === undefined || part.bytes === null) return null;
    if (part.isSync || this.last === part.index - 1) return { index: part.index, bytes: part.bytes };
    // It came late: the pictures from the key before it on are handed over again, in their order.
    const key = parts.findLastIndex(({ isSync }, i) => i < at && isSync);
    for (const { index } of parts.slice(Math.max(0, key), at)) this.appended.delete(index);
    this.last = part.index - 1;
    return this.next();
  }

  /** Goes on behind a hole that nothing will fill. Playing ends with the last picture before it, which stands for a while. */
  private skipHole(): void {
    const { buffered, seeking, paused, readyState } = this.element;
    const { positionMs } = this;
    const isStalled = !paused && !seeking && readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const restMs = isStalled ? LAST_PICTURE_MS : 1;
    for (let i = 0; i < buffered.length; i++) {
      const [startMs, endMs] = [buffered.start(i) * 1000, buffered.end(i) * 1000];
      if (positionMs < startMs) {
        const isJump = i > 0 || !seeking || startMs > 0;
        const holeMs = i > 0 ? Math.max(positionMs, buffered.end(i - 1) * 1000) : positionMs;
        if (isJump && !waitsAt(this.content, holeMs)) this.seek(startMs + 1);
        return;
      }
      if (positionMs < endMs - restMs) return;
    }
  }
}
