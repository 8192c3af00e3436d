import { equal } from '../../../../common/bytes.js';
import type { Household } from '../household.js';
import type { FaultCamera } from './camera.js';
import { tryCall, type Fault, type Injection, type Outcome } from './fault.js';
import type { FaultWorld, Wrong } from './world.js';

/** Requests the records and pictures of a camera. */
async function request({ client }: Household, { device, shots }: FaultCamera): Promise<Outcome> {
  await tryCall(() => client.records(device, 1, null, 50));
  for (const { mediaId } of shots) await tryCall(() => client.media(device, 1, mediaId));
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
    const { mediaId } = other.shot(other === camera ? 1 : 0);
    const wrong: Wrong = {
      records: {
        media: async (device, epoch, id) => {
          const own = await records.media(device, epoch, id);
          const strange = await records.media(other.device, 1, mediaId);
          if (own === undefined || strange === undefined) return undefined;
          return whole ? strange : { ...own, sealed: strange.sealed };
        },
      },
    };
    const act = async (): Promise<Outcome> => {
      await tryCall(() => camera.owner.client.media(camera.device, 1, camera.shot(0).mediaId));
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
