import { concat } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { codeLink, formatCode, parseCode } from './checked-code.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';

/** What the label, the console and the QR code hold. The secret travels in a link's fragment, never to a server. */
export interface ClaimCode {
  readonly device: Uint8Array;
  readonly secret: Uint8Array;
}

/** Name of the parameter in a link's fragment. */
export const CLAIM_FRAGMENT = 'claim';

/** 84 base32 characters in groups of six: device ‖ secret ‖ first 4 bytes of their SHA-256. */
export function formatClaimCode(suite: CryptoSuite, { device, secret }: ClaimCode): string {
  return formatCode(suite, concat(device, secret));
}

/** As typed, or a link that carries one. @throws SealcamError `claim-code-invalid` */
export function parseClaimCode(suite: CryptoSuite, typed: string): ClaimCode {
  const content = parseCode(suite, typed, HASH_BYTES + ID_BYTES, CLAIM_FRAGMENT);
  return { device: content.slice(0, HASH_BYTES), secret: content.slice(HASH_BYTES) };
}

/** The link that a QR code holds; the page reads the fragment and clears it. */
export function claimLink(pageUrl: string, code: string): string {
  return codeLink(pageUrl, CLAIM_FRAGMENT, code);
}
