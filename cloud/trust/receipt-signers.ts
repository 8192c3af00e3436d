import { equal, toHex } from '../../common/bytes.js';
import { Lru } from '../../common/lru.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { openSigned } from '../../protocol/objects/signed-object.js';

/** Verifying a claim takes longer than a record, so there is room for those of a large fleet: 150 bytes each. */
const CLAIMS_CACHED_MAX = 65_536;

/**
 * Chooses the key that signs the receipts of a claim: the first, in our order of preference, that the claim names. Its
 * camera accepts no other.
 */
export class ReceiptSigners {
  private readonly suite: CryptoSuite;
  private readonly signers: readonly Signer[];
  /** By claim hash. A signed claim never changes, so neither does the choice. */
  private readonly chosen = new Lru<string, Signer | null>(CLAIMS_CACHED_MAX);

  constructor(suite: CryptoSuite, signers: readonly Signer[]) {
    this.suite = suite;
    this.signers = signers;
  }

  /** Returns the signer; null if the claim names none of our keys or does not have this hash. */
  forClaim(claimHash: Uint8Array, bytes: Uint8Array | null): Signer | null {
    const name = toHex(claimHash);
    const known = this.chosen.get(name);
    if (known !== undefined) return known;
    const claim = bytes === null ? null : openSigned(anyClaimKind, this.suite, bytes);
    if (claim === null || !equal(claim.hash, claimHash)) return null;
    const signer = chooseKey(this.signers, ({ publicKey }) => publicKey, claim.value.receiptKeys) ?? null;
    this.chosen.set(name, signer);
    return signer;
  }
}

/** Returns the first of these keys that a claim names. */
export function chooseKey<K>(
  keys: readonly K[],
  publicKeyOf: (key: K) => Uint8Array,
  named: readonly Uint8Array[],
): K | undefined {
  return keys.find((key) => named.some((candidate) => equal(candidate, publicKeyOf(key))));
}
