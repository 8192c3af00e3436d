import { equal } from '../../../../common/bytes.js';
import { periodIdOf } from '../../../support/worlds/camera-v2.js';
import type { Household } from '../household.js';
import type { FaultCamera } from './camera.js';
import { tryCall, type Fault, type Injection, type Outcome } from './fault.js';
import type { FaultWorld, Wrong } from './world.js';

/** Requests everything of a camera, as a curious caller does: records, key records, pictures and segments. */
export async function request({ client }: Household, { device, shots, keys, clips }: FaultCamera): Promise<Outcome> {
  await tryCall(() => client.records(device, 1, null, 50));
  for (const { record } of keys) await tryCall(() => client.keyRecord(device, 1, periodIdOf(record)));
  for (const { media } of [...keys, ...shots]) await tryCall(() => client.media(device, 1, media.id));
  const hashes = clips.flatMap(({ segments }) => segments.map(({ entry: [, , , bodyHash] }) => bodyHash));
  for (const hash of hashes) await tryCall(() => client.segment(device, 1, hash));
  return {};
}

/** Requests the list of cameras, and everything of each camera in it. */
async function requestList(world: FaultWorld, household: Household): Promise<Outcome> {
  await tryCall(async () => {
    for (const { device } of await household.client.cameras()) {
      const camera = world.cameras.find((one) => equal(one.device, device));
      if (camera !== undefined) await request(household, camera);
    }
  });
  return {};
}

/** The cache between the API and the claim store answers with the row of another camera. */
export const crossedRows: Fault = {
  name: 'crossed cache at read: rows',
  by: 'read',
  injections: (world) =>
    world.cameras.map((camera) => ({
      wrong: { claims: { row: (device, epoch) => world.store.claims.row(world.strangeCamera(device).device, epoch) } },
      act: () => request(camera.owner, camera),
    })),
};

/** Membership is answered for another reader: the list of cameras, and whether one may be read. */
export const crossedMembers: Fault = {
  name: 'crossed cache at read: membership',
  by: 'read',
  injections: (world) =>
    world.households.flatMap((household): Injection[] => {
      const neighbour = world.neighbour(household);
      const strange = world.camerasOf(neighbour)[0];
      if (strange === undefined) return [];
      const { claims } = world.store;
      return [
        {
          wrong: {
            claims: {
              readableBy: () => claims.readableBy(neighbour.keys.signer.publicKey),
              isMember: (device, epoch) => claims.isMember(device, epoch, neighbour.keys.signer.publicKey),
            },
          },
          act: () => requestList(world, household),
        },
        { wrong: { claims: { isMember: () => Promise.resolve(true) } }, act: () => request(household, strange) },
      ];
    }),
};

/**
 * Answers a request for a camera's first picture with another sealed object; with `whole`, also with that object's
 * place.
 */
function otherMedia(world: FaultWorld, of: (camera: FaultCamera) => FaultCamera, whole: boolean): readonly Injection[] {
  const { records } = world.store;
  return world.cameras.map((camera) => {
    const other = of(camera);
    const { media } = other.shot(other === camera ? 1 : 0);
    const wrong: Wrong = {
      records: {
        media: async (device, epoch, id) => {
          const own = await records.media(device, epoch, id);
          const strange = await records.media(other.device, 1, media.id);
          if (own === undefined || strange === undefined) return undefined;
          return whole ? strange : { ...own, sealed: strange.sealed };
        },
      },
    };
    const act = async (): Promise<Outcome> => {
      await tryCall(() => camera.owner.client.media(camera.device, 1, camera.shot(0).media.id));
      return {};
    };
    return { wrong, act };
  });
}

/** The media store answers with the object of another event, or of another household's camera. */
export const crossedMedia: Fault = {
  name: 'crossed media store',
  by: 'read',
  injections: (world) => [
    ...otherMedia(world, (camera) => world.strangeCamera(camera.device), true),
    ...otherMedia(world, (camera) => camera, false),
  ],
};

/** Answers a request for a camera's first key record with another one, or with its object alone. */
function otherKey(camera: FaultCamera, other: FaultCamera, whole: boolean, world: FaultWorld): Injection {
  const { records } = world.store;
  const asked = periodIdOf(camera.key(0).record);
  const wrong: Wrong = {
    records: {
      keyRecord: async (device, epoch, periodId) => {
        const own = await records.keyRecord(device, epoch, periodId);
        const strange = await records.keyRecord(
          other.device,
          1,
          periodIdOf(other.key(other === camera ? 1 : 0).record),
        );
        if (own === undefined || strange === undefined) return undefined;
        return whole ? strange : { ...own, sealed: strange.sealed };
      },
    },
  };
  const act = async (): Promise<Outcome> => {
    await tryCall(() => camera.owner.client.keyRecord(camera.device, 1, asked));
    return {};
  };
  return { wrong, act };
}

/** A cache of key records answers with that of another household's camera, or of another period; or with its object. */
export const crossedKeys: Fault = {
  name: 'crossed cache at read: key records',
  by: 'read',
  injections: (world) =>
    world
      .camerasWithKeys()
      .flatMap((camera) =>
        [world.strangeCameraWithKeys(camera), camera].flatMap((other) =>
          [true, false].map((whole) => otherKey(camera, other, whole, world)),
        ),
      ),
};

/** Two pictures are swapped in the store. */
export const swappedOfOne: Fault = {
  name: 'swapped thumbnails of one owner',
  by: 'read',
  injections: (world) =>
    otherMedia(world, (camera) => world.camerasOf(camera.owner).find((other) => other !== camera) ?? camera, false),
};
export const swappedOfTwo: Fault = {
  name: 'swapped thumbnails of two owners',
  by: 'read',
  injections: (world) => otherMedia(world, (camera) => world.strangeCamera(camera.device), false),
};
