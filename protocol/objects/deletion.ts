import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { type TypeOf, bytes, epochNumber, field, struct, uint, versioned } from '../wire/codec.js';
import { HASH_BYTES } from './ids.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    device: field(1, bytes(HASH_BYTES)),
    epoch: field(2, epochNumber),
    claimHash: field(3, bytes(HASH_BYTES)),
    /** First and last seq that are deleted, both included. */
    fromSeq: field(4, uint()),
    toSeq: field(5, uint()),
    /** Hash of the record `toSeq`, so that the statement fits one history only. */
    lastHash: field(6, bytes(HASH_BYTES)),
    /** UTC by the owner's device; for people to read. */
    issuedAtMs: field(7, uint()),
  }),
);
export type Deletion = TypeOf<typeof codec>;

/** What an owner deleted (kid: the owner key of the epoch's claim): it explains the hole that it leaves in a history. */
export const deletionKind: SignedKind<Deletion> = {
  domain: 'sealcam/deletion/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check({ fromSeq, toSeq }) {
    if (fromSeq > toSeq) throw new SealcamError('malformed', 'deletion: a range that runs backwards');
  },
};
