import { realRandom } from '../../../common/adapters/real-random.js';
import type { NewMedia } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { RecordMedia, SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';

const PICTURE_BYTES = 8192;

/** Signs the record of an event with a picture of noise, which has the size of a sealed one. */
export function pictured(
  world: CameraWorld,
  claim: Verified<Claim>,
  seq: number,
  prev: Uint8Array | null,
): { readonly record: Verified<SealcamRecord>; readonly media: readonly NewMedia[] } {
  const sealed = { header: realRandom.bytes(150), body: realRandom.bytes(PICTURE_BYTES) };
  const meta: RecordMedia = {
    id: realRandom.bytes(16),
    role: 'thumbnail',
    length: sealed.body.length,
    bodyHash: nodeSuite.sha256(sealed.body),
    headerHash: nodeSuite.sha256(sealed.header),
  };
  const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
  const record = world.record(claim, seq, prev, { kind: 'motion', event, media: [meta] });
  return { record, media: [{ id: meta.id, sealed }] };
}
