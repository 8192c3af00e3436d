/** Which records and objects belong to an event, for those who make evidence and those who check it. */
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { AnyClaim } from '../objects/claim.js';
import type { AnyRecord } from '../objects/record.js';
import { openWithE, refuseSuite2, type ObjectContext, type SealRole } from '../seal/object.js';
import { decodeContent, type SealedContent } from '../seal/content.js';
import { openWithK, type SealedObject } from '../seal/seal.js';
import { isVersionTwo } from '../wire/codec.js';

/** Returns the id of the event that a record tells of, its clips included. */
export function eventOf({ event, clip }: AnyRecord): Uint8Array | undefined {
  return event?.id ?? clip?.eventId;
}

const SEAL_ROLES: readonly string[] = ['thumbnail', 'detail', 'segment', 'mini'] satisfies SealRole[];

/** Returns the context that an object was sealed in, as its record says. @throws SealcamError `malformed` for another role */
export function contextOf(record: AnyRecord, eventId: Uint8Array, mediaId: Uint8Array, role: string): ObjectContext {
  if (!SEAL_ROLES.includes(role)) throw new SealcamError('malformed', `a sealed object of role ${role}`);
  const { device, account, epoch, claimHash } = record;
  return { device, account, epoch, claimHash, eventId, mediaId, role: role as SealRole };
}

/**
 * Opens a picture or detail with its own key. The claim's version decides the suite.
 * @throws SealcamError `seal-refused`, `malformed`, `unsupported`
 */
export function openPicture(
  suite: CryptoSuite,
  claim: AnyClaim,
  context: ObjectContext,
  key: Uint8Array,
  sealed: SealedObject,
): SealedContent {
  if (isVersionTwo(claim)) return decodeContent(openWithE(suite, key, context, sealed));
  refuseSuite2(sealed.header);
  return openWithK(suite, key, sealed);
}
