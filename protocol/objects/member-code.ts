import type { CryptoSuite } from '../crypto/suite.js';
import { codeLink, formatCode, parseCode } from './checked-code.js';
import { MEMBER_FRAGMENT } from './link-fragments.js';
import { anyMemberKind, memberKind, type Member, type MemberV2 } from './member.js';
import { openSigned, type Verified } from './signed-object.js';

/** Length of a signed member object: its fields have a fixed length, and the same in both versions. */
const MEMBER_BYTES = 184;

/**
 * Returns the code that a future household member shows to the owner: the signed member object in base32. It goes from
 * screen to screen, and both screens show {@link memberNumber}, which covers every byte that the owner's claim takes from it.
 */
export function formatMemberCode(suite: CryptoSuite, member: Verified<Member | MemberV2>): string {
  return formatCode(suite, member.bytes);
}

/**
 * Parses and verifies a member code as typed, or a link that carries one.
 *
 * @throws SealcamError `claim-code-invalid` where it is no whole code; `bad-signature`, `foreign` or `malformed` where the
 *   member did not sign these keys
 */
export function parseMemberCode(suite: CryptoSuite, typed: string): Verified<Member> {
  return openSigned(memberKind, suite, parseCode(suite, typed, MEMBER_BYTES, MEMBER_FRAGMENT));
}

/** Parses a member code of either version. @throws SealcamError as {@link parseMemberCode} */
export function parseAnyMemberCode(suite: CryptoSuite, typed: string): Verified<Member | MemberV2> {
  return openSigned(anyMemberKind, suite, parseCode(suite, typed, MEMBER_BYTES, MEMBER_FRAGMENT));
}

/** Returns the link for the QR code of a member code. */
export function memberLink(pageUrl: string, code: string): string {
  return codeLink(pageUrl, MEMBER_FRAGMENT, code);
}
