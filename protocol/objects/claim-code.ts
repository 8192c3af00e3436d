import { concat } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { codeLink, formatCode, parseCode } from './checked-code.js';
import { CLAIM_FRAGMENT } from './link-fragments.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';

/** The content of a claim code, as printed on the label, shown on the console and encoded in the QR code. */
export interface ClaimCode {
  /** 32 bytes. */
  readonly device: Uint8Array;
  /** 16 bytes. Links carry it in their fragment, so it reaches no server. */
  readonly secret: Uint8Array;
}

/** Returns 84 base32 characters in groups of six: device ‖ secret ‖ first 4 bytes of their SHA-256. */
export function formatClaimCode(suite: CryptoSuite, { device, secret }: ClaimCode): string {
  return formatCode(suite, concat(device, secret));
}

/** Parses a claim code as typed, or a link that carries one. @throws SealcamError `claim-code-invalid` */
export function parseClaimCode(suite: CryptoSuite, typed: string): ClaimCode {
  const content = parseCode(suite, typed, HASH_BYTES + ID_BYTES, CLAIM_FRAGMENT);
  return { device: content.slice(0, HASH_BYTES), secret: content.slice(HASH_BYTES) };
}

/** Returns the link for the QR code. The page reads its fragment and removes it from the address. */
export function claimLink(pageUrl: string, code: string): string {
  return codeLink(pageUrl, CLAIM_FRAGMENT, code);
}
