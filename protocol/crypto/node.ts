import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { concat, isZero } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { Lru } from '../../common/lru.js';
import type { CryptoSuite } from './suite.js';

const CHACHA = 'chacha20-poly1305';
const TAG = { authTagLength: 16 };

type Curve = 'Ed25519' | 'X25519';

// Keys are imported and exported as JWK (RFC 8037): for DER, OpenSSL 3.0 searches its decoders on every call, which takes
// ten times as long as the curve operation.
const NO_X = base64url(new Uint8Array(32));

/** What stands before the 32 bytes of a private key in PKCS #8 (RFC 8410, section 7). */
const PKCS8: Record<Curve, Uint8Array> = {
  Ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  X25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
};

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function privateKey(crv: Curve, raw: Uint8Array): KeyObject {
  // A 64-byte key with an altered public half would leak the scalar, so only the 32-byte seed is accepted.
  if (raw.length !== 32) throw new SealcamError('key-file-invalid', `a key of ${String(raw.length)} bytes, not 32`);
  return comparesX ? fromPkcs8(crv, raw) : fromJwk(crv, raw);
}

/** Node 20 and 22 require an `x` but do not read it; OpenSSL derives the public key. */
function fromJwk(crv: Curve, raw: Uint8Array): KeyObject {
  return createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv, d: base64url(raw), x: NO_X } });
}

function fromPkcs8(crv: Curve, raw: Uint8Array): KeyObject {
  return createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.concat([PKCS8[crv], raw]) });
}

/** Node 24 refuses a JWK whose `x` is not the public key. Its OpenSSL, 3.5, reads DER as quickly. */
const comparesX = ((): boolean => {
  try {
    fromJwk('Ed25519', new Uint8Array(32));
    return false;
  } catch {
    return true;
  }
})();

function publicKey(crv: Curve, raw: Uint8Array): KeyObject {
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv, x: base64url(raw) } });
}

function rawPublic(key: KeyObject): Uint8Array {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(x, 'base64url'));
}

const primitives: Omit<CryptoSuite, 'ed25519VerifyLoose'> = {
  name: 'node',
  // As a string, the result crosses from C++ in half the time of a buffer.
  sha256: (data) => new Uint8Array(Buffer.from(hash('sha256', data, 'binary'), 'binary')),
  hmacSha256: (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest()),
  ed25519Signer(seed) {
    const key = privateKey('Ed25519', seed);
    return { publicKey: rawPublic(key), sign: (message) => new Uint8Array(sign(null, message, key)) };
  },
  x25519PublicKey: (secret) => rawPublic(privateKey('X25519', secret)),
  x25519(secret, key) {
    let shared: Uint8Array;
    try {
      shared = new Uint8Array(
        diffieHellman({ privateKey: privateKey('X25519', secret), publicKey: publicKey('X25519', key) }),
      );
    } catch (cause) {
      throw new SealcamError('seal-refused', 'a low-order X25519 key', { cause });
    }
    if (isZero(shared)) throw new SealcamError('seal-refused', 'a low-order X25519 key');
    return shared;
  },
  chachaSeal(key, nonce, plaintext, aad) {
    const cipher = createCipheriv(CHACHA, key, nonce, TAG);
    if (aad !== undefined) cipher.setAAD(aad, { plaintextLength: plaintext.length });
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  },
  chachaOpen(key, nonce, box, aad) {
    if (box.length < TAG.authTagLength) return undefined;
    const end = box.length - TAG.authTagLength;
    const decipher = createDecipheriv(CHACHA, key, nonce, TAG);
    if (aad !== undefined) decipher.setAAD(aad, { plaintextLength: end });
    decipher.setAuthTag(box.subarray(end));
    const plaintext = decipher.update(box.subarray(0, end));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return new Uint8Array(plaintext);
  },
};

/** Public keys that {@link nodeSuite} keeps parsed. */
const PUBLIC_KEYS_MIN = 16_384;
/** More are never kept, whatever is asked for: a parsed key takes about a kilobyte. */
const PUBLIC_KEYS_MAX = 262_144;

/** Returns the bytes as a text of 32 characters. */
function nameOf(raw: Uint8Array): string {
  return Buffer.from(raw).toString('latin1');
}

/**
 * Returns a suite that keeps the public keys of this many signers parsed, within bounds. Parsing takes a tenth of a
 * verification, and every record of a camera has the same key.
 */
export function nodeSuiteFor(signers: number): CryptoSuite {
  const parsed = new Lru<string, KeyObject>(Math.min(Math.max(signers, PUBLIC_KEYS_MIN), PUBLIC_KEYS_MAX));
  return {
    ...primitives,
    ed25519VerifyLoose(raw, message, signature) {
      const name = nameOf(raw);
      const known = parsed.get(name);
      try {
        const key = known ?? publicKey('Ed25519', raw);
        const isValid = verify(null, message, key, signature);
        // A key that signed nothing is not kept: made-up ones would push out those of cameras.
        if (isValid && known === undefined) parsed.set(name, key);
        return isValid;
      } catch {
        // OpenSSL throws for some encodings that are not points on the curve.
        return false;
      }
    },
  };
}

/** The suite of cameras and clouds, on node:crypto (OpenSSL): Ed25519 is about 200 times faster than tweetnacl's. */
export const nodeSuite: CryptoSuite = nodeSuiteFor(PUBLIC_KEYS_MIN);
