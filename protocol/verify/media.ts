import { equal } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { RecordMedia } from '../objects/record.js';
import type { SealedObject } from '../seal/seal.js';

/** Whether these are the very bytes that the signed record names. */
export function isMediaOf(suite: CryptoSuite, media: RecordMedia, sealed: SealedObject): boolean {
  return (
    sealed.body.length === media.length &&
    equal(suite.sha256(sealed.header), media.headerHash) &&
    equal(suite.sha256(sealed.body), media.bodyHash)
  );
}
