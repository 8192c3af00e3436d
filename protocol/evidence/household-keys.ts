/** The keys of single objects, as a recipient of an epoch's claim finds them: K in suite 1, E in suite 2. */
import { equal, toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../crypto/suite.js';
import { xwingKeys, type XWingKeys } from '../crypto/xwing.js';
import type { AnyClaim } from '../objects/claim.js';
import { kemHash } from '../objects/kem-keys.js';
import type { AnyRecord } from '../objects/record.js';
import type { Verified } from '../objects/signed-object.js';
import { decodeObjectHeader, refuseSuite2, type ObjectContext } from '../seal/object.js';
import { openPeriod, type OpenedPeriod } from '../seal/open-period.js';
import { contentKey, type RecipientKeys, type SealedObject } from '../seal/seal.js';
import { isVersionTwo } from '../wire/codec.js';

/** What a recipient opens seals with. */
export interface ReaderSecrets {
  /** 32 bytes. */
  readonly x25519Secret: Uint8Array;
  /** 32 bytes. */
  readonly kemSeed: Uint8Array;
}

/** A key record with its object. */
export interface KeyRecordObject {
  readonly record: Verified<AnyRecord>;
  readonly body: Uint8Array;
}

/** The secrets of a reader, ready for any number of epochs: an X-Wing key takes a while to make. */
export class Reader {
  private readonly suite: CryptoSuite;
  private readonly x25519: RecipientKeys;
  private readonly xwing: XWingKeys;

  constructor(suite: CryptoSuite, { x25519Secret, kemSeed }: ReaderSecrets) {
    this.suite = suite;
    this.x25519 = { secret: x25519Secret, publicKey: suite.x25519PublicKey(x25519Secret) };
    this.xwing = xwingKeys(suite, kemSeed);
  }

  /**
   * Opens the periods of an epoch. The key records are those of this claim, and their bodies the ones that they name.
   * @throws SealcamError `seal-refused` where this reader is not a recipient of the claim, or a camera did not seal to it
   */
  async openEpoch(claim: AnyClaim, keyRecords: readonly KeyRecordObject[]): Promise<EpochKeys> {
    const { suite, x25519 } = this;
    const own = this.placeIn(claim);
    if (own < 0) throw new SealcamError('seal-refused', 'this key is not one that the claim seals to');
    const periods = new Map<string, OpenedPeriod>();
    for (const { record, body } of keyRecords) {
      const { key, device, account, epoch, claimHash } = record.value;
      if (key === undefined) continue;
      const context = { device, account, epoch, claimHash, periodId: key.periodId };
      const recipients = claim.recipients.length;
      const decapsulate = (enc: Uint8Array): Uint8Array => this.xwing.decapsulate(enc);
      const period = await openPeriod({ suite, context, commit: key.commit, body, recipients, own, decapsulate });
      periods.set(toHex(key.periodId), period);
    }
    return isVersionTwo(claim) ? new EpochKeysV2(periods) : new EpochKeysV1(suite, x25519);
  }

  private placeIn(claim: AnyClaim): number {
    if (!isVersionTwo(claim)) return claim.recipients.findIndex(({ x25519 }) => equal(x25519, this.x25519.publicKey));
    const kem = kemHash(this.suite, this.xwing.publicKey);
    return claim.recipients.findIndex((recipient) => equal(recipient.kem, kem));
  }
}

/** The keys of an epoch's objects. */
export interface EpochKeys {
  /**
   * Returns the key that opens this object and no other; undefined where its key record is not at hand.
   * @throws SealcamError `seal-refused`, `malformed`, `unsupported`
   */
  keyOf(context: ObjectContext, sealed: SealedObject): Uint8Array | undefined;
}

class EpochKeysV1 implements EpochKeys {
  private readonly suite: CryptoSuite;
  private readonly keys: RecipientKeys;

  constructor(suite: CryptoSuite, keys: RecipientKeys) {
    this.suite = suite;
    this.keys = keys;
  }

  keyOf(context: ObjectContext, sealed: SealedObject): Uint8Array {
    refuseSuite2(sealed.header);
    return contentKey(this.suite, context, this.keys, sealed);
  }
}

class EpochKeysV2 implements EpochKeys {
  private readonly periods: ReadonlyMap<string, OpenedPeriod>;

  constructor(periods: ReadonlyMap<string, OpenedPeriod>) {
    this.periods = periods;
  }

  keyOf(context: ObjectContext, { header }: SealedObject): Uint8Array | undefined {
    return this.periods.get(toHex(decodeObjectHeader(header).periodId))?.keyOf(context, header);
  }
}
