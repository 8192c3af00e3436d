import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SealcamError } from '../../common/errors.js';
import { drawSheet } from './sheet.js';
import type { Stretch } from './stretch.js';

/** Of events and of what was none, each. */
const SHEETS_MAX = 200;
/** So that names sort by time: 27 hours of milliseconds. */
const TIME_DIGITS = 8;

/** Writes a sheet for each stretch of a video into a folder of its own. */
export class SheetWriter {
  private readonly folder: string;
  private readonly clip: string;
  private readonly counts = { event: 0, none: 0 };
  private left = 0;

  /** @throws SealcamError `usage-invalid` where there are files already, whoever they belong to */
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

  async write(stretch: Stretch): Promise<void> {
    const group = stretch.kind === 'event' ? 'event' : 'none';
    const number = ++this.counts[group];
    if (number > SHEETS_MAX) {
      this.left++;
      return;
    }
    const time = String(Math.round(stretch.span.onsetMs)).padStart(TIME_DIGITS, '0');
    const title =
      group === 'event' ? `${this.clip}, event ${String(number)}` : `${this.clip}, not raised ${String(number)}`;
    writeFileSync(join(this.folder, `${time}-${stretch.kind}.png`), await drawSheet(title, stretch));
  }

  get summary(): string {
    const { event, none } = this.counts;
    const left = this.left === 0 ? '' : `; ${String(this.left)} more were left out`;
    return `sheets of ${String(event)} events and ${String(none)} that were none, in ${this.folder}${left}`;
  }
}
