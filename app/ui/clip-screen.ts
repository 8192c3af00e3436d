import type { ClipPart } from '../core/clip-loader.js';

/** What shows the pictures of a clip: a video element, or a canvas where the browser has no decoder for the codec. */
export interface ClipScreen {
  readonly element: HTMLVideoElement | HTMLCanvasElement;
  readonly positionMs: number;
  readonly isPlaying: boolean;
  /** Takes what of the clip may be played now. What was taken before stays. */
  show(content: ClipContent): void;
  /** Plays on; from the start where the end was reached. */
  play(): void;
  pause(): void;
  seek(positionMs: number): void;
  /** Releases what the browser holds for it. */
  close(): void;
}

export interface ClipContent {
  /** In order, with holes where nothing may be played. */
  readonly parts: readonly ClipPart[];
  /** Parts that may still come: there the screen waits, and over every other hole it goes on. */
  readonly awaited: readonly ClipPart[];
  /** Whether all that will come is here. */
  readonly isWhole: boolean;
}

export interface ScreenEvents {
  readonly onChange: () => void;
  /** The browser does not play it. */
  readonly onFault: () => void;
}

/** How far apart two times may be that are one. */
const SAME_TIME_MS = 60;

/** Returns whether a screen that has nothing to show at a time must wait there. */
export function waitsAt({ awaited }: ClipContent, positionMs: number): boolean {
  return awaited.some(
    ({ startMs, durationMs }) =>
      startMs <= positionMs + SAME_TIME_MS && startMs + durationMs >= positionMs - SAME_TIME_MS,
  );
}
