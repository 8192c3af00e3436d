import { concat, toHex } from '../../common/bytes.js';
import { isAcceptable } from './strict.js';
import type { CryptoSuite } from './suite.js';

/** A signature over a message, and the key that it should be of. */
export interface ClaimedSignature {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Verifies a signature as a library does, in its own time. */
export type VerifyLater = (claimed: ClaimedSignature) => Promise<boolean>;

/** About 3 MB of a browser's memory. */
const KNOWN_MAX = 20_000;

/**
 * A suite that remembers which signatures it found valid, so that a record that the cloud sends again is not verified again,
 * and so that a library which verifies off the main thread can be asked ahead of time. A signature that is not known is
 * verified by the suite below; what is not valid is never remembered.
 */
export class KnownSignatures {
  readonly suite: CryptoSuite;
  private readonly later: VerifyLater | null;
  /** Oldest first. */
  private readonly known = new Set<string>();

  /** `later` must agree with the suite on every signature that passes the strict prechecks; null verifies nothing ahead. */
  constructor(suite: CryptoSuite, later: VerifyLater | null) {
    this.later = later;
    this.suite = {
      ...suite,
      ed25519VerifyLoose: (publicKey, message, signature) => {
        const key = this.keyOf({ publicKey, message, signature });
        if (this.known.has(key)) return true;
        const isValid = suite.ed25519VerifyLoose(publicKey, message, signature);
        if (isValid) this.remember(key);
        return isValid;
      },
    };
  }

  /** Verifies these together; those that are valid are known afterwards. Never rejects. */
  async verifyAhead(claimed: readonly ClaimedSignature[]): Promise<void> {
    const { later } = this;
    if (later === null) return;
    const verifyOne = async (one: ClaimedSignature): Promise<void> => {
      const key = this.keyOf(one);
      if (this.known.has(key) || !isAcceptable(one.publicKey, one.signature)) return;
      if (await later(one).catch(() => false)) this.remember(key);
    };
    await Promise.all(claimed.map(verifyOne));
  }

  private keyOf({ publicKey, message, signature }: ClaimedSignature): string {
    return toHex(this.suite.sha256(concat(publicKey, signature, message)));
  }

  private remember(key: string): void {
    this.known.add(key);
    for (const oldest of this.known) {
      if (this.known.size <= KNOWN_MAX) break;
      this.known.delete(oldest);
    }
  }
}
