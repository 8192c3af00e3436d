import { fromHex, utf8 } from '../../common/bytes.js';
import type { ClaimedSignature, VerifyLater } from '../../protocol/crypto/known-signatures.js';

/** The part of a browser's WebCrypto that is needed here. */
export interface SubtleVerify {
  importKey(
    format: 'raw',
    key: Uint8Array<ArrayBuffer>,
    algorithm: 'Ed25519',
    extractable: boolean,
    usages: ['verify'],
  ): Promise<object>;
  verify(
    algorithm: 'Ed25519',
    key: object,
    signature: Uint8Array<ArrayBuffer>,
    message: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

/** One key for each camera and member: more are imported again. */
const KEYS_MAX = 64;

/**
 * Returns a verifier of Ed25519 (RFC 8032) through WebCrypto, which browsers run off the main thread; null where the browser
 * has none, or where it does not agree with the other libraries on the self-check: cofactorless, as docs/protocol.md asks.
 */
export async function webCryptoVerifier(subtle: SubtleVerify | undefined): Promise<VerifyLater | null> {
  if (subtle === undefined) return null;
  const keys = new Map<string, Promise<object>>();
  const keyOf = (publicKey: Uint8Array): Promise<object> => {
    const name = publicKey.join(' ');
    const known = keys.get(name) ?? subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify']);
    keys.delete(name);
    keys.set(name, known);
    for (const oldest of keys.keys()) {
      if (keys.size <= KEYS_MAX) break;
      keys.delete(oldest);
    }
    return known;
  };
  const verify: VerifyLater = async ({ publicKey, message, signature }) =>
    subtle.verify('Ed25519', await keyOf(publicKey), new Uint8Array(signature), new Uint8Array(message));
  try {
    for (const { isValid, ...claimed } of SELF_CHECK) if ((await verify(claimed)) !== isValid) return null;
    return verify;
  } catch {
    return null;
  }
}

const MIXED_ORDER = {
  publicKey: '1a3aebf7e1ba08c0a54f8fff1d3934acfe6f9378901e4bc94ee278031c8da67e',
  signature:
    '7611653bfa9015c89b7ce88eb07beb5244f18eb8b7022f37d4aea8704f0171d7' +
    'f06dd9eb4f624b1580714e2fbcc6475093f5d582b41fb44853afd50654245a08',
};
/** RFC 8032 §7.1, test 2: the message is the byte 0x72. */
const RFC_8032 = {
  publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
};
/** The last one is valid for a verifier that multiplies by the cofactor, and for no other. */
const SELF_CHECK: readonly (ClaimedSignature & { readonly isValid: boolean })[] = [
  { ...claimedOf(RFC_8032, 'r'), isValid: true },
  { ...claimedOf(RFC_8032, 's'), isValid: false },
  { ...claimedOf(MIXED_ORDER, 'sealcam 1'), isValid: false },
];

function claimedOf(hex: { readonly publicKey: string; readonly signature: string }, message: string): ClaimedSignature {
  const bytes = (text: string, length: number): Uint8Array => fromHex(text, length) ?? new Uint8Array(length);
  return { publicKey: bytes(hex.publicKey, 32), message: utf8(message), signature: bytes(hex.signature, 64) };
}
