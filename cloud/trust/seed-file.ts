import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { writeDurableFile } from '../../common/adapters/durable-file.js';
import { toHex } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import type { Random } from '../../common/random.js';

const SEED_BYTES = 32;

/** Returns the seed of a private key; undefined where there is no file. @throws SealcamError `key-file-invalid` */
export function readSeed(path: string): Uint8Array | undefined {
  let file: number;
  try {
    // O_NOFOLLOW: a symbolic link could lead to a file that another user can replace.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw new SealcamError('key-file-invalid', `${path} cannot be read, or is a symbolic link`, { cause });
  }
  try {
    const { mode, size } = fstatSync(file);
    const seed = new Uint8Array(SEED_BYTES);
    if (size !== SEED_BYTES || (mode & 0o077) !== 0 || readSync(file, seed) !== SEED_BYTES) {
      throw new SealcamError('key-file-invalid', `${path} must have ${String(SEED_BYTES)} bytes and mode 600`);
    }
    return seed;
  } finally {
    closeSync(file);
  }
}

/**
 * Creates a seed atomically, never over an existing one: two processes that do so together both get the first seed.
 *
 * @throws SealcamError `key-store-unavailable`
 */
export function createSeed(path: string, random: Random, onStep: (step: string) => void = () => undefined): Uint8Array {
  const temporaryPath = `${path}.${toHex(random.bytes(4))}`;
  const seed = random.bytes(SEED_BYTES);
  withDiskErrors(path, () => {
    try {
      writeDurableFile(path, seed, {
        temporaryPath,
        isExclusive: true,
        onStep: (step) => {
          onStep(step === 'named' ? 'seed linked' : step);
        },
      });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  });
  return readSeed(path) ?? seed;
}

/** @throws SealcamError `key-store-unavailable` where the operating system refuses */
export function withDiskErrors(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw new SealcamError('key-store-unavailable', `${path} cannot be written`, { cause });
  }
}
