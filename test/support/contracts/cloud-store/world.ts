import { expect } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { CloudStore, NewMedia } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { RecordMedia, SealcamRecord } from '../../../../protocol/objects/record.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import { CameraWorld } from '../../worlds/camera-world.js';

/** Opens a new, empty store. */
export type OpenStore = () => Promise<CloudStore>;

/** Stores the claim and the accept of a camera, and returns them with six more records that are not stored yet. */
export async function claimed(
  store: CloudStore,
  world = new CameraWorld(),
): Promise<{ world: CameraWorld; records: Verified<SealcamRecord>[]; claim: ReturnType<CameraWorld['claim']> }> {
  const claim = world.claim();
  const records = world.chain(claim, 6);
  const [accept] = records;
  if (accept === undefined) throw new Error('no accept');
  expect(await store.claims.accept(claim, accept, 1000)).toMatchObject({ outcome: 'stored' });
  return { world, records, claim };
}

/** Returns a sealed object of noise, and the field of a record that names it. */
export function media(): { readonly meta: RecordMedia; readonly stored: NewMedia } {
  const id = realRandom.bytes(16);
  const sealed = { header: realRandom.bytes(120), body: realRandom.bytes(4112) };
  return {
    stored: { id, sealed },
    meta: {
      id,
      role: 'thumbnail',
      length: sealed.body.length,
      bodyHash: nodeSuite.sha256(sealed.body),
      headerHash: nodeSuite.sha256(sealed.header),
    },
  };
}
