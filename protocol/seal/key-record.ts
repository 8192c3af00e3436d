/**
 * The key record of a period: its key K, wrapped once for every recipient of the claim. It is the only public-key work of
 * suite 2, so a camera does it in a process of its own, through {@link WrapKey}.
 */
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import { hkdf } from '../crypto/hkdf.js';
import { hpkeSeal, type HpkeBox } from '../crypto/hpke.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { XWING } from '../crypto/xwing.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { array, bytes, int, labelled, tuple } from '../wire/codec.js';
import { refuseNewerSuite, SUITE_2 } from './object.js';
import type { SealContext } from './seal.js';

/** What a period belongs to. */
export interface PeriodContext extends Omit<SealContext, 'eventId' | 'mediaId'> {
  /** 16 random bytes. */
  readonly periodId: Uint8Array;
}

/** K (32 bytes) and its tag. */
const WRAPPED_KEY_BYTES = 32 + 16;
const wrap = labelled(['enc', 'ct'], tuple(bytes(XWING.encBytes), bytes(WRAPPED_KEY_BYTES)));
/** [suite, wraps in the order of the claim's recipients] */
export const keyRecordBody = labelled(
  ['suite', 'wraps'],
  tuple(int(SUITE_2, SUITE_2), array(wrap, 1, LIMITS.recipientsMax)),
);
/** The body for 8 recipients, 9,395 bytes. */
export const KEY_RECORD_BODY_MAX_BYTES = 16 + LIMITS.recipientsMax * 1180;

/** Returns ctxP: the SHA-256 of everything that a period is bound to. It is also HPKE's info. */
export function periodContextHash(suite: CryptoSuite, context: PeriodContext): Uint8Array {
  const { device, account, epoch, claimHash, periodId } = context;
  return suite.sha256(encodeCbor(['sealcam/key/v2', device, account, epoch, claimHash, periodId]));
}

/** Returns the commitment to K that the key record signs. */
export function periodCommit(suite: CryptoSuite, key: Uint8Array, contextHash: Uint8Array): Uint8Array {
  return hkdf(suite, key, 'commit', contextHash);
}

/** All that the process needs which wraps a key. */
export interface WrapJob {
  /** X-Wing public keys (1,216 bytes each), in the order of the claim's recipients. */
  readonly recipients: readonly Uint8Array[];
  /** ctxP, 32 bytes. */
  readonly info: Uint8Array;
  /** K, 32 bytes. */
  readonly key: Uint8Array;
}

/** Wraps a key and returns the body of the key record: {@link wrapKey}, here or in a child process. */
export type WrapKey = (job: WrapJob) => Promise<Uint8Array>;

/** Wraps K for every recipient. @throws SealcamError `malformed` or `seal-refused` for a key that must not be used */
export function wrapKey(suite: CryptoSuite, random: Random, { recipients, info, key }: WrapJob): Uint8Array {
  const wraps = recipients.map((recipient) => {
    const { enc, ct } = hpkeSeal(suite, random, recipient, info, key);
    return [enc, ct] as const;
  });
  return encodeCbor(keyRecordBody.toCbor([SUITE_2, wraps]));
}

/**
 * Decodes the body of a key record for a claim with this number of recipients.
 * @throws SealcamError `malformed`, `unsupported`
 */
export function decodeKeyRecordBody(body: Uint8Array, recipients: number): readonly HpkeBox[] {
  const raw = decodeCbor(body, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 4, maxItems: 64 });
  refuseNewerSuite(raw);
  const [, wraps] = keyRecordBody.fromCbor(raw, 'key');
  if (wraps.length !== recipients) {
    throw new SealcamError('malformed', `${String(wraps.length)} wraps for ${String(recipients)} recipients`);
  }
  return wraps.map(([enc, ct]) => ({ enc, ct }));
}
