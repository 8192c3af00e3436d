/**
 * One object of seal suite 2: a picture, a detail, a segment of a clip or a mini picture, under a key of its own that comes
 * from its period's chain. The key E opens this object and no other, so it alone may be given away as evidence.
 */
import { equalSecret } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import { hkdf } from '../crypto/hkdf.js';
import type { ChachaOpenLater, CryptoSuite } from '../crypto/suite.js';
import { decodeCbor, encodeCbor } from '../wire/cbor.js';
import { bytes, int, labelled, tuple, uint } from '../wire/codec.js';
import { pad, unpad } from './content.js';
import type { SealContext, SealedObject } from './seal.js';
import { openStream, openStreamLater, plaintextLength, sealStream } from './stream.js';

/** Suite number of a header. */
export const SUITE_2 = 2;
/** Objects of one period. */
export const PERIOD_OBJECTS_MAX = 4096;

/** What an object is. Its name is part of the context, so that one role's object is never another's. */
export type SealRole = keyof typeof ROLES;

/** Padding unit and longest padded content of each role. */
const ROLES = {
  thumbnail: { unit: LIMITS.sealPadBytes, max: 92 * 1024 },
  detail: { unit: LIMITS.sealPadBytes, max: 92 * 1024 },
  segment: { unit: 16 * 1024, max: 512 * 1024 },
  mini: { unit: 2560, max: 2560 },
} as const;

/** Longest content of a mini picture: with the four bytes of its length it is all that is padded. */
export const MINI_CONTENT_MAX_BYTES = ROLES.mini.max - 4;

/** The place of an object in its event, which its seal is bound to. */
export interface ObjectPlace {
  /** 16 bytes. */
  readonly eventId: Uint8Array;
  /** 16 bytes. */
  readonly mediaId: Uint8Array;
  readonly role: SealRole;
}

/** What an object of suite 2 belongs to, as its signed record says. */
export type ObjectContext = SealContext & ObjectPlace;

/** [suite, period id, index in the period, commit] */
export const sealHeader2 = labelled(
  ['suite', 'period', 'index', 'commit'],
  tuple(int(SUITE_2, SUITE_2), bytes(16), uint(PERIOD_OBJECTS_MAX - 1), bytes(32)),
);

export interface ObjectHeader {
  readonly periodId: Uint8Array;
  readonly index: number;
  readonly commit: Uint8Array;
}

/** Decodes a header. @throws SealcamError `malformed` (also suite 1, which a version-2 epoch does not hold), `unsupported` */
export function decodeObjectHeader(header: Uint8Array): ObjectHeader {
  const raw = decodeHeader(header);
  refuseNewerSuite(raw);
  const [, periodId, index, commit] = sealHeader2.fromCbor(raw, 'seal');
  return { periodId, index, commit };
}

/**
 * Refuses suite 2 in an epoch of a version-1 claim: that alone decides the suite, so that nobody can choose.
 * @throws SealcamError `malformed`
 */
export function refuseSuite2(header: Uint8Array): void {
  const raw = decodeHeader(header);
  if (Array.isArray(raw) && raw[0] === SUITE_2) {
    throw new SealcamError('malformed', 'seal suite 2 in a version-1 epoch');
  }
}

function decodeHeader(header: Uint8Array): unknown {
  return decodeCbor(header, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 3, maxItems: 16 });
}

/** Reports a suite above 2 as newer, whatever follows. @throws SealcamError `unsupported` */
export function refuseNewerSuite(raw: unknown): void {
  if (Array.isArray(raw) && typeof raw[0] === 'number' && raw[0] > SUITE_2) {
    throw new SealcamError('unsupported', `seal suite ${String(raw[0])}`);
  }
}

/** Returns ctx: the SHA-256 of everything that an object is bound to. */
export function objectContextHash(
  suite: CryptoSuite,
  context: ObjectContext,
  { periodId, index }: Pick<ObjectHeader, 'periodId' | 'index'>,
): Uint8Array {
  const { device, account, epoch, claimHash, eventId, mediaId, role } = context;
  return suite.sha256(
    encodeCbor(['sealcam/seal/v2', device, account, epoch, claimHash, eventId, mediaId, role, periodId, index]),
  );
}

/** Returns E, the key of one object, from OK_i, its link of the chain. */
export function objectKey(suite: CryptoSuite, link: Uint8Array, contextHash: Uint8Array): Uint8Array {
  return hkdf(suite, link, 'one', contextHash);
}

/**
 * Seals content under E. `header` names the period and the index that E was derived for.
 * @throws SealcamError `too-large`
 */
export function sealWithE(
  suite: CryptoSuite,
  e: Uint8Array,
  context: ObjectContext,
  place: Pick<ObjectHeader, 'periodId' | 'index'>,
  content: Uint8Array,
): SealedObject {
  const { unit, max } = ROLES[context.role];
  if (4 + content.length > max) {
    throw new SealcamError('too-large', `a ${context.role} of ${String(content.length)} bytes`, {
      details: { bytes: content.length },
    });
  }
  const commit = hkdf(suite, e, 'commit', objectContextHash(suite, context, place));
  const header = encodeCbor(sealHeader2.toCbor([SUITE_2, place.periodId, place.index, commit]));
  return { header, body: sealStream(suite, hkdf(suite, e, 'body'), pad(content, unit)) };
}

/**
 * Opens an object with its own key E, as a reader of evidence does.
 * @throws SealcamError `seal-refused` (another key, place, period or index, or altered), `malformed`, `unsupported`
 */
export function openWithE(suite: CryptoSuite, e: Uint8Array, context: ObjectContext, sealed: SealedObject): Uint8Array {
  const bodyKey = checkedBodyKey(suite, e, context, sealed);
  return unpad(openStream(suite, bodyKey, sealed.body), ROLES[context.role].unit);
}

/** Opens an object as {@link openWithE} does, through WebCrypto. */
export async function openWithELater(
  suite: CryptoSuite,
  open: ChachaOpenLater,
  e: Uint8Array,
  context: ObjectContext,
  sealed: SealedObject,
): Promise<Uint8Array> {
  const bodyKey = checkedBodyKey(suite, e, context, sealed);
  return unpad(await openStreamLater(open, bodyKey, sealed.body), ROLES[context.role].unit);
}

/** Checks all that can be checked before anything is decrypted. */
function checkedBodyKey(
  suite: CryptoSuite,
  e: Uint8Array,
  context: ObjectContext,
  { header, body }: SealedObject,
): Uint8Array {
  const { unit, max } = ROLES[context.role];
  const padded = plaintextLength(body.length);
  if (padded > max || padded % unit !== 0) throw new SealcamError('malformed', 'a sealed object of a wrong length');
  const decoded = decodeObjectHeader(header);
  const commit = hkdf(suite, e, 'commit', objectContextHash(suite, context, decoded));
  if (!equalSecret(commit, decoded.commit)) {
    throw new SealcamError('seal-refused', 'sealed under another key or for another place');
  }
  return hkdf(suite, e, 'body');
}
