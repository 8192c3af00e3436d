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
import { concat, fromHex, isZero, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from './suite.js';

// DER prefixes of RFC 8410 (PKCS #8 and SubjectPublicKeyInfo) for a raw 32-byte key.
const ED25519_PRIVATE = prefix('302e020100300506032b657004220420');
const ED25519_PUBLIC = prefix('302a300506032b6570032100');
const X25519_PRIVATE = prefix('302e020100300506032b656e04220420');
const X25519_PUBLIC = prefix('302a300506032b656e032100');

function prefix(hex: string): Uint8Array {
  const bytes = fromHex(hex, hex.length / 2);
  if (bytes === undefined) throw new SealcamError('internal', 'bad DER prefix');
  return bytes;
}

function privateKey(der: Uint8Array, raw: Uint8Array): KeyObject {
  // A 64-byte key file with an altered public half leaks the scalar; only the seed is ever taken.
  if (raw.length !== 32) throw new SealcamError('key-file-invalid', `a key of ${String(raw.length)} bytes, not 32`);
  return createPrivateKey({ key: Buffer.from(concat(der, raw)), format: 'der', type: 'pkcs8' });
}

function publicKey(der: Uint8Array, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(der, raw)), format: 'der', type: 'spki' });
}

function rawPublic(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** Parsing a key costs a good part of a verification, and a camera's key comes back with every record. */
const KEPT_KEYS = 1024;
const keptKeys = new Map<string, KeyObject>();

function keptPublicKey(raw: Uint8Array): KeyObject {
  const name = toHex(raw);
  const kept = keptKeys.get(name);
  if (kept !== undefined) return kept;
  const key = publicKey(ED25519_PUBLIC, raw);
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
    const key = privateKey(ED25519_PRIVATE, seed);
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
  x25519PublicKey: (secret) => rawPublic(privateKey(X25519_PRIVATE, secret)),
  x25519(secret, key) {
    let shared: Uint8Array;
    try {
      shared = new Uint8Array(
        diffieHellman({ privateKey: privateKey(X25519_PRIVATE, secret), publicKey: publicKey(X25519_PUBLIC, key) }),
      );
    } catch (cause) {
      throw new SealcamError('seal-refused', 'a low-order X25519 key', { cause });
    }
    if (isZero(shared)) throw new SealcamError('seal-refused', 'a low-order X25519 key');
    return shared;
  },
};
