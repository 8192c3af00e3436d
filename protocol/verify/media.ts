import { equal } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { RecordMedia } from '../objects/record.js';
import type { SealedObject } from '../seal/seal.js';

/** Returns whether a sealed object is the one that the signed record names: length and both SHA-256 hashes. */
export function isMediaOf(suite: CryptoSuite, media: RecordMedia, sealed: SealedObject): boolean {
  return (
    sealed.body.length === media.length &&
    equal(suite.sha256(sealed.header), media.headerHash) &&
    equal(suite.sha256(sealed.body), media.bodyHash)
  );
}
