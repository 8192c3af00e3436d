import { LIMITS } from '../../common/limits.js';
import { type TypeOf, bytes, field, struct, text, uint, versioned } from '../wire/codec.js';
import { KEY_BYTES } from './ids.js';
import { PROTOCOL_VERSION, type SignedKind } from './signed-object.js';

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    /**
     * Origin as a browser writes it, e.g. `https://cloud.example`. It makes the signature worthless to another cloud.
     */
    cloudOrigin: field(1, text(256)),
    /** The same of the page. */
    pageOrigin: field(2, text(256)),
    /** From the challenge. */
    nonce: field(3, bytes(KEY_BYTES)),
    expiresAtMs: field(4, uint()),
  }),
);
export type Session = TypeOf<typeof codec>;

/** The answer to a cloud's challenge, signed by an owner or member (the kid). */
export const sessionKind: SignedKind<Session> = {
  domain: 'sealcam/session/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check: () => undefined,
};
