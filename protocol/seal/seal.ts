import { concat, equal, equalSecret } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import { hkdfSha256 } from '../crypto/hashes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { array, bytes, int, labelled, tuple } from '../wire/codec.js';
import { openBody, sealBody } from './body.js';
import { padContent, unpadContent, type SealedContent } from './content.js';
import { openBox, sealBox, SEALED_BOX_OVERHEAD } from './sealed-box.js';

/** What a sealed object belongs to. No seq is in it, so that sealing happens before the outbox transaction. */
export interface SealContext {
  readonly device: Uint8Array;
  readonly account: Uint8Array;
  readonly epoch: number;
  readonly claimHash: Uint8Array;
  readonly eventId: Uint8Array;
  readonly mediaId: Uint8Array;
}

export interface SealedObject {
  /** CBOR [suite, wraps, MAC]. */
  readonly header: Uint8Array;
  /** Chunks of ciphertext. */
  readonly body: Uint8Array;
}

/** XSalsa20-Poly1305 chunks, X25519 sealed boxes, HKDF and HMAC with SHA-256. */
const SUITE = 1;
const WRAP_BYTES = 32 + 32 + SEALED_BOX_OVERHEAD;
/** [suite, wraps, MAC] */
export const sealHeader = labelled(
  ['suite', 'wraps', 'mac'],
  tuple(int(SUITE, SUITE), array(bytes(WRAP_BYTES), 1, LIMITS.recipientsMax), bytes(32)),
);

/** SHA-256 of what the object belongs to (32 bytes); it stands beside the key in every wrap. */
export function contextHash(suite: CryptoSuite, context: SealContext): Uint8Array {
  const { device, account, epoch, claimHash, eventId, mediaId } = context;
  return suite.sha256(encodeCbor(['sealcam/seal/v1', device, account, epoch, claimHash, eventId, mediaId]));
}

/** HMAC over suite and all wraps: unlike Poly1305 it commits to the key, so one body never has two plaintexts. */
function headerMac(suite: CryptoSuite, key: Uint8Array, wraps: readonly Uint8Array[]): Uint8Array {
  return suite.hmacSha256(hkdfSha256(key, 'header'), encodeCbor([SUITE, wraps]));
}

/**
 * Seals content to every recipient's X25519 key under a fresh key.
 *
 * @throws SealcamError `too-large` above 96 KiB, header and body together; `seal-refused` for a low-order key
 */
export function seal(...parts: SealParts): SealedObject {
  const steps = sealInSteps(...parts);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

type SealParts = Parameters<typeof sealInSteps>;

/** The same in steps, one a recipient and one for the body, so that a small core can do other work between them. */
export function* sealInSteps(
  suite: CryptoSuite,
  random: Random,
  context: SealContext,
  recipients: readonly Uint8Array[],
  content: SealedContent,
): Generator<void, SealedObject, void> {
  const key = random.bytes(32);
  const secret = concat(key, contextHash(suite, context));
  const wraps: Uint8Array[] = [];
  for (const recipient of recipients) {
    wraps.push(sealBox(suite, random, recipient, secret));
    yield;
  }
  const body = sealBody(hkdfSha256(key, 'body'), padContent(content));
  yield;
  const sealed = { header: encodeCbor(sealHeader.toCbor([SUITE, wraps, headerMac(suite, key, wraps)])), body };
  const size = sealed.header.length + sealed.body.length;
  if (size > LIMITS.sealedMaxBytes) {
    throw new SealcamError('too-large', `sealed object of ${String(size)} bytes`, { details: { bytes: size } });
  }
  return sealed;
}

/** An X25519 key pair, raw. */
export interface RecipientKeys {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

/**
 * Opens a sealed object that belongs to `context`.
 *
 * @throws SealcamError `seal-refused` (another's, altered, or of another event), `malformed`, `unsupported`
 */
export function unseal(
  suite: CryptoSuite,
  context: SealContext,
  keys: RecipientKeys,
  sealed: SealedObject,
): SealedContent {
  if (sealed.header.length + sealed.body.length > LIMITS.sealedMaxBytes) {
    throw new SealcamError('malformed', 'a sealed object over the limit');
  }
  const raw = decodeCbor(sealed.header, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 3, maxItems: 16 });
  if (Array.isArray(raw) && typeof raw[0] === 'number' && raw[0] !== SUITE) {
    throw new SealcamError('unsupported', `seal suite ${String(raw[0])}`);
  }
  const [, wraps, mac] = sealHeader.fromCbor(raw, 'seal');

  for (const wrap of wraps) {
    const secret = openBox(suite, keys.secret, keys.publicKey, wrap);
    if (secret === undefined) continue;
    const key = secret.subarray(0, 32);
    if (!equal(secret.subarray(32), contextHash(suite, context))) {
      throw new SealcamError('seal-refused', 'sealed for another event');
    }
    if (!equalSecret(headerMac(suite, key, wraps), mac)) {
      throw new SealcamError('seal-refused', 'the seal header was altered');
    }
    return unpadContent(openBody(hkdfSha256(key, 'body'), sealed.body));
  }
  throw new SealcamError('seal-refused', 'not sealed to this key');
}
