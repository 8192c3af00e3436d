import { closeSync, constants, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SealcamError } from '../../common/errors.js';
import { openRaw, type Database } from './database.js';

/**
 * A damaged database lies at `.salvage` until what can be read of it is in a new one, then at `.corrupt-N` for good. The
 * write-ahead log goes first and comes along, so that a power cut in between leaves a state that says how far it came.
 */
const WAITING = '.salvage';
const WAL = '-wal';

/** @throws SealcamError `store-unavailable` */
export function setAside(path: string): void {
  // Damaged again before the one before could be taken over.
  if (isAside(path)) keepAside(path);
  move(path, path + WAITING);
}

/** A power cut may have come between the two renames. */
export function finishSettingAside(path: string): void {
  const isHalf = existsSync(path + WAITING + WAL) && !existsSync(path + WAITING);
  if (isHalf && existsSync(path)) setAside(path);
}

export function isAside(path: string): boolean {
  return existsSync(path + WAITING);
}

/** What waits to be taken over, if it is a database at all. */
export function openAside(path: string): Database | null {
  if (!isAside(path)) return null;
  const old = openRaw(path + WAITING);
  old.pragma('locking_mode = EXCLUSIVE');
  return old;
}

/** It was taken over: it is kept under a number. */
export function keepAside(path: string): void {
  let number = 1;
  while (existsSync(`${path}.corrupt-${String(number)}`)) number++;
  move(path + WAITING, `${path}.corrupt-${String(number)}`);
}

/** At the end of an ownership nothing stays of what was recorded under it, also not in a damaged copy. */
export function eraseAside(path: string): void {
  const folder = dirname(path);
  const kept = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.corrupt-`));
  for (const name of kept) rmSync(join(folder, name), { force: true });
}

function move(from: string, to: string): void {
  try {
    for (const suffix of [WAL, '']) {
      if (!existsSync(from + suffix)) continue;
      renameSync(from + suffix, to + suffix);
      const folder = openSync(dirname(from), constants.O_RDONLY);
      fsyncSync(folder);
      closeSync(folder);
    }
  } catch (cause) {
    throw new SealcamError('store-unavailable', `${from} cannot be set aside`, { cause });
  }
}
