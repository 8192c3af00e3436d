import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';

/** A folder for the running test or command, removed after it. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-test-'));
  folders.push(folder);
  return folder;
}

/** A folder for all tests of a file. */
export function keptFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-test-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

// Commands below test/ use it too; there is no running test then, and the folders go with the process.
if (process.env['VITEST'] === 'true') afterEach(removeFolders);
else process.once('exit', removeFolders);
