import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface DurableFileOptions {
  /** Where the content is written first: `PATH.new` unless several processes may write the file at the same time. */
  readonly temporaryPath?: string;
  /** Never replaces a file: throws EEXIST if another process was faster. */
  readonly isExclusive?: boolean;
  /** Called after each step, for tests that stop there. */
  readonly onStep?: (step: 'written' | 'named') => void;
}

/**
 * Writes a small file, mode 600, that a power cut leaves whole: the old content or the new. The content is written aside
 * and synced, then the file gets its name, then the folder is synced.
 *
 * @throws the error of the operating system
 */
export function writeDurableFile(path: string, content: string | Uint8Array, options: DurableFileOptions = {}): void {
  const { temporaryPath = `${path}.new`, isExclusive = false, onStep = () => undefined } = options;
  // One that a power cut left behind.
  rmSync(temporaryPath, { force: true });
  const file = openSync(temporaryPath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    fchmodSync(file, 0o600);
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  onStep('written');
  if (isExclusive) linkAndRemove(temporaryPath, path, onStep);
  else {
    renameSync(temporaryPath, path);
    onStep('named');
    syncFolder(dirname(path));
  }
}

/** Syncs a folder: a new name is durable only once its folder is. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Unlike a rename, a link fails where the name is taken. */
function linkAndRemove(temporaryPath: string, path: string, onStep: (step: 'named') => void): void {
  try {
    linkSync(temporaryPath, path);
    onStep('named');
  } finally {
    rmSync(temporaryPath, { force: true });
    syncFolder(dirname(path));
  }
}
