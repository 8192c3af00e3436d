import { concat } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { codeLink, formatCode, parseCode } from './checked-code.js';
import type { Recipient } from './claim.js';
import { KEY_BYTES } from './ids.js';

/** Name of the parameter in a link's fragment. */
export const MEMBER_FRAGMENT = 'member';

/**
 * What a household member shows to the owner: both public keys. It goes from screen to screen, never through a server,
 * which could put its own keys there.
 */
export function formatMemberCode(suite: CryptoSuite, { x25519, ed25519 }: Recipient): string {
  return formatCode(suite, concat(x25519, ed25519));
}

/** As typed, or a link that carries one. @throws SealcamError `claim-code-invalid` */
export function parseMemberCode(suite: CryptoSuite, typed: string): Recipient {
  const content = parseCode(suite, typed, 2 * KEY_BYTES, MEMBER_FRAGMENT);
  return { x25519: content.slice(0, KEY_BYTES), ed25519: content.slice(KEY_BYTES) };
}

export function memberLink(pageUrl: string, code: string): string {
  return codeLink(pageUrl, MEMBER_FRAGMENT, code);
}
