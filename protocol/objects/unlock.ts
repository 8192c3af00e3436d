import { LIMITS } from '../../common/limits.js';
import { type TypeOf, array, bytes, field, names, struct, uint, versioned } from '../wire/codec.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    device: field(1, bytes(HASH_BYTES)),
    /** The nonce that the console shows. */
    nonce: field(2, bytes(ID_BYTES)),
    scope: field(3, array(names({ diagnose: 0, capture: 1, network: 2, reset: 3 }), 1, 4)),
    /** How long the console stays unlocked, on the monotonic clock. */
    lifetimeS: field(4, uint(86_400)),
  }),
);
export type Unlock = TypeOf<typeof codec>;

/** Unlocks the debug console of one device. The kid must be the maker's QA key in the device's configuration. */
export const unlockKind: SignedKind<Unlock> = {
  domain: 'sealcam/unlock/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check: () => undefined,
};
