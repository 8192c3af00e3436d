import type { Fault } from './fault.js';

/** The broker delivers a record on the topic of another household's camera. */
export const crossedTopic: Fault = {
  name: 'crossed topic',
  by: 'ingest',
  injections: (world) =>
    world.cameras.map((camera) => ({
      wrong: {},
      act: async () => {
        const shot = await world.shoot(camera);
        const isReceipted = await world.send(camera, shot, world.strangeCamera(camera.device).device);
        return isReceipted ? { misbound: 1 } : { unreceipted: [() => world.send(camera, shot)] };
      },
    })),
};

/** The claim store answers ingest with the row of another household's camera. */
export const crossedRow: Fault = {
  name: 'crossed row at ingest',
  by: 'ingest',
  injections: (world) =>
    world.cameras.map((camera) => ({
      wrong: { claims: { row: (device, epoch) => world.store.claims.row(world.strangeCamera(device).device, epoch) } },
      act: async () => {
        const shot = await world.shoot(camera);
        const isReceipted = await world.send(camera, shot);
        return isReceipted ? { misbound: 1 } : { unreceipted: [() => world.send(camera, shot)] };
      },
    })),
};
