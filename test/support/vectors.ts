import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
/** Root of the repository. */
export const repository = join(here, '..', '..');

/** Parses hex. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Reads a file of test/vectors. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the file's shape
export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(repository, 'test', 'vectors', `${name}.json`), 'utf8')) as T;
}

/**
 * Returns the path of published vectors, which are not in the repository: in $SEALCAM_VECTORS, else ../shared/vectors.
 */
export function publishedVectors(name: string): string | undefined {
  const folder = process.env['SEALCAM_VECTORS'] ?? join(repository, '..', 'shared', 'vectors');
  const path = join(folder, name);
  return existsSync(path) ? path : undefined;
}

/** With CI=true a missing tool or vector file is a failure; elsewhere a named skip. */
export const isCi = process.env['CI'] === 'true';
