import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { isZero, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from './suite.js';

type Curve = 'Ed25519' | 'X25519';

// Keys are imported and exported as JWK (RFC 8037): for DER, OpenSSL 3 searches its decoders on every call, which takes
// ten times as long as the curve operation.
const NO_X = base64url(new Uint8Array(32));

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function privateKey(crv: Curve, raw: Uint8Array): KeyObject {
  // A 64-byte key with an altered public half would leak the scalar, so only the 32-byte seed is accepted.
  if (raw.length !== 32) throw new SealcamError('key-file-invalid', `a key of ${String(raw.length)} bytes, not 32`);
  // Node requires an `x` but does not read it; OpenSSL derives the public key.
  return createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv, d: base64url(raw), x: NO_X } });
}

function publicKey(crv: Curve, raw: Uint8Array): KeyObject {
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv, x: base64url(raw) } });
}

function rawPublic(key: KeyObject): Uint8Array {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(x, 'base64url'));
}

/** Parsing a key takes a good part of a verification, and every record of a camera has the same key. */
const PUBLIC_KEY_CACHE_MAX = 1024;
const publicKeyCache = new Map<string, KeyObject>();

function cachedPublicKey(raw: Uint8Array): KeyObject {
  const name = toHex(raw);
  const cached = publicKeyCache.get(name);
  if (cached !== undefined) return cached;
  const key = publicKey('Ed25519', raw);
  if (publicKeyCache.size >= PUBLIC_KEY_CACHE_MAX) publicKeyCache.clear();
  publicKeyCache.set(name, key);
  return key;
}

/** The suite of cameras and clouds, on node:crypto (OpenSSL): Ed25519 is about 200 times faster than tweetnacl's. */
export const nodeSuite: CryptoSuite = {
  name: 'node',
  sha256: (data) => new Uint8Array(createHash('sha256').update(data).digest()),
  hmacSha256: (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest()),
  ed25519Signer(seed) {
    const key = privateKey('Ed25519', seed);
    return { publicKey: rawPublic(key), sign: (message) => new Uint8Array(sign(null, message, key)) };
  },
  ed25519VerifyLoose(key, message, signature) {
    try {
      return verify(null, message, cachedPublicKey(key), signature);
    } catch {
      // OpenSSL throws for some encodings that are not points on the curve.
      return false;
    }
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
};
