import { LIMITS } from '../../../common/limits.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { sealHeader, type RecipientKeys, type SealedObject } from '../../../protocol/seal/seal.js';
import { openBox } from '../../../protocol/seal/sealed-box.js';
import { decodeCbor } from '../../../protocol/wire/cbor.js';

/**
 * Whether a key opens any wrap of the object. That is enough to read the picture: only an honest page also checks that the
 * object belongs to the event.
 */
export function unwraps({ secret, publicKey }: RecipientKeys, { header }: Pick<SealedObject, 'header'>): boolean {
  const raw = decodeCbor(header, { maxBytes: LIMITS.sealedMaxBytes, maxDepth: 3, maxItems: 16 });
  const [, wraps] = sealHeader.fromCbor(raw, 'seal');
  return wraps.some((wrap) => openBox(nodeSuite, secret, publicKey, wrap) !== undefined);
}
