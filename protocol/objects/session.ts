import { LIMITS } from '../../common/limits.js';
import { type TypeOf, bytes, field, struct, text, uint, versioned } from '../wire/codec.js';
import { KEY_BYTES } from './ids.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    /** Both origins as a browser writes them, e.g. `https://cloud.example`: a challenge relayed elsewhere is worthless. */
    cloudOrigin: field(1, text(256)),
    pageOrigin: field(2, text(256)),
    nonce: field(3, bytes(KEY_BYTES)),
    expiresAtMs: field(4, uint()),
  }),
);
export type Session = TypeOf<typeof codec>;

/** The answer to a cloud's challenge, signed by the owner's or a member's key (the kid). */
export const sessionKind: SignedKind<Session> = {
  domain: 'sealcam/session/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check: () => undefined,
};
