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

/** The public project that a published vector comes from, by the beginning of its file name. */
const SOURCES: readonly (readonly [string, string])[] = [
  ['wycheproof-ed25519', 'github.com/C2SP/wycheproof, testvectors_v1/ed25519_test.json'],
  ['wycheproof-x25519', 'github.com/C2SP/wycheproof, testvectors_v1/x25519_test.json'],
  ['cctv-', 'github.com/C2SP/CCTV, ed25519/ed25519vectors.json'],
  ['speccheck-', 'github.com/novifinancial/ed25519-speccheck, cases.json'],
  ['xwing-', 'github.com/dconnolly/draft-connolly-cfrg-xwing-kem, spec/test-vectors.json'],
  ['hpke-pq-', 'github.com/hpkewg/hpke-pq, test-vectors.json: the cases of kem_id 0x647a, kdf_id 1, aead_id 3'],
  ['cose-eddsa-', 'github.com/cose-wg/Examples, eddsa-examples'],
  ['cose-sign-', 'github.com/cose-wg/Examples, sign1-tests'],
];

/** Returns how to get a file of published vectors that is missing. */
export function vectorRemedy(name: string): string {
  const [, source = 'its project'] = SOURCES.find(([start]) => name.startsWith(start)) ?? [];
  return `${name} not found; get it from ${source} and set SEALCAM_VECTORS to its folder`;
}

/** With TESTS_DEMAND=all, as .ci/run sets it, a missing tool or vector is a failure; elsewhere a named skip. */
export const isDemanded = process.env['TESTS_DEMAND'] === 'all';
