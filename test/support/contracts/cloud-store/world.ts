import { expect } from 'vitest';
import { realRandom } from '../../../../common/adapters/real-random.js';
import type { ErasedEpoch, ExpiryCursor } from '../../../../cloud/store/statement-store.js';
import type { CloudStore, EpochKey, NewMedia } from '../../../../cloud/store/store.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { deletionKind, type Deletion } from '../../../../protocol/objects/deletion.js';
import { floorKind, type Floor } from '../../../../protocol/objects/floor.js';
import type { RecordMedia, SealcamRecord } from '../../../../protocol/objects/record.js';
import { signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
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

/** Returns epochs as the store erases them, without readers of their statements. */
export function erasedEpochs(rows: readonly EpochKey[]): readonly ErasedEpoch[] {
  return rows.map(({ device, epoch }) => ({ device, epoch, readerTokens: [] }));
}

type Claimed = Awaited<ReturnType<typeof claimed>>;

/** Signs the owner's statement that the records `fromSeq` to `toSeq` are deleted. */
export function deletion(
  { world, claim, records }: Claimed,
  fromSeq: number,
  toSeq: number,
  change: Partial<Deletion> = {},
): Verified<Deletion> {
  return signObject(deletionKind, nodeSuite, world.owner, {
    device: world.deviceId,
    epoch: claim.value.epoch,
    claimHash: claim.hash,
    fromSeq,
    toSeq,
    lastHash: records[toSeq]?.hash ?? claim.hash,
    issuedAtMs: 0,
    ...change,
  });
}

export function floorFor({ world, claim }: Claimed, belowSeq: number, change: Partial<Floor> = {}): Verified<Floor> {
  return signObject(floorKind, nodeSuite, world.cloud, {
    device: world.deviceId,
    epoch: claim.value.epoch,
    claimHash: claim.hash,
    belowSeq,
    sinceMs: 10,
    periodMs: 10,
    ...change,
  });
}

/** Deletes once what has expired of one camera, with the floor that the store proposes; returns how many records went. */
export async function expireOnce(
  store: CloudStore,
  camera: Claimed,
  beforeMs: number,
  limit = 100,
  from: ExpiryCursor | null = null,
): Promise<number> {
  const { retention } = store;
  const { epochs } = await retention.aged(beforeMs, from, limit);
  const found = await Promise.all(epochs.map((epoch) => retention.expirable(epoch, beforeMs, limit)));
  return retention.expire(
    found.flatMap((epoch) => (epoch === null ? [] : [floorFor(camera, epoch.belowSeq)])),
    beforeMs,
  );
}
