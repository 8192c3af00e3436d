import { equal, utf8 } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';

/** Signed at every check. No signed object begins like this, so the signature is good for nothing else. */
const CHECK_TEXT = utf8('sealcam: check of the device key');

/**
 * Signs as the device, and only while two independent libraries agree: Ed25519 has one right signature, and a wrong one, from a
 * flipped bit in memory, can give the key away.
 */
export class CheckedSigner implements Signer {
  readonly publicKey: Uint8Array;
  private readonly first: Signer;
  private readonly second: Signer;
  private failure: SealcamError | null = null;

  constructor(seed: Uint8Array, suite: CryptoSuite, other: CryptoSuite) {
    this.first = suite.ed25519Signer(seed);
    this.second = other.ed25519Signer(seed);
    this.publicKey = this.first.publicKey;
  }

  /** Signs once with each library and compares. A difference is final. @throws SealcamError `key-check-failed` */
  check(): void {
    const isSame =
      equal(this.first.publicKey, this.second.publicKey) &&
      equal(this.first.sign(CHECK_TEXT), this.second.sign(CHECK_TEXT));
    if (!isSame)
      this.failure = new SealcamError('key-check-failed', 'the device key signs differently in two libraries');
    if (this.failure !== null) throw this.failure;
  }

  /** @throws SealcamError `key-check-failed` after a check that failed */
  sign(message: Uint8Array): Uint8Array {
    if (this.failure !== null) throw this.failure;
    return this.first.sign(message);
  }
}
