import { equal, toHex } from '../../common/bytes.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { claimKind } from '../../protocol/objects/claim.js';
import { openSigned } from '../../protocol/objects/signed-object.js';

const CLAIMS_KEPT = 10_000;

/** Which of our keys signs for a claim: the first in our order that the claim names; its camera takes no other. */
export class ReceiptSigners {
  private readonly suite: CryptoSuite;
  private readonly signers: readonly Signer[];
  /** By claim hash. What a signed claim says does not change, so this can be kept. */
  private readonly chosen = new Map<string, Signer | null>();

  constructor(suite: CryptoSuite, signers: readonly Signer[]) {
    this.suite = suite;
    this.signers = signers;
  }

  /** Null if the claim names none of our keys, or is not the one of this hash. */
  forClaim(claimHash: Uint8Array, bytes: Uint8Array | null): Signer | null {
    const name = toHex(claimHash);
    const known = this.chosen.get(name);
    if (known !== undefined) return known;
    const claim = bytes === null ? null : openSigned(claimKind, this.suite, bytes);
    if (claim === null || !equal(claim.hash, claimHash)) return null;
    const signer = chooseKey(this.signers, ({ publicKey }) => publicKey, claim.value.receiptKeys) ?? null;
    if (this.chosen.size >= CLAIMS_KEPT) this.chosen.clear();
    this.chosen.set(name, signer);
    return signer;
  }
}

/** The first of these keys that a claim names. */
export function chooseKey<K>(
  keys: readonly K[],
  publicKeyOf: (key: K) => Uint8Array,
  named: readonly Uint8Array[],
): K | undefined {
  return keys.find((key) => named.some((one) => equal(one, publicKeyOf(key))));
}
