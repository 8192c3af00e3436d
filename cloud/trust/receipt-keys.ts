import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurableFile } from '../../common/adapters/durable-file.js';
import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { createSeed, readSeed, withDiskErrors } from './seed-file.js';

/** Holds the number of the current key. */
const STATE_FILE = 'receipt-keys.json';

export interface ReceiptKey {
  /** From 1; the seed of key N is in `receipt-N.seed`. */
  readonly number: number;
  readonly signer: Signer;
}

/**
 * The keys that sign receipts. Every claim names the current key and its successor, so a rotation needs no owner's help.
 * Retired keys, newest first, serve the claims that name nothing newer.
 */
export interface ReceiptKeys {
  readonly current: ReceiptKey;
  readonly successor: ReceiptKey;
  readonly retired: readonly ReceiptKey[];
}

/** Returns the keys in the order in which one is chosen for a claim: the successor only if the claim names no other. */
export function byPreference({ current, successor, retired }: ReceiptKeys): readonly ReceiptKey[] {
  return [current, ...retired, successor];
}

/**
 * Loads the keys of a cloud, and creates them, mode 600, at its first start. One stored number names the current key; the
 * successor has the next number.
 *
 * @throws SealcamError `key-file-invalid`, `key-store-unavailable`
 */
export function loadReceiptKeys(folder: string, suite: CryptoSuite, random: Random): ReceiptKeys {
  const number = currentNumber(folder);
  const loadKey = (keyNumber: number): ReceiptKey => {
    const path = seedPath(folder, keyNumber);
    // Only a cloud that never rotated may create a key here. After a rotation, no claim would name the new key.
    const seed = readSeed(path) ?? (number === null ? createSeed(path, random) : undefined);
    if (seed === undefined) throw new SealcamError('key-file-invalid', `${path} is missing`);
    return { number: keyNumber, signer: suite.ed25519Signer(seed) };
  };
  const current = number ?? 1;
  const retired: ReceiptKey[] = [];
  for (let older = current - 1; older >= 1; older--) {
    if (existsSync(seedPath(folder, older))) retired.push(loadKey(older));
  }
  return { current: loadKey(current), successor: loadKey(current + 1), retired };
}

/**
 * Retires the current key, makes its successor current and creates a new successor. The new key is durable before the
 * number of the current key changes, so a power cut at any step leaves the old set of keys or the new one.
 *
 * @param onStep called after each step, for tests that stop there
 * @throws SealcamError `key-file-invalid`, `key-store-unavailable`
 */
export function rotateReceiptKeys(
  folder: string,
  suite: CryptoSuite,
  random: Random,
  onStep: (step: string) => void = () => undefined,
): ReceiptKeys {
  const { successor } = loadReceiptKeys(folder, suite, random);
  const next = successor.number + 1;
  onStep('loaded');
  // A seed that exists already is left over from a rotation that was cut off; it is used.
  if (readSeed(seedPath(folder, next)) === undefined) createSeed(seedPath(folder, next), random, onStep);
  const path = join(folder, STATE_FILE);
  withDiskErrors(path, () => {
    writeDurableFile(path, `${JSON.stringify({ current: successor.number })}\n`, {
      temporaryPath: `${path}.${toHex(random.bytes(4))}`,
      onStep: (step) => {
        onStep(step === 'named' ? 'state renamed' : step);
      },
    });
  });
  return loadReceiptKeys(folder, suite, random);
}

function seedPath(folder: string, number: number): string {
  return join(folder, `receipt-${String(number)}.seed`);
}

function currentNumber(folder: string): number | null {
  const path = join(folder, STATE_FILE);
  if (!existsSync(path)) return null;
  const found = /^\{"current":([1-9]\d{0,8})\}\s*$/.exec(readFileSync(path, 'utf8'))?.[1];
  if (found === undefined) throw new SealcamError('key-file-invalid', `${path} does not name the current key`);
  return Number(found);
}
