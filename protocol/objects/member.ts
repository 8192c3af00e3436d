import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { isAcceptablePoint } from '../crypto/strict.js';
import { type TypeOf, bytes, field, struct, versioned, versionTwo } from '../wire/codec.js';
import { HASH_BYTES, KEY_BYTES } from './ids.js';
import { isContributory } from './recipient-keys.js';
import { kindOfVersions, PROTOCOL_VERSION, type SignedKind, type Verified } from './signed-object.js';

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

/** Key 2, the X25519 key of version 1, is not used again. */
const codecV2 = versionTwo(
  struct({
    /** Signs sessions, looks and orders; the kid. */
    ed25519: field(1, bytes(KEY_BYTES)),
    /** SHA-256 of the X-Wing public key, which the cloud serves by this hash. */
    kem: field(3, bytes(HASH_BYTES)),
  }),
);
export type MemberV2 = TypeOf<typeof codecV2>;

function checkSigner({ ed25519 }: Member | MemberV2, kid: Uint8Array): void {
  if (!equal(kid, ed25519)) throw new SealcamError('foreign', 'member: not signed by its own key');
  if (!isAcceptablePoint(ed25519)) throw new SealcamError('malformed', 'member: a key of small order');
}

/**
 * The keys of one household member, signed by that member, so that one hand holds both. What two people compare is
 * {@link memberNumber}, which covers all of it: another encryption key beside the same signing key is another number.
 */
export const memberKind: SignedKind<Member> = {
  domain: 'sealcam/member/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(member, kid, suite) {
    checkSigner(member, kid);
    if (!isContributory(suite, member.x25519)) throw new SealcamError('malformed', 'member: a key of low order');
  },
};

/** The same with the hash of a KEM key, for a claim of version 2: one object for each browser. */
export const memberKindV2: SignedKind<MemberV2> = { ...memberKind, codec: codecV2, check: checkSigner };

/** A member object of either version. */
export const anyMemberKind: SignedKind<Member | MemberV2> = kindOfVersions(memberKind, memberKindV2);

const NUMBER_BYTES = 16;

/** The number that two people compare: 128 bits of the member object's hash, in groups of four hex digits. */
export function memberNumber({ hash }: Verified<Member | MemberV2>): string {
  const hex = toHex(hash.subarray(0, NUMBER_BYTES));
  return hex.match(/.{4}/g)?.join(' ') ?? hex;
}
