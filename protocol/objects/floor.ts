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
    /** The lowest seq that is kept: every record below it is deleted. At least 1, since record 0 stays. */
    belowSeq: field(4, uint()),
    /** UTC at which the records below were deleted, by the cloud's clock. */
    sinceMs: field(5, uint()),
    /** The period that the cloud promises to keep records for, in milliseconds. */
    periodMs: field(6, uint()),
  }),
);
export type Floor = TypeOf<typeof codec>;

/**
 * What retention deleted (kid: a receipt key of the epoch's claim). A hole below it is explained; a record below it that
 * is younger than the promised period is an alarm.
 */
export const floorKind: SignedKind<Floor> = {
  domain: 'sealcam/floor/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check({ belowSeq, sinceMs, periodMs }) {
    if (belowSeq === 0 || periodMs === 0) throw new SealcamError('malformed', 'floor: nothing below it, or no period');
    if (sinceMs < periodMs) throw new SealcamError('malformed', 'floor: since before its own period');
  },
};
