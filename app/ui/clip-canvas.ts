import type { ClipForm, FragmentSample } from '../core/fragments.js';
import { waitsAt, type ClipContent, type ClipScreen, type ScreenEvents } from './clip-screen.js';

/** Plays clips of JPEG pictures, which no video element takes: each is drawn at its time. */
export class ClipCanvas implements ClipScreen {
  readonly element = document.createElement('canvas');
  private readonly events: ScreenEvents;
  private content: ClipContent = { parts: [], awaited: [], isWhole: false };
  private samples: readonly FragmentSample[] = [];
  private atMs = 0;
  private plays = false;
  private isClosed = false;
  private drawn: FragmentSample | null = null;
  private isDrawing = false;
  private frameMs: number | null = null;

  constructor({ width, height }: ClipForm, events: ScreenEvents) {
    this.events = events;
    this.element.width = width;
    this.element.height = height;
  }

  get positionMs(): number {
    return this.atMs;
  }

  get isPlaying(): boolean {
    return this.plays;
  }

  show(content: ClipContent): void {
    this.content = content;
    this.samples = content.parts.flatMap(({ samples }) => samples);
    this.draw();
  }

  play(): void {
    if (this.plays) return;
    const last = this.samples.at(-1);
    if (this.content.isWhole && last !== undefined && this.atMs >= endOf(last)) this.atMs = 0;
    this.plays = true;
    this.frameMs = null;
    requestAnimationFrame(this.step);
    this.events.onChange();
  }

  pause(): void {
    this.plays = false;
    this.events.onChange();
  }

  seek(positionMs: number): void {
    this.atMs = Math.max(0, positionMs);
    this.draw();
    this.events.onChange();
  }

  close(): void {
    this.isClosed = true;
    this.plays = false;
  }

  private readonly step = (nowMs: number): void => {
    if (!this.plays) return;
    const passedMs = nowMs - (this.frameMs ?? nowMs);
    this.frameMs = nowMs;
    this.atMs = this.advanced(passedMs);
    this.draw();
    this.events.onChange();
    // It may have come to its end.
    if (this.isPlaying) requestAnimationFrame(this.step);
  };

  /** Returns where the clip is after this time: it waits where pictures may still come, and goes on behind any other hole. */
  private advanced(passedMs: number): number {
    const { atMs, samples } = this;
    const toMs = atMs + passedMs;
    const last = samples.at(-1);
    if (samples.some((sample) => sample.startMs <= toMs && toMs < endOf(sample))) return toMs;
    if (waitsAt(this.content, toMs)) return atMs;
    const next = samples.find(({ startMs }) => startMs > toMs);
    if (next !== undefined) return next.startMs;
    if (this.content.isWhole) this.plays = false;
    return last === undefined ? atMs : Math.min(toMs, endOf(last));
  }

  /** Draws the picture of the position, unless it is drawn; one at a time, the newest position next. */
  private draw(): void {
    const { atMs, samples } = this;
    const sample = samples.findLast(({ startMs }) => startMs <= atMs) ?? samples[0];
    if (sample === undefined || sample === this.drawn || this.isDrawing || this.isClosed) return;
    this.isDrawing = true;
    this.drawn = sample;
    createImageBitmap(new Blob([new Uint8Array(sample.bytes)], { type: 'image/jpeg' })).then(
      (picture) => {
        this.element.getContext('2d')?.drawImage(picture, 0, 0, this.element.width, this.element.height);
        picture.close();
        this.isDrawing = false;
        this.draw();
      },
      () => {
        this.isDrawing = false;
        this.events.onFault();
      },
    );
  }
}

function endOf({ startMs, durationMs }: FragmentSample): number {
  return startMs + durationMs;
}
