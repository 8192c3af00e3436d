/**
 * What a browser's own WebCrypto does for opening seals of suite 2: ChaCha20-Poly1305 and X-Wing, both many times faster than the
 * libraries and off the main thread. Both are young there, so each is used only where it agrees with the libraries.
 */
import { equal } from '../../common/bytes.js';
import type { ChachaOpenLater, CryptoSuite } from './suite.js';
import { checkEncapsulation, encapsulate, xwingKeys } from './xwing.js';

const CHACHA = 'ChaCha20-Poly1305';
const XWING_NAME = 'MLKEM768-X25519';

type Bytes = Uint8Array<ArrayBuffer>;

/** The part of WebCrypto that is needed here; TypeScript's types do not have it yet. */
export interface SubtleSeals {
  importKey(
    format: 'raw-secret' | 'raw-seed',
    key: Bytes,
    algorithm: string,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<object>;
  decrypt(algorithm: { readonly name: string; readonly iv: Bytes }, key: object, data: Bytes): Promise<ArrayBuffer>;
  decapsulateBits(algorithm: string, key: object, enc: Bytes): Promise<ArrayBuffer>;
}

/** Returns ChaCha20-Poly1305 through WebCrypto; null where it is missing or does not agree with the suite. */
export async function webChacha(suite: CryptoSuite, subtle: SubtleSeals | undefined): Promise<ChachaOpenLater | null> {
  if (subtle === undefined) return null;
  const open: ChachaOpenLater = async (key, nonce, box) => {
    const imported = await subtle.importKey('raw-secret', new Uint8Array(key), CHACHA, false, ['decrypt']);
    try {
      const algorithm = { name: CHACHA, iv: new Uint8Array(nonce) };
      return new Uint8Array(await subtle.decrypt(algorithm, imported, new Uint8Array(box)));
    } catch {
      return undefined;
    }
  };
  const key = new Uint8Array(32).fill(1);
  const nonce = new Uint8Array(12).fill(2);
  const plaintext = new Uint8Array(100).fill(3);
  const box = suite.chachaSeal(key, nonce, plaintext);
  try {
    const opened = await open(key, nonce, box);
    const altered = await open(key, nonce, flipped(box));
    return opened !== undefined && equal(opened, plaintext) && altered === undefined ? open : null;
  } catch {
    return null;
  }
}

/** Opens encapsulations for the key of one seed. */
type DecapsulateLater = (enc: Uint8Array) => Promise<Uint8Array>;

/**
 * Returns X-Wing through WebCrypto: a function that takes a 32-byte seed. Null where it is missing or does not agree with the
 * suite; the check costs two operations of the library.
 */
export async function webXWing(
  suite: CryptoSuite,
  subtle: SubtleSeals | undefined,
): Promise<((seed: Uint8Array) => Promise<DecapsulateLater>) | null> {
  if (subtle === undefined) return null;
  const recipient = async (seed: Uint8Array): Promise<DecapsulateLater> => {
    const key = await subtle.importKey('raw-seed', new Uint8Array(seed), XWING_NAME, false, ['decapsulateBits']);
    return async (enc) => {
      checkEncapsulation(suite, enc);
      return new Uint8Array(await subtle.decapsulateBits(XWING_NAME, key, new Uint8Array(enc)));
    };
  };
  const seed = new Uint8Array(32).fill(4);
  const fixed = { bytes: (length: number) => new Uint8Array(length).fill(5), uniform: () => 0.5 };
  try {
    const keys = xwingKeys(suite, seed);
    const { enc, shared } = encapsulate(suite, fixed, keys.publicKey);
    const decapsulate = await recipient(seed);
    // An altered one must give the secret that implicit rejection gives, not an error.
    const altered = flipped(enc);
    const isEqual =
      equal(await decapsulate(enc), shared) && equal(await decapsulate(altered), keys.decapsulate(altered));
    return isEqual ? recipient : null;
  } catch {
    return null;
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes);
  out[0] = (out[0] ?? 0) ^ 1;
  return out;
}
