/** The body of a `key` record: it wraps one period's key to every recipient, and is what everything of the period needs. */
import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { bytes, field, struct } from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES, KEM_CIPHERTEXT_BYTES } from './ids.js';

export const keyRecord = struct({
  /** 16 random bytes. A second key record with the same id in one epoch is `equivocation`. */
  periodId: field(0, bytes(ID_BYTES)),
  /** Commits to the period key, which the wraps' AEAD does not. */
  commit: field(1, bytes(HASH_BYTES)),
});

/** An entry [enc, ct] of the body: heads of an array of two and of two byte strings, the ciphertext, and a wrapped key of 32 + 16. */
const WRAP_BYTES = 1 + 3 + KEM_CIPHERTEXT_BYTES + 2 + 48;
/** [2, [ … ]]: heads of both arrays and the suite. */
const BODY_HEAD_BYTES = 3;

/** Returns the length of the sealed body of a key record for this many recipients: 9,395 bytes for 8. */
export function keyBodyBytes(recipients: number): number {
  return BODY_HEAD_BYTES + recipients * WRAP_BYTES;
}

/**
 * Checks the media of a key record: one object with an empty header and a body of 1 to 8 wraps. Whether there are as many
 * as recipients is checked on opening, where the claim is at hand.
 */
export function checkKeyRecord(
  suite: CryptoSuite,
  media: readonly { readonly length: number; readonly headerHash: Uint8Array }[],
): void {
  const [only] = media;
  if (only === undefined) throw new SealcamError('malformed', 'record: key without its media');
  const wraps = (only.length - BODY_HEAD_BYTES) / WRAP_BYTES;
  if (!Number.isInteger(wraps) || wraps < 1 || wraps > LIMITS.recipientsMax) {
    throw new SealcamError('malformed', `record: a key body of ${String(only.length)} bytes`);
  }
  if (!equal(only.headerHash, suite.sha256(new Uint8Array(0)))) {
    throw new SealcamError('malformed', 'record: a key with a seal header');
  }
}
