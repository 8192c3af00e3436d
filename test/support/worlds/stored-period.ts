import type { CloudStore } from '../../../cloud/store/store.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { ApiWorld } from './api-world.js';
import { CameraV2, periodIdOf, type WithObject } from './camera-v2.js';
import { CameraWorld } from './camera-world.js';

/** A claimed camera in a cloud with its API, and the key record of its first period. */
export interface StoredPeriod {
  readonly api: ApiWorld;
  readonly camera: CameraV2;
  readonly claim: Verified<ClaimV2>;
  readonly key: WithObject;
  readonly periodId: Uint8Array;
}

/** Stores a claimed camera with the key record of a period. `wrap` puts something between the cloud and its store. */
export async function storedPeriod(wrap?: (store: CloudStore) => CloudStore): Promise<StoredPeriod> {
  const api = await ApiWorld.open(wrap);
  const camera = new CameraV2(new CameraWorld({ cloud: api.receiptSigner }));
  const claim = camera.claim();
  const accept = camera.accept(claim);
  await api.store.claims.accept(claim, accept, 0, camera.kemKeys);
  const key = camera.key(claim, 1, accept.hash);
  await api.store.records.put(key.record, [key.object], 0);
  return { api, camera, claim, key, periodId: periodIdOf(key.record) };
}
