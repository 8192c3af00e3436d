import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { encodeCbor } from '../wire/cbor.js';
import { type TypeOf, bytes, field, names, nullable, struct, uint, versioned, versionTwo } from '../wire/codec.js';
import { deviceId, HASH_BYTES, ID_BYTES } from './ids.js';
import { kindOfVersions, openSigned, PROTOCOL_VERSION, type SignedKind, type Verified } from './signed-object.js';

const fields = {
  device: field(1, bytes(HASH_BYTES)),
  /** 0 for a camera that never had an owner. */
  lastEpoch: field(2, uint()),
  lastClaimHash: field(3, nullable(bytes(HASH_BYTES))),
  /**
   * `physical`: a claim window is open, because someone stands at the camera. `owner`: only the current owner may
   * claim.
   */
  mode: field(4, names({ physical: 0, owner: 1 })),
  /** Valid once, for ten minutes on the camera's monotonic clock. */
  nonce: field(5, bytes(ID_BYTES)),
};
const codec = versioned(PROTOCOL_VERSION, struct(fields));
export type Offer = TypeOf<typeof codec>;

const codecV2 = versionTwo(struct(fields));
export type OfferV2 = TypeOf<typeof codecV2>;

/** What a camera publishes while it can be claimed; signed by the camera. */
export const offerKind: SignedKind<Offer> = {
  domain: 'sealcam/offer/v1',
  maxBytes: LIMITS.signedMaxBytes,
  codec,
  check(offer, kid, suite) {
    if (!equal(offer.device, deviceId(suite, kid))) {
      throw new SealcamError('foreign', 'offer: signed by another device than it names');
    }
    if ((offer.lastEpoch === 0) !== (offer.lastClaimHash === null)) {
      throw new SealcamError('malformed', 'offer: last epoch and last claim hash disagree');
    }
    if (offer.mode === 'owner' && offer.lastEpoch === 0) {
      throw new SealcamError('malformed', 'offer: owner mode without an owner');
    }
  },
};

/** The same for a claim of version 2; sent only where the cloud announced that version. */
export const offerKindV2: SignedKind<OfferV2> = { ...offerKind, codec: codecV2 };

/** An offer of either version. */
export const anyOfferKind: SignedKind<Offer | OfferV2> = kindOfVersions(offerKind, offerKindV2);

/**
 * Opens an offer as a camera sends it: in one version, or in both.
 * @returns it in the highest version
 * @throws SealcamError as {@link openSigned}; `malformed` where the two differ in more than their version
 */
export function openOffers(suite: CryptoSuite, offer: Uint8Array, offerV2?: Uint8Array): Verified<Offer | OfferV2> {
  if (offerV2 === undefined) return openSigned(anyOfferKind, suite, offer);
  const one = openSigned(offerKind, suite, offer);
  const two = openSigned(offerKindV2, suite, offerV2);
  if (!equal(encodeCbor(codec.toCbor(one.value)), encodeCbor(codec.toCbor(two.value)))) {
    throw new SealcamError('malformed', 'an offer that says one thing in version 1 and another in version 2');
  }
  return two;
}
