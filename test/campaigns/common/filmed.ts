import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { CameraV2 } from '../../support/worlds/camera-v2.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';

/** A camera whose clips a cloud expects. */
export interface FilmedCamera {
  readonly claim: Verified<ClaimV2>;
  readonly bodies: readonly Uint8Array[];
}

/** Stores a camera with its clip records in the data folder of a cloud, as ingest leaves them. `lengths` are those of a clip's bodies. */
export async function storeFilmed(data: string, clips: number, lengths: readonly number[]): Promise<FilmedCamera> {
  mkdirSync(data, { recursive: true });
  const { current } = loadReceiptKeys(data, nodeSuite, realRandom);
  const camera = new CameraV2(new CameraWorld({ cloud: current.signer }));
  const claim = camera.claim();
  const store = openSqliteStore(join(data, 'cloud.db'));
  const accept = camera.accept(claim);
  await store.claims.accept(claim, accept, realClock.wallMs());
  const bodies: Uint8Array[] = [];
  let prev = accept.hash;
  for (let seq = 1; seq <= clips; seq++) {
    const filmed = camera.film(claim, seq, prev, realRandom.bytes(16), { lengths });
    await store.records.put(filmed.record, [], realClock.wallMs());
    bodies.push(...filmed.bodies);
    prev = filmed.record.hash;
  }
  await store.close();
  return { claim, bodies };
}
