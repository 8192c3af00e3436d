import { concat, equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { HASH_BYTES, ID_BYTES } from './ids.js';

/** What the label, the console and the QR code hold. The secret travels in a link's fragment, never to a server. */
export interface ClaimCode {
  readonly device: Uint8Array;
  readonly secret: Uint8Array;
}

/** RFC 4648 §6: one case, no look-alikes of 0 and 1, and dense in a QR code's alphanumeric mode. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CHECK_BYTES = 4;
const CODE_BYTES = HASH_BYTES + ID_BYTES + CHECK_BYTES;
const CODE_CHARACTERS = Math.ceil((CODE_BYTES * 8) / 5);
const GROUP = 6;

/** Name of the parameter in a link's fragment. */
export const CLAIM_FRAGMENT = 'claim';

function checkBytes(suite: CryptoSuite, content: Uint8Array): Uint8Array {
  return suite.sha256(content).slice(0, CHECK_BYTES);
}

/** 84 base32 characters in groups of six: device ‖ secret ‖ first 4 bytes of their SHA-256. */
export function formatClaimCode(suite: CryptoSuite, { device, secret }: ClaimCode): string {
  const content = concat(device, secret);
  const all = concat(content, checkBytes(suite, content));
  let out = '';
  let bits = 0;
  let held = 0;
  for (const byte of all) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += ALPHABET.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) out += ALPHABET.charAt((held << (5 - bits)) & 31);
  return out.match(new RegExp(`.{1,${String(GROUP)}}`, 'g'))?.join('-') ?? out;
}

/** Takes a code as typed, with or without dashes and in any case, or a link that carries one. */
export function parseClaimCode(suite: CryptoSuite, typed: string): ClaimCode {
  const fragment = typed.split('#')[1];
  const inLink = fragment === undefined ? null : new URLSearchParams(fragment).get(CLAIM_FRAGMENT);
  // Only ASCII letters change case: "ı" must not become "I".
  const characters = (inLink ?? typed).replace(/[\s-]/g, '').replace(/[a-z]/g, (letter) => letter.toUpperCase());
  const bytes = fromBase32(characters);
  if (bytes === undefined) throw new SealcamError('claim-code-invalid', 'this is not a claim code');
  const content = bytes.subarray(0, HASH_BYTES + ID_BYTES);
  if (!equal(bytes.subarray(HASH_BYTES + ID_BYTES), checkBytes(suite, content))) {
    throw new SealcamError('claim-code-invalid', 'the claim code has a typing error');
  }
  return { device: content.slice(0, HASH_BYTES), secret: content.slice(HASH_BYTES) };
}

function fromBase32(characters: string): Uint8Array | undefined {
  if (characters.length !== CODE_CHARACTERS) return undefined;
  const out = new Uint8Array(CODE_BYTES);
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const character of characters) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[length++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 ? out : undefined;
}

/** The link that a QR code holds; the page reads the fragment and clears it. */
export function claimLink(pageUrl: string, code: string): string {
  const url = new URL(pageUrl);
  url.hash = `${CLAIM_FRAGMENT}=${code}`;
  return url.toString();
}
