/**
 * Sealing: pictures and what was seen in them, encrypted on the camera to the public key of every household member.
 * An object is sealed once under a fresh key; the key is wrapped for each recipient. Neither broker nor cloud has it.
 *
 * Start with {@link seal} and {@link unseal}. The layout is in docs/protocol.cddl and test/vectors/seal.json.
 */
import { concat, equal, equalSecret } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import { hkdf } from '../crypto/hkdf.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { array, bytes, int, labelled, tuple } from '../wire/codec.js';
import { openBody, sealBody } from './body.js';
import { padContent, unpadContent, type SealedContent } from './content.js';
import { openBox, sealBox, SEALED_BOX_OVERHEAD } from './sealed-box.js';

/**
 * What a sealed object belongs to. It holds no seq, because sealing happens before the outbox transaction that assigns
 * one.
 */
export interface SealContext {
  /** 32 bytes. */
  readonly device: Uint8Array;
  /** 16 bytes. */
  readonly account: Uint8Array;
  readonly epoch: number;
  /** 32 bytes. */
  readonly claimHash: Uint8Array;
  /** 16 bytes. */
  readonly eventId: Uint8Array;
  /** 16 bytes. */
  readonly mediaId: Uint8Array;
}

export interface SealedObject {
  /** CBOR [suite, wraps, MAC]. */
  readonly header: Uint8Array;
  /** Chunks of ciphertext. */
  readonly body: Uint8Array;
}

/** The only seal suite so far: XSalsa20-Poly1305 chunks, X25519 sealed boxes, HKDF and HMAC with SHA-256. */
const SUITE = 1;
/** Content key and context hash in a sealed box. */
const WRAP_BYTES = 32 + 32 + SEALED_BOX_OVERHEAD;
/** [suite, wraps, MAC] */
export const sealHeader = labelled(
  ['suite', 'wraps', 'mac'],
  tuple(int(SUITE, SUITE), array(bytes(WRAP_BYTES), 1, LIMITS.recipientsMax), bytes(32)),
);

/** Returns the SHA-256 (32 bytes) of the context. Every wrap carries it beside the key, which binds the two. */
export function contextHash(suite: CryptoSuite, context: SealContext): Uint8Array {
  const { device, account, epoch, claimHash, eventId, mediaId } = context;
  return suite.sha256(encodeCbor(['sealcam/seal/v1', device, account, epoch, claimHash, eventId, mediaId]));
}

/**
 * HMAC over the suite and all wraps. Poly1305 does not commit to its key ("Partitioning Oracle Attacks", Len et al.
 * 2021); this MAC does, so one body never opens to two plaintexts.
 */
function headerMac(suite: CryptoSuite, key: Uint8Array, wraps: readonly Uint8Array[]): Uint8Array {
  return suite.hmacSha256(hkdf(suite, key, 'header'), encodeCbor([SUITE, wraps]));
}

export interface SealRequest {
  readonly suite: CryptoSuite;
  /** Source of the content key and of the ephemeral keys; never seeded outside of tests. */
  readonly random: Random;
  readonly context: SealContext;
  /** X25519 public keys (32 bytes each), 1 to 8. */
  readonly recipients: readonly Uint8Array[];
  readonly content: SealedContent;
}

/**
 * Seals content to every recipient under a fresh key.
 *
 * @throws SealcamError `too-large` above 96 KiB (header and body together), `seal-refused` for a low-order key
 */
export function seal(request: SealRequest): SealedObject {
  const steps = sealInSteps(request);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Seals as {@link seal} does, in one step per recipient and one for the body, so that a slow core can do other work.
 */
export function* sealInSteps(request: SealRequest): Generator<void, SealedObject, void> {
  const { suite, random, context, recipients, content } = request;
  const key = random.bytes(32);
  const secret = concat(key, contextHash(suite, context));
  const wraps: Uint8Array[] = [];
  for (const recipient of recipients) {
    wraps.push(sealBox(suite, random, recipient, secret));
    yield;
  }
  const body = sealBody(hkdf(suite, key, 'body'), padContent(content));
  yield;
  const sealed = { header: encodeCbor(sealHeader.toCbor([SUITE, wraps, headerMac(suite, key, wraps)])), body };
  const size = sealed.header.length + sealed.body.length;
  if (size > LIMITS.sealedMaxBytes) {
    throw new SealcamError('too-large', `sealed object of ${String(size)} bytes`, { details: { bytes: size } });
  }
  return sealed;
}

/** An X25519 key pair (RFC 7748), 32 raw bytes each. */
export interface RecipientKeys {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

/**
 * Opens a sealed object that must belong to `context`.
 *
 * @throws SealcamError `seal-refused` (sealed to another key, altered, or of another event), `malformed`, `unsupported`
 */
export function unseal(
  suite: CryptoSuite,
  context: SealContext,
  keys: RecipientKeys,
  sealed: SealedObject,
): SealedContent {
  return openWithK(suite, contentKey(suite, context, keys, sealed), sealed);
}

/**
 * Returns K, the key of one object, for a recipient. It was fresh for this object and opens no other, as E does in suite 2.
 * @throws SealcamError `seal-refused` (sealed to another key, or of another event), `malformed`, `unsupported`
 */
export function contentKey(
  suite: CryptoSuite,
  context: SealContext,
  keys: RecipientKeys,
  sealed: SealedObject,
): Uint8Array {
  for (const wrap of decodeHeader(sealed).wraps) {
    const secret = openBox(suite, keys.secret, keys.publicKey, wrap);
    if (secret === undefined) continue;
    if (!equal(secret.subarray(32), contextHash(suite, context))) {
      throw new SealcamError('seal-refused', 'sealed for another event');
    }
    return secret.slice(0, 32);
  }
  throw new SealcamError('seal-refused', 'not sealed to this key');
}

/**
 * Opens an object with its own key K, as a reader of evidence does. The event that it was sealed for stands in the wraps, which
 * only recipients open: the signed record that names header and body says it instead.
 *
 * @throws SealcamError `seal-refused` (another key, or altered), `malformed`, `unsupported`
 */
export function openWithK(suite: CryptoSuite, key: Uint8Array, sealed: SealedObject): SealedContent {
  const { wraps, mac } = decodeHeader(sealed);
  if (!equalSecret(headerMac(suite, key, wraps), mac)) {
    throw new SealcamError('seal-refused', 'the seal header was altered');
  }
  return unpadContent(openBody(hkdf(suite, key, 'body'), sealed.body));
}

function decodeHeader({ header, body }: SealedObject): {
  readonly wraps: readonly Uint8Array[];
  readonly mac: Uint8Array;
} {
  if (header.length + body.length > LIMITS.sealedMaxBytes) {
    throw new SealcamError('malformed', 'a sealed object over the limit');
  }
  const raw = decodeCbor(header, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 3, maxItems: 16 });
  if (Array.isArray(raw) && typeof raw[0] === 'number' && raw[0] !== SUITE) {
    throw new SealcamError('unsupported', `seal suite ${String(raw[0])}`);
  }
  const [, wraps, mac] = sealHeader.fromCbor(raw, 'seal');
  return { wraps, mac };
}
