import { renderUnicodeCompact } from 'uqr';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimLink, formatClaimCode, type ClaimCode } from '../../protocol/objects/claim-code.js';

/**
 * Formats what a person needs to claim a camera, with a QR code for a terminal. It holds the claim secret: never log
 * it.
 */
export function claimSheet(suite: CryptoSuite, code: ClaimCode, pageUrl: string): string {
  const text = formatClaimCode(suite, code);
  const link = claimLink(pageUrl, text);
  return [
    '',
    'To claim this camera, open this link or scan it with a phone, within ten minutes:',
    '',
    renderUnicodeCompact(link, { border: 2 }),
    '',
    `  ${link}`,
    '',
    `Claim code: ${text}`,
    '',
    '',
  ].join('\n');
}
