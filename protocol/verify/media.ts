import { equal } from '../../common/bytes.js';
import type { CryptoSuite } from '../crypto/suite.js';
import type { ClipSegment } from '../objects/clip.js';
import type { RecordMediaV2 } from '../objects/record-fields-v2.js';
import type { SealedObject } from '../seal/seal.js';

/** Returns whether a sealed object is the one that the signed record names: length and both SHA-256 hashes. */
export function isMediaOf(suite: CryptoSuite, media: RecordMediaV2, sealed: SealedObject): boolean {
  return (
    sealed.body.length === media.length &&
    equal(suite.sha256(sealed.header), media.headerHash) &&
    equal(suite.sha256(sealed.body), media.bodyHash)
  );
}

/**
 * Returns whether a sealed body is that of the segment that a clip record names. The record itself holds its header. No
 * receipt covers it: a record is stored without its segments.
 */
export function isSegmentOf(suite: CryptoSuite, segment: ClipSegment, body: Uint8Array): boolean {
  const [, , length, bodyHash] = segment;
  return body.length === length && equal(suite.sha256(body), bodyHash);
}
