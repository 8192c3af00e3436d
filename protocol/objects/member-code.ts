import type { CryptoSuite } from '../crypto/suite.js';
import { codeLink, formatCode, parseCode } from './checked-code.js';
import { memberKind, type Member } from './member.js';
import { openSigned, type Verified } from './signed-object.js';

/** Name of the parameter in a link's fragment. */
export const MEMBER_FRAGMENT = 'member';

/** Length of a signed member object of version 1, whose fields all have a fixed length. */
const MEMBER_BYTES = 184;

/**
 * Returns the code that a future household member shows to the owner: the signed member object in base32. It goes from
 * screen to screen, and both screens show {@link memberNumber}, which covers every byte that the owner's claim takes from it.
 */
export function formatMemberCode(suite: CryptoSuite, member: Verified<Member>): string {
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

/** Returns the link for the QR code of a member code. */
export function memberLink(pageUrl: string, code: string): string {
  return codeLink(pageUrl, MEMBER_FRAGMENT, code);
}
