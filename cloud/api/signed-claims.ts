import { equal, toHex } from '../../common/bytes.js';
import { Lru } from '../../common/lru.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyClaimKind, type AnyClaim } from '../../protocol/objects/claim.js';
import { openSigned, versionOf } from '../../protocol/objects/signed-object.js';
import type { ClaimRow } from '../store/store.js';

const CACHED_MAX = 10_000;

/** The claims inside rows, each verified once. */
export class SignedClaims {
  private readonly suite: CryptoSuite;
  /** By claim hash. A cached claim was signed by its owner: it can be old, but never another owner's. */
  private readonly claims = new Lru<string, AnyClaim>(CACHED_MAX);

  constructor(suite: CryptoSuite) {
    this.suite = suite;
  }

  /** Returns the claim inside a row, of whatever epoch; null if it does not verify. */
  in({ claim: bytes, claimHash }: ClaimRow): AnyClaim | null {
    const name = toHex(claimHash);
    const known = this.claims.get(name);
    if (known !== undefined) return known;
    try {
      const claim = openSigned(anyClaimKind, this.suite, bytes ?? new Uint8Array(0));
      if (!equal(claim.hash, claimHash)) return null;
      this.claims.set(name, claim.value);
      return claim.value;
    } catch {
      return null;
    }
  }

  /** Returns the claim inside a row; null unless it verifies and is that of the row's epoch. */
  of(row: ClaimRow): AnyClaim | null {
    const claim = this.in(row);
    const isOfRow = claim !== null && equal(claim.device, row.device) && claim.epoch === row.epoch;
    return isOfRow && versionOf(claim) === row.version ? claim : null;
  }
}
