import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '../../common/adapters/durable-file.js';
import { SealcamError } from '../../common/errors.js';
import { openRaw, type Database } from './sqlite.js';

/**
 * A damaged database lies at `.salvage` until its readable rows are in a new one, then at `.corrupt-N` for good. The
 * write-ahead log is moved first, so that a power cut between the two renames leaves a state that shows how far it came.
 */
const SALVAGE_SUFFIX = '.salvage';
const WAL_SUFFIX = '-wal';

/** Renames a damaged database and its log aside. @throws SealcamError `store-unavailable` */
export function setAside(path: string): void {
  // Damaged again before the previous copy was salvaged.
  if (isAside(path)) keepAside(path);
  move(path, path + SALVAGE_SUFFIX);
}

/** Completes {@link setAside} if a power cut came between its two renames. */
export function finishSettingAside(path: string): void {
  const aside = path + SALVAGE_SUFFIX;
  const isHalf = existsSync(aside + WAL_SUFFIX) && !existsSync(aside);
  if (isHalf && existsSync(path)) setAside(path);
}

export function isAside(path: string): boolean {
  return existsSync(path + SALVAGE_SUFFIX);
}

/** Opens the database that waits to be salvaged, as it is; null without one. */
export function openAside(path: string): Database | null {
  if (!isAside(path)) return null;
  const old = openRaw(path + SALVAGE_SUFFIX);
  old.pragma('locking_mode = EXCLUSIVE');
  return old;
}

/** Keeps a salvaged database under the next free number. */
export function keepAside(path: string): void {
  let number = 1;
  while (existsSync(`${path}.corrupt-${String(number)}`)) number++;
  move(path + SALVAGE_SUFFIX, `${path}.corrupt-${String(number)}`);
}

/** Deletes the kept copies: at the end of an ownership nothing stays of what was recorded under it. */
export function eraseAside(path: string): void {
  const folder = dirname(path);
  const kept = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.corrupt-`));
  for (const name of kept) rmSync(join(folder, name), { force: true });
}

function move(from: string, to: string): void {
  try {
    for (const suffix of [WAL_SUFFIX, '']) {
      if (!existsSync(from + suffix)) continue;
      renameSync(from + suffix, to + suffix);
      syncFolder(dirname(from));
    }
  } catch (cause) {
    throw new SealcamError('store-unavailable', `${from} cannot be set aside`, { cause });
  }
}
