import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterThisTest } from './after-test.js';

/** Makes a folder that is removed after the running test or command. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-test-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

const kept: string[] = [];

/** Makes a folder for all tests of a file, removed after them. */
export function keptFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-test-'));
  kept.push(folder);
  return folder;
}

/** Removes what {@link keptFolder} made, once everything in it has ended. */
export function removeKeptFolders(): void {
  for (const folder of kept.splice(0)) rmSync(folder, { recursive: true, force: true });
}
