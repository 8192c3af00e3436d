import { toHex } from '../../../common/bytes.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { RecordMedia, SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import type { ApiWorld } from './api-world.js';
import { CameraWorld } from './camera-world.js';
import { pictured } from './cloud-world.js';

export interface Stored {
  readonly world: CameraWorld;
  readonly claim: Verified<Claim>;
  /** The record with the picture. */
  readonly last: Verified<SealcamRecord>;
  readonly media: RecordMedia;
  readonly token: string;
}

/** Stores a claimed camera with one event and its picture, and opens a session of its owner. */
export async function stored(
  api: ApiWorld,
  world = new CameraWorld({ cloud: api.receiptSigner }),
  change: Partial<Claim> = {},
): Promise<Stored> {
  const claim = world.claim(1, null, change);
  const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
  await api.store.claims.accept(claim, accept, api.clock.wallMs());
  const { record, sealed, media } = pictured(world, claim, 1, accept.hash);
  await api.store.records.put(record, [{ id: media.id, sealed }], api.clock.wallMs());
  return { world, claim, last: record, media, token: (await api.session(world.owner)).token };
}

export function mediaUrl({ world, media }: Pick<Stored, 'world' | 'media'>): string {
  return `/v1/cameras/${toHex(world.deviceId)}/1/media/${toHex(media.id)}`;
}
