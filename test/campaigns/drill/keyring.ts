import { toHex } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import { LIMITS } from '../../../common/limits.js';
import type { OpeningSecrets } from '../../../app/core/opener.js';
import { hkdf } from '../../../protocol/crypto/hkdf.js';
import { hpkeOpen } from '../../../protocol/crypto/hpke.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys, type XWingKeys } from '../../../protocol/crypto/xwing.js';
import type { ClipSegment } from '../../../protocol/objects/clip.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { RecordMediaV2 } from '../../../protocol/objects/record-fields-v2.js';
import { keyRecordBody, periodContextHash } from '../../../protocol/seal/key-record.js';
import {
  decodeObjectHeader,
  objectContextHash,
  objectKey,
  openWithE,
  type ObjectContext,
} from '../../../protocol/seal/object.js';
import { sealHeader, type SealedObject } from '../../../protocol/seal/seal.js';
import { openBox } from '../../../protocol/seal/sealed-box.js';
import { decodeCbor } from '../../../protocol/wire/cbor.js';
import { isVersionTwo } from '../../../protocol/wire/codec.js';

/** A sealed object, and the record and the entry in it that name it. */
export interface NamedObject {
  readonly record: AnyRecord;
  readonly media: RecordMediaV2;
  readonly sealed: SealedObject;
}

/** Returns the place to which a picture, detail or segment is sealed; null for the object of a key record. */
export function placeOf({ record, media: { id: mediaId, role } }: NamedObject): ObjectContext | null {
  if (role === 'key' || role === 'clip') return null;
  const { device, account, epoch, claimHash, event, clip } = record;
  const eventId = event?.id ?? clip?.eventId ?? new Uint8Array(16);
  return { device, account, epoch, claimHash, eventId, mediaId, role };
}

/** Returns a segment of a clip as what its record and its entry there name. */
export function namedSegment(
  record: AnyRecord,
  [, id, length, bodyHash, header]: ClipSegment,
  body: Uint8Array,
): NamedObject {
  const media = { id, role: 'segment', length, bodyHash, headerHash: nodeSuite.sha256(header) } as const;
  return { record, media, sealed: { header, body } };
}

/**
 * What a curious person opens with their keys. Only an honest page keeps to its own entry and to the period that an object
 * names; a keyring tries its key on each entry, and the key of each period that it ever got on each object.
 */
export class Keyring {
  private readonly secrets: OpeningSecrets;
  private xwing: XWingKeys | null = null;
  /** By hex of K: the object keys OK_0, OK_1 … of each period as far as they were needed, and CK after them. */
  private readonly periods = new Map<string, { readonly links: Uint8Array[]; chain: Uint8Array }>();

  constructor(secrets: OpeningSecrets) {
    this.secrets = secrets;
  }

  /** Returns whether any key of this person opens the object. A key record that opens is remembered. */
  opens(object: NamedObject): boolean {
    if (object.media.role === 'key') return this.takesPeriod(object);
    return isVersionTwo(object.record) ? this.opensInPeriod(object) : this.unwraps(object.sealed);
  }

  private takesPeriod({ record, sealed: { body } }: NamedObject): boolean {
    const { key, device, account, epoch, claimHash } = record;
    if (key === undefined) return false;
    this.xwing ??= xwingKeys(nodeSuite, this.secrets.kemSeed);
    const info = periodContextHash(nodeSuite, { device, account, epoch, claimHash, periodId: key.periodId });
    const raw = decodeCbor(body, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 4, maxItems: 64 });
    const [, wraps] = keyRecordBody.fromCbor(raw, 'key');
    for (const [enc, ct] of wraps) {
      const k = hpkeOpen(nodeSuite, this.xwing.decapsulate(enc), info, ct);
      if (k === undefined) continue;
      this.periods.set(toHex(k), { links: [], chain: hkdf(nodeSuite, k, 'chain') });
      return true;
    }
    return false;
  }

  private opensInPeriod(object: NamedObject): boolean {
    const context = placeOf(object);
    if (context === null) return false;
    const { sealed } = object;
    const header = decodeObjectHeader(sealed.header);
    const hash = objectContextHash(nodeSuite, context, header);
    for (const period of this.periods.values()) {
      for (let i = period.links.length; i <= header.index; i++) {
        period.links.push(hkdf(nodeSuite, period.chain, 'object'));
        period.chain = hkdf(nodeSuite, period.chain, 'next');
      }
      const link = period.links[header.index];
      if (link !== undefined && isOpen(() => openWithE(nodeSuite, objectKey(nodeSuite, link, hash), context, sealed)))
        return true;
    }
    return false;
  }

  /** Suite 1. */
  private unwraps({ header }: SealedObject): boolean {
    const { secret, publicKey } = this.secrets.recipient;
    const raw = decodeCbor(header, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 3, maxItems: 16 });
    const [, wraps] = sealHeader.fromCbor(raw, 'seal');
    return wraps.some((wrap) => openBox(nodeSuite, secret, publicKey, wrap) !== undefined);
  }
}

function isOpen(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch (error) {
    if (isSealcamError(error)) return false;
    throw error;
  }
}
