import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { systemCode } from '../errors.js';

const FOLDER_MODE = 0o700;
const OTHERS = 0o077;

/**
 * Makes a folder that only its user reads. One that exists gets the same mode where this user owns it: an administrator who
 * made it by hand forgot the umask more often than he wanted others to read it.
 *
 * @throws the error of the operating system
 */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  closeToOthers(folder);
}

/** Takes from a file or folder what others may do with it, where this user owns it; a missing one is left. */
export function closeToOthers(path: string): void {
  try {
    const { mode, uid } = statSync(path);
    // A folder that belongs to somebody else, such as /tmp, is not ours to change.
    if (process.getuid?.() === uid && (mode & OTHERS) !== 0) chmodSync(path, mode & 0o777 & ~OTHERS);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
