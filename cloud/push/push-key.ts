import { createECDH } from 'node:crypto';
import { join } from 'node:path';
import { SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import { createSeed, readSeed } from '../trust/seed-file.js';

/** The key by which push services know this cloud (VAPID, RFC 8292): P-256, both halves in base64url. */
export interface PushKey {
  readonly publicKey: string;
  readonly privateKey: string;
}

const CURVE = 'prime256v1';
const FILE = 'push.seed';

/** Returns the public half; undefined for a number that is no private key of the curve, which is one of 2^32. */
function publicKeyOf(privateKey: Uint8Array): Buffer | undefined {
  const ecdh = createECDH(CURVE);
  try {
    ecdh.setPrivateKey(privateKey);
    return ecdh.getPublicKey();
  } catch {
    return undefined;
  }
}

/**
 * Loads the key of a cloud, and creates it, mode 600, at the first start. Browsers subscribe for this key: with another one
 * every subscription would be refused until its page renews it.
 *
 * @throws SealcamError `key-file-invalid`, `key-store-unavailable`
 */
export function loadPushKey(folder: string, random: Random): PushKey {
  const path = join(folder, FILE);
  const seed = readSeed(path) ?? createSeed(path, random);
  const publicKey = publicKeyOf(seed);
  if (publicKey === undefined) throw new SealcamError('key-file-invalid', `${path} holds no private key of P-256`);
  return { publicKey: publicKey.toString('base64url'), privateKey: Buffer.from(seed).toString('base64url') };
}

/** Returns whether these are the uncompressed bytes of a point on the curve, as a browser gives its public key. */
export function isPublicPoint(bytes: Uint8Array): boolean {
  const ecdh = createECDH(CURVE);
  ecdh.generateKeys();
  try {
    ecdh.computeSecret(bytes);
    return bytes.length === 65 && bytes[0] === 4;
  } catch {
    return false;
  }
}
