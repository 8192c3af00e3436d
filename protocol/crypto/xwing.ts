/**
 * X-Wing (draft-connolly-cfrg-xwing-kem, KEM 0x647a): ML-KEM-768 and X25519 together, which is broken only when both are.
 * X25519 is the suite's, so that a camera uses OpenSSL's.
 */
import { concat, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { sha3, shake256 } from './hashes.js';
import { mlKem } from './ml-kem.js';
import type { CryptoSuite } from './suite.js';

export const XWING = { seedBytes: 32, publicKeyBytes: 1216, encBytes: 1120 } as const;

const ML_KEM_PUBLIC_BYTES = 1184;
const ML_KEM_CIPHERTEXT_BYTES = 1088;
/** 768 coefficients of 12 bits; the 32 bytes after them are the seed of the matrix. */
const COEFFICIENT_BYTES = 1152;
const Q = 3329;
const LABEL = utf8('\\.//^\\');

/** The keys of one recipient; the secret stays inside. */
export interface XWingKeys {
  /** 1,216 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * Returns the shared secret (32 bytes) of an encapsulation (1,120 bytes). One for another key gives another secret.
   * @throws SealcamError `malformed` (length), `seal-refused` (a low-order X25519 half)
   */
  decapsulate(enc: Uint8Array): Uint8Array;
}

/** Makes the keys of a 32-byte seed. @throws SealcamError `key-file-invalid` for another length */
export function xwingKeys(suite: CryptoSuite, seed: Uint8Array): XWingKeys {
  if (seed.length !== XWING.seedBytes) {
    throw new SealcamError('key-file-invalid', `a seed of ${String(seed.length)} bytes, not 32`);
  }
  const expanded = shake256(seed, 96);
  const lattice = mlKem.keys(expanded.subarray(0, 64));
  const secret = expanded.slice(64);
  const ownPublic = suite.x25519PublicKey(secret);
  return {
    publicKey: concat(lattice.publicKey, ownPublic),
    decapsulate(enc) {
      const ephemeral = ephemeralOf(enc);
      const shared = suite.x25519(secret, ephemeral);
      return combine(
        mlKem.decapsulate(enc.slice(0, ML_KEM_CIPHERTEXT_BYTES), lattice.secretKey),
        shared,
        ephemeral,
        ownPublic,
      );
    },
  };
}

export interface Encapsulation {
  /** 1,120 bytes. */
  readonly enc: Uint8Array;
  /** 32 bytes. */
  readonly shared: Uint8Array;
}

/**
 * Makes a shared secret for the owner of a public key.
 * @throws SealcamError `malformed` (length, coefficients), `seal-refused` (a low-order X25519 half)
 */
export function encapsulate(suite: CryptoSuite, random: Random, publicKey: Uint8Array): Encapsulation {
  checkCoefficients(publicKey);
  const theirs = publicKey.slice(ML_KEM_PUBLIC_BYTES);
  const randomness = random.bytes(64);
  const secret = randomness.slice(32);
  const ephemeral = suite.x25519PublicKey(secret);
  const shared = suite.x25519(secret, theirs);
  const lattice = mlKem.encapsulate(publicKey.slice(0, ML_KEM_PUBLIC_BYTES), randomness.slice(0, 32));
  return {
    enc: concat(lattice.cipherText, ephemeral),
    shared: combine(lattice.sharedSecret, shared, ephemeral, theirs),
  };
}

/**
 * Checks a public key as a sender must (FIPS 203 §7.2): its length, coefficients below q, no low-order X25519 half.
 * @throws SealcamError `malformed`, `seal-refused`
 */
export function checkKemKey(suite: CryptoSuite, publicKey: Uint8Array): void {
  checkCoefficients(publicKey);
  refuseLowOrder(suite, publicKey.slice(ML_KEM_PUBLIC_BYTES));
}

/**
 * Checks an encapsulation before a library opens it that does not do so itself.
 * @throws SealcamError `malformed`, `seal-refused`
 */
export function checkEncapsulation(suite: CryptoSuite, enc: Uint8Array): void {
  refuseLowOrder(suite, ephemeralOf(enc));
}

/** One clamped scalar suffices: all of them are multiples of 8. */
function refuseLowOrder(suite: CryptoSuite, publicKey: Uint8Array): void {
  suite.x25519(new Uint8Array(32).fill(1), publicKey);
}

function ephemeralOf(enc: Uint8Array): Uint8Array {
  if (enc.length !== XWING.encBytes) {
    throw new SealcamError('malformed', `an encapsulation of ${String(enc.length)} bytes`);
  }
  return enc.slice(ML_KEM_CIPHERTEXT_BYTES);
}

function checkCoefficients(publicKey: Uint8Array): void {
  if (publicKey.length !== XWING.publicKeyBytes) {
    throw new SealcamError('malformed', `a KEM key of ${String(publicKey.length)} bytes`);
  }
  for (let i = 0; i < COEFFICIENT_BYTES; i += 3) {
    const [low = 0, middle = 0, high = 0] = publicKey.subarray(i, i + 3);
    if ((low | ((middle & 15) << 8)) >= Q || ((middle >> 4) | (high << 4)) >= Q) {
      throw new SealcamError('malformed', 'a KEM key with a coefficient of q or more');
    }
  }
}

function combine(ofLattice: Uint8Array, ofCurve: Uint8Array, ephemeral: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return sha3(concat(ofLattice, ofCurve, ephemeral, publicKey, LABEL));
}
