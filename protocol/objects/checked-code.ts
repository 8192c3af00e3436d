/**
 * Codes that people type or scan: bytes in base32 with a checksum, in groups. Claim and member codes are of this form.
 */
import { concat, equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';

/** Base32, RFC 4648 §6: one case, without 0 and 1, and compact in a QR code's alphanumeric mode. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CHECK_BYTES = 4;
const GROUP_CHARACTERS = 6;

function checkBytes(suite: CryptoSuite, content: Uint8Array): Uint8Array {
  return suite.sha256(content).slice(0, CHECK_BYTES);
}

/** Returns the content and the first 4 bytes of its SHA-256 in base32, in groups of six. */
export function formatCode(suite: CryptoSuite, content: Uint8Array): string {
  let out = '';
  let bits = 0;
  let held = 0;
  for (const byte of concat(content, checkBytes(suite, content))) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += ALPHABET.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) out += ALPHABET.charAt((held << (5 - bits)) & 31);
  return out.match(new RegExp(`.{1,${String(GROUP_CHARACTERS)}}`, 'g'))?.join('-') ?? out;
}

/**
 * Parses a code as typed (with or without dashes, in any case) or a link whose fragment has it under `fragmentName`.
 *
 * @returns the `contentBytes` bytes of content
 * @throws SealcamError `claim-code-invalid` for another length, another character or a wrong checksum
 */
export function parseCode(suite: CryptoSuite, typed: string, contentBytes: number, fragmentName: string): Uint8Array {
  const fragment = typed.split('#')[1];
  const inLink = fragment === undefined ? null : new URLSearchParams(fragment).get(fragmentName);
  // Only ASCII letters change case: toUpperCase() would turn "ı" into "I".
  const characters = (inLink ?? typed).replace(/[\s-]/g, '').replace(/[a-z]/g, (letter) => letter.toUpperCase());
  const bytes = fromBase32(characters, contentBytes + CHECK_BYTES);
  if (bytes === undefined) throw new SealcamError('claim-code-invalid', 'this is not a code of this kind');
  const content = bytes.slice(0, contentBytes);
  if (!equal(bytes.subarray(contentBytes), checkBytes(suite, content))) {
    throw new SealcamError('claim-code-invalid', 'the code has a typing error');
  }
  return content;
}

/** Returns a link with a code in its fragment, which browsers do not send to servers. */
export function codeLink(pageUrl: string, fragmentName: string, code: string): string {
  const url = new URL(pageUrl);
  url.hash = `${fragmentName}=${code}`;
  return url.toString();
}

function fromBase32(characters: string, length: number): Uint8Array | undefined {
  if (characters.length !== Math.ceil((length * 8) / 5)) return undefined;
  const out = new Uint8Array(length);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of characters) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 ? out : undefined;
}
