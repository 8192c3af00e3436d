import { SealcamError } from '../../common/errors.js';
import type { LiveInitialisation, LiveUnit } from '../../protocol/transport/live-content.js';
import type { LookPicture, PictureEvents } from './look-picture.js';

/** Draws JPEG pictures as they come. One that comes while another is decoded takes the place of those before it. */
export class LookCanvas implements LookPicture {
  readonly element = document.createElement('canvas');
  private readonly events: PictureEvents;
  private next: LiveUnit | null = null;
  private isDrawing = false;
  private isClosed = false;

  constructor({ width, height }: LiveInitialisation, events: PictureEvents) {
    this.events = events;
    this.element.width = width;
    this.element.height = height;
  }

  show(unit: LiveUnit): void {
    this.next = unit;
    this.draw();
  }

  close(): void {
    this.isClosed = true;
    this.next = null;
  }

  private draw(): void {
    const unit = this.next;
    if (unit === null || this.isDrawing) return;
    this.next = null;
    this.isDrawing = true;
    createImageBitmap(new Blob([new Uint8Array(unit.bytes)], { type: 'image/jpeg' })).then(
      (picture) => {
        if (!this.isClosed) {
          this.element.getContext('2d')?.drawImage(picture, 0, 0, this.element.width, this.element.height);
          this.events.onPainted(unit.capturedMs);
        }
        picture.close();
        this.goOn();
      },
      () => {
        this.events.onFault(new SealcamError('frame-corrupt', 'the browser cannot decode a picture'));
        this.goOn();
      },
    );
  }

  private goOn(): void {
    this.isDrawing = false;
    this.draw();
  }
}
