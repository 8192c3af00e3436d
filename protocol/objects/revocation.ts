import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import {
  type TypeOf,
  array,
  bytes,
  epochNumber,
  field,
  names,
  optional,
  struct,
  uint,
  versioned,
} from '../wire/codec.js';
import { HASH_BYTES } from './ids.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

const entry = struct({
  device: field(0, bytes(HASH_BYTES)),
  /** Only in an owner's list, which may revoke its own epochs only. */
  epoch: optional(1, epochNumber),
});

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    /**
     * `owner`: signed by an owner key, entries are epochs of that owner. `maker`: the maker's key, entries are devices.
     */
    scope: field(1, names({ owner: 0, maker: 1 })),
    /** Rises with every list of a signer; a list that is not above the last is refused. */
    listVersion: field(2, uint()),
    issuedAtMs: field(3, uint()),
    entries: field(4, array(entry, 0, LIMITS.revocationMaxEntries)),
  }),
);
export type Revocation = TypeOf<typeof codec>;

/** Ends ownerships or devices for good. Verifiers answer `revoked` for their records. */
export const revocationKind: SignedKind<Revocation> = {
  domain: 'sealcam/revocation/v1',
  maxBytes: LIMITS.revocationMaxBytes,
  codec,
  check(list) {
    if (list.entries.some(({ epoch }) => (epoch !== undefined) !== (list.scope === 'owner'))) {
      throw new SealcamError('malformed', 'revocation: an entry that does not fit the scope');
    }
  },
};
