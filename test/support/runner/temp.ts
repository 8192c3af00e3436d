import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { afterThisTest } from './after-test.js';

/** Makes a folder that is removed after the running test or command. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-test-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Makes a folder for all tests of a file, removed after them. */
export function keptFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-test-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
