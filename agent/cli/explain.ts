import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SealcamError } from '../../common/errors.js';
import { drawSheet } from './sheet.js';
import type { Stretch } from './stretch.js';

/** Sheets of events, and as many of near misses. */
const SHEETS_MAX = 200;
/** Milliseconds of up to 27 hours, padded so that file names sort by time. */
const TIME_DIGITS = 8;

/** Writes a sheet for each stretch of a video into an empty folder. */
export class SheetWriter {
  private readonly folder: string;
  private readonly clip: string;
  private readonly counts = { event: 0, none: 0 };
  private omitted = 0;

  /** @throws SealcamError `usage-invalid` if the folder holds files */
  constructor(folder: string, clip: string) {
    if (existsSync(folder) && readdirSync(folder).length > 0) {
      throw new SealcamError('usage-invalid', `${folder}: the folder is not empty`, {
        hint: 'Name a folder that is empty or does not exist yet.',
      });
    }
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
    this.clip = clip;
  }

  /** Draws the sheet of a stretch and writes it, unless its kind has reached its maximum. */
  async write(stretch: Stretch): Promise<void> {
    const group = stretch.kind === 'event' ? 'event' : 'none';
    const number = ++this.counts[group];
    if (number > SHEETS_MAX) {
      this.omitted++;
      return;
    }
    const time = String(Math.round(stretch.span.onsetMs)).padStart(TIME_DIGITS, '0');
    const title =
      group === 'event' ? `${this.clip}, event ${String(number)}` : `${this.clip}, near miss ${String(number)}`;
    writeFileSync(join(this.folder, `${time}-${stretch.kind}.png`), await drawSheet(title, stretch));
  }

  /** How many sheets were written and omitted, in one line. */
  get summary(): string {
    const { event, none } = this.counts;
    const omitted = this.omitted === 0 ? '' : `; ${String(this.omitted)} more were omitted`;
    return `sheets of ${String(event)} events and ${String(none)} near misses in ${this.folder}${omitted}`;
  }
}
