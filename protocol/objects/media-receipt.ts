import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  type TypeOf,
  array,
  bytes,
  epochNumber,
  field,
  labelled,
  names,
  struct,
  tuple,
  uint,
  versionTwo,
} from '../wire/codec.js';
import { HASH_BYTES } from './ids.js';
import type { SignedKind } from './signed-object.js';

/** All but `stored` are refusals, which are final: the camera signs the loss and deletes the body. */
const entry = labelled(
  ['bodyHash', 'result'],
  tuple(bytes(HASH_BYTES), names({ stored: 0, deleted: 1, revoked: 2, quota: 3 })),
);

const codec = versionTwo(
  struct({
    device: field(1, bytes(HASH_BYTES)),
    epoch: field(2, epochNumber),
    claimHash: field(3, bytes(HASH_BYTES)),
    entries: field(4, array(entry, 1, LIMITS.mediaReceiptEntriesMax)),
    /** UTC by the cloud's clock; for people to read. */
    issuedAtMs: field(5, uint()),
  }),
);
export type MediaReceipt = TypeOf<typeof codec>;

/**
 * The cloud's signed answer to uploaded segments of a clip (kid: a receipt key of the epoch's claim, which
 * `checkReceiptAgainstClaim` checks). Nothing else makes a camera delete a segment.
 */
export const mediaReceiptKind: SignedKind<MediaReceipt> = {
  domain: 'sealcam/media-receipt/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check({ entries }) {
    if (new Set(entries.map(([hash]) => toHex(hash))).size !== entries.length) {
      throw new SealcamError('malformed', 'media receipt: a body twice');
    }
  },
};
