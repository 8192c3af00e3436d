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

// Keys go in and out as JWK (RFC 8037): OpenSSL 3 looks for a decoder of each DER, which costs ten times the curve.
const NO_X = base64url(new Uint8Array(32));

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function privateKey(crv: Curve, raw: Uint8Array): KeyObject {
  // A 64-byte key file with an altered public half leaks the scalar; only the seed is ever taken.
  if (raw.length !== 32) throw new SealcamError('key-file-invalid', `a key of ${String(raw.length)} bytes, not 32`);
  // The public half is derived by OpenSSL; Node wants an `x` there and does not read it.
  return createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv, d: base64url(raw), x: NO_X } });
}

function publicKey(crv: Curve, raw: Uint8Array): KeyObject {
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv, x: base64url(raw) } });
}

function rawPublic(key: KeyObject): Uint8Array {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(x, 'base64url'));
}

/** Parsing a key costs a good part of a verification, and a camera's key comes back with every record. */
const KEPT_KEYS = 1024;
const keptKeys = new Map<string, KeyObject>();

function keptPublicKey(raw: Uint8Array): KeyObject {
  const name = toHex(raw);
  const kept = keptKeys.get(name);
  if (kept !== undefined) return kept;
  const key = publicKey('Ed25519', raw);
  if (keptKeys.size >= KEPT_KEYS) keptKeys.clear();
  keptKeys.set(name, key);
  return key;
}

/** Ed25519, X25519 and SHA-256 of node:crypto (OpenSSL): some 200 and 20 times faster than tweetnacl. */
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
      return verify(null, message, keptPublicKey(key), signature);
    } catch {
      // OpenSSL throws for some encodings that are no point on the curve; that is a "no".
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
