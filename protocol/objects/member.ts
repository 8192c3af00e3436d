import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { isAcceptablePoint } from '../crypto/strict.js';
import { type TypeOf, bytes, field, struct, versioned } from '../wire/codec.js';
import { KEY_BYTES } from './ids.js';
import { isContributory } from './recipient-keys.js';
import { PROTOCOL_VERSION, type SignedKind, type Verified } from './signed-object.js';

const codec = versioned(
  PROTOCOL_VERSION,
  struct({
    /** Opens sessions with the cloud; the kid. */
    ed25519: field(1, bytes(KEY_BYTES)),
    /** Pictures are sealed to it. */
    x25519: field(2, bytes(KEY_BYTES)),
  }),
);
export type Member = TypeOf<typeof codec>;

/**
 * The keys of one household member, signed by that member, so that one hand holds both. What two people compare is
 * {@link memberNumber}, which covers all of it: another encryption key beside the same signing key is another number.
 */
export const memberKind: SignedKind<Member> = {
  domain: 'sealcam/member/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(member, kid, suite) {
    if (!equal(kid, member.ed25519)) throw new SealcamError('foreign', 'member: not signed by its own key');
    if (!isAcceptablePoint(member.ed25519)) throw new SealcamError('malformed', 'member: a key of small order');
    if (!isContributory(suite, member.x25519)) throw new SealcamError('malformed', 'member: a key of low order');
  },
};

const NUMBER_BYTES = 16;

/** The number that two people compare: 128 bits of the member object's hash, in groups of four hex digits. */
export function memberNumber({ hash }: Verified<Member>): string {
  const hex = toHex(hash.subarray(0, NUMBER_BYTES));
  return hex.match(/.{4}/g)?.join(' ') ?? hex;
}
