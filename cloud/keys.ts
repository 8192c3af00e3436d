import { closeSync, constants, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SealcamError, systemCode } from '../common/errors.js';
import type { Random } from '../common/random.js';
import type { CryptoSuite, Signer } from '../protocol/crypto/suite.js';

const SEED_BYTES = 32;

/**
 * The keys that sign receipts: the current one, and a successor that every claim names already, so that the current one
 * can be retired without asking any owner. Made at the first start, 0600.
 *
 * @throws SealcamError `key-file-invalid`, `key-store-unavailable`
 */
export function loadReceiptKeys(folder: string, suite: CryptoSuite, random: Random): readonly Signer[] {
  return ['receipt-1.seed', 'receipt-2.seed'].map((name) => suite.ed25519Signer(loadSeed(join(folder, name), random)));
}

function loadSeed(path: string, random: Random): Uint8Array {
  try {
    const seed = new Uint8Array(readFileSync(path));
    const { mode } = statSync(path);
    if (seed.length !== SEED_BYTES || (mode & 0o077) !== 0) {
      throw new SealcamError('key-file-invalid', `${path} must have ${String(SEED_BYTES)} bytes and mode 600`);
    }
    return seed;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const seed = random.bytes(SEED_BYTES);
  try {
    const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    writeSync(file, seed);
    fsyncSync(file);
    closeSync(file);
  } catch (cause) {
    throw new SealcamError('key-store-unavailable', `${path} cannot be written`, { cause });
  }
  return seed;
}
