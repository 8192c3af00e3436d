import type { SealcamError } from '../../common/errors.js';
import type { LiveUnit } from '../../protocol/transport/live-content.js';

/** Shows the pictures of one codec, the newest at once: it never waits for one that did not come. */
export interface LookPicture {
  readonly element: HTMLVideoElement | HTMLCanvasElement;
  show(unit: LiveUnit, isKey: boolean): void;
  /** Releases what the browser holds for it. */
  close(): void;
}

export interface PictureEvents {
  /** A picture is on the screen. @param capturedMs when it was captured, by the camera's clock */
  readonly onPainted: (capturedMs: number) => void;
  /** The browser does not play it. */
  readonly onFault: (error: SealcamError) => void;
}
