import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  type TypeOf,
  bytes,
  epochNumber,
  field,
  int,
  nullable,
  struct,
  tuple,
  uint,
  versionTwo,
} from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES, KEM_KEY_BYTES } from './ids.js';
import type { SignedKind } from './signed-object.js';

const codec = versionTwo(
  struct({
    device: field(1, bytes(HASH_BYTES)),
    epoch: field(2, epochNumber),
    claimHash: field(3, bytes(HASH_BYTES)),
    /** 16 random bytes, good for one session. */
    session: field(4, bytes(ID_BYTES)),
    /** A fresh X-Wing public key, to which the camera encapsulates; null in a renewal. */
    kemKey: field(5, nullable(bytes(KEM_KEY_BYTES))),
    /** 0 starts the session, 1, 2 … renew it. */
    renewal: field(6, uint()),
    seconds: field(7, int(1, LIMITS.lookMaxSeconds)),
    /** Seq and hash of a recent record that the viewer has seen, so that a withheld order cannot be played later. */
    recent: field(8, tuple(uint(), bytes(HASH_BYTES))),
  }),
);
export type Look = TypeOf<typeof codec>;

/**
 * An order to show what the camera sees now, by any recipient of the claim that it names (the kid); the camera checks that,
 * and so does every member, in the record that answers it.
 */
export const lookKind: SignedKind<Look> = {
  domain: 'sealcam/look/v1',
  maxBytes: LIMITS.lookOrderMaxBytes,
  codec,
  check({ kemKey, renewal }) {
    if ((kemKey === null) !== renewal > 0)
      throw new SealcamError('malformed', 'look: a start with no key, or a renewal with one');
  },
};
