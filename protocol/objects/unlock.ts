import { LIMITS } from '../../common/limits.js';
import { type TypeOf, array, bytes, field, names, struct, uint, versioned } from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    device: field(1, bytes(HASH_BYTES)),
    /** The console's fresh nonce. */
    nonce: field(2, bytes(ID_BYTES)),
    scope: field(3, array(names({ diagnose: 0, capture: 1, network: 2, reset: 3 }), 1, 4)),
    /** From the unlocking on, by the monotonic clock. */
    lifetimeS: field(4, uint(86_400)),
  }),
);
export type Unlock = TypeOf<typeof codec>;

/** Opens the debug console of one device; the kid must be the maker's QA key of its configuration. */
export const unlockKind: SignedKind<Unlock> = {
  domain: 'sealcam/unlock/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check: () => undefined,
};
