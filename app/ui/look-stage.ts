import { equal } from '../../common/bytes.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import type { LiveInitialisation, LiveUnit } from '../../protocol/transport/live-content.js';
import type { LookScreen } from '../core/look.js';
import { LookCanvas } from './look-canvas.js';
import type { LookPicture, PictureEvents } from './look-picture.js';
import { LookVideo } from './look-video.js';

/** Handed over → painted. */
const PAINT_MEASURE = 'sealcam-look-painted';
/** The browser would keep each for as long as the page is open. */
const MEASURES_MAX = 1000;

/** Where a look is shown: it changes the screen with the codec. What was painted stands in the element's data, for tests and figures. */
export class LookStage implements LookScreen {
  readonly element = document.createElement('div');
  private readonly onFault: (error: SealcamError | null) => void;
  private initialisation: LiveInitialisation | null = null;
  private picture: LookPicture | null = null;
  /** What was shown before, until the next screen has a picture. */
  private before: LookPicture | null = null;
  private painted = 0;
  /** When a picture was handed over to be shown, by its time of capture. */
  private readonly handed = new Map<number, number>();

  /** @param onFault called with null once pictures are painted again */
  constructor(onFault: (error: SealcamError | null) => void) {
    this.onFault = onFault;
    this.element.className = 'look-stage';
  }

  /** A camera repeats it, in case one was lost. */
  initialise(initialisation: LiveInitialisation): void {
    if (this.initialisation !== null && isSame(this.initialisation, initialisation)) return;
    this.initialisation = initialisation;
    if (this.before === null) this.before = this.picture;
    else if (this.picture !== null) remove(this.picture);
    this.picture = null;
    try {
      this.picture = this.pictureOf(initialisation);
      // Behind the one that is still shown.
      this.element.prepend(this.picture.element);
    } catch (error) {
      this.onFault(asSealcamError(error));
    }
  }

  show(unit: LiveUnit, isKey: boolean): void {
    this.handed.set(unit.capturedMs, performance.now());
    this.picture?.show(unit, isKey);
  }

  close(): void {
    for (const picture of [this.picture, this.before]) if (picture !== null) remove(picture);
    [this.picture, this.before, this.initialisation] = [null, null, null];
  }

  /** Notes for the browser's own tools how long a picture took from being handed over to the screen. */
  private measure(capturedMs: number): void {
    const handedMs = this.handed.get(capturedMs);
    if (handedMs !== undefined) performance.measure(PAINT_MEASURE, { start: handedMs, end: performance.now() });
    if (this.painted % MEASURES_MAX === 0) performance.clearMeasures(PAINT_MEASURE);
    for (const [atMs] of this.handed) if (atMs <= capturedMs) this.handed.delete(atMs);
  }

  private pictureOf(initialisation: LiveInitialisation): LookPicture {
    const events: PictureEvents = {
      onPainted: (capturedMs) => {
        if (made !== this.picture) return;
        if (this.before !== null) remove(this.before);
        this.before = null;
        this.onFault(null);
        this.painted++;
        this.element.dataset['painted'] = String(this.painted);
        this.element.dataset['capturedMs'] = String(capturedMs);
        this.measure(capturedMs);
      },
      onFault: this.onFault,
    };
    const made =
      initialisation.codec === 'jpeg' ? new LookCanvas(initialisation, events) : new LookVideo(initialisation, events);
    return made;
  }
}

function isSame(a: LiveInitialisation, b: LiveInitialisation): boolean {
  return a.codec === b.codec && a.width === b.width && a.height === b.height && equal(a.segment, b.segment);
}

function remove(picture: LookPicture): void {
  picture.close();
  picture.element.remove();
}
