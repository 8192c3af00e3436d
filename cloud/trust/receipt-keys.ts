import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurableFile } from '../../common/adapters/durable-file.js';
import { toHex } from '../../common/bytes.js';
import { SealcamError, systemCode } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';

const SEED_BYTES = 32;
const STATE = 'receipt-keys.json';

export interface ReceiptKey {
  /** Counts from 1; `receipt-N.seed`. */
  readonly number: number;
  readonly signer: Signer;
}

/**
 * The keys that sign receipts: the current one; a successor that every claim names already, so that the current one can be
 * retired without asking any owner; and the retired ones, newest first, for claims that name nothing newer.
 */
export interface ReceiptKeys {
  readonly current: ReceiptKey;
  readonly successor: ReceiptKey;
  readonly retired: readonly ReceiptKey[];
}

/** In which order a key is chosen among those that a claim names: never the successor while there is another. */
export function byPreference({ current, successor, retired }: ReceiptKeys): readonly ReceiptKey[] {
  return [current, ...retired, successor];
}

/**
 * The keys of a cloud; made at its first start, mode 600. One number says which is current, and its successor is the next.
 *
 * @throws SealcamError `key-file-invalid`, `key-store-unavailable`
 */
export function loadReceiptKeys(folder: string, suite: CryptoSuite, random: Random): ReceiptKeys {
  const number = currentNumber(folder);
  const keyOf = (of: number): ReceiptKey => {
    // Only a cloud that never rotated may still have to make one: later a new key would be one that no claim names.
    const seed = readSeed(seedPath(folder, of)) ?? (number === null ? makeSeed(folder, of, random) : undefined);
    if (seed === undefined) throw new SealcamError('key-file-invalid', `${seedPath(folder, of)} is missing`);
    return { number: of, signer: suite.ed25519Signer(seed) };
  };
  const current = number ?? 1;
  const retired: ReceiptKey[] = [];
  for (let of = current - 1; of >= 1; of--) if (existsSync(seedPath(folder, of))) retired.push(keyOf(of));
  return { current: keyOf(current), successor: keyOf(current + 1), retired };
}

/**
 * The successor becomes the current key, which is retired, and there is a fresh successor. The fresh key is whole on disk
 * before the one number that says what is current is replaced: a power cut at any step leaves the old keys or the new.
 *
 * @param onStep is called after each step, for tests that stop there
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
  // One that is there already is left of a rotation that was cut off, and as good as another.
  if (readSeed(seedPath(folder, next)) === undefined) makeSeed(folder, next, random, onStep);
  const path = join(folder, STATE);
  onDisk(path, () => {
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
  const path = join(folder, STATE);
  if (!existsSync(path)) return null;
  const found = /^\{"current":([1-9]\d{0,8})\}\s*$/.exec(readFileSync(path, 'utf8'))?.[1];
  if (found === undefined) throw new SealcamError('key-file-invalid', `${path} does not say which key is current`);
  return Number(found);
}

function readSeed(path: string): Uint8Array | undefined {
  let file: number;
  try {
    // O_NOFOLLOW: a symlink could lead to a file that somebody else can replace.
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

/** Whole or not at all, and never over another: of two processes that make one at a time, both get the first's. */
function makeSeed(
  folder: string,
  number: number,
  random: Random,
  onStep: (step: string) => void = () => undefined,
): Uint8Array {
  const path = seedPath(folder, number);
  const temporaryPath = `${path}.${toHex(random.bytes(4))}`;
  const seed = random.bytes(SEED_BYTES);
  onDisk(path, () => {
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

function onDisk(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw new SealcamError('key-store-unavailable', `${path} cannot be written`, { cause });
  }
}
