import { concat } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { codeLink, formatCode, parseCode } from './checked-code.js';
import type { Recipient } from './claim.js';
import { KEY_BYTES } from './ids.js';

/** Name of the parameter in a link's fragment. */
export const MEMBER_FRAGMENT = 'member';

/**
 * Returns the code that a future household member shows to the owner: both public keys in base32. It must go from
 * screen to screen; a server in between could replace the keys with its own.
 */
export function formatMemberCode(suite: CryptoSuite, { x25519, ed25519 }: Recipient): string {
  return formatCode(suite, concat(x25519, ed25519));
}

/** Parses a member code as typed, or a link that carries one. @throws SealcamError `claim-code-invalid` */
export function parseMemberCode(suite: CryptoSuite, typed: string): Recipient {
  const content = parseCode(suite, typed, 2 * KEY_BYTES, MEMBER_FRAGMENT);
  return { x25519: content.slice(0, KEY_BYTES), ed25519: content.slice(KEY_BYTES) };
}

/** Returns the link for the QR code of a member code. */
export function memberLink(pageUrl: string, code: string): string {
  return codeLink(pageUrl, MEMBER_FRAGMENT, code);
}
