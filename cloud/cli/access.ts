import { basename } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import type { ConfigSource } from '../../common/config/load.js';
import { SealcamError } from '../../common/errors.js';
import { DAY_MS } from '../store/rows.js';
import { archiveAccess } from './access-archive.js';
import { dayName, dayNamed } from './access-files.js';
import { print, withStore, type OutputOptions } from './operator.js';

export interface ArchiveOptions extends OutputOptions {
  readonly before: string;
  readonly to: string;
}

/** `sealcam-cloud access archive`: moves old lines of the access log into files, and prints each day that went. */
export function archiveCommand(source: ConfigSource, options: ArchiveOptions): Promise<number> {
  const beforeDay = dayNamed(options.before);
  if (beforeDay === undefined) {
    throw new SealcamError('usage-invalid', `--before: ${options.before} is not a UTC date like 2026-02-01`);
  }
  if (beforeDay * DAY_MS > realClock.wallMs()) {
    throw new SealcamError(
      'usage-invalid',
      `--before: ${options.before} is not over yet; only whole days are archived`,
    );
  }
  return withStore(source, async ({ access }) => {
    let sum = 0;
    await archiveAccess(access, { folder: options.to, beforeDay, clock: realClock }, ({ day, path, moved, lines }) => {
      sum += moved;
      const file = basename(path);
      print(options, { day: dayName(day), moved, lines, file }, `${dayName(day)}  ${String(moved)} lines  ${file}`);
    });
    if (!options.json) process.stdout.write(`${String(sum)} lines before ${options.before} were archived.\n`);
  });
}
