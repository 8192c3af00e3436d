import type { Fault } from './fault.js';
import { withRows } from '../../../support/worlds/wrong-rows.js';

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
  injections: (world) => {
    const crossed = withRows(world.store, (device, epoch) =>
      world.store.claims.row(world.strangeCamera(device).device, epoch),
    );
    return world.cameras.map((camera) => ({
      wrong: {
        claims: { row: (...key) => crossed.claims.row(...key) },
        records: { put: (...given) => crossed.records.put(...given) },
      },
      act: async () => {
        const shot = await world.shoot(camera);
        const isReceipted = await world.send(camera, shot);
        return isReceipted ? { misbound: 1 } : { unreceipted: [() => world.send(camera, shot)] };
      },
    }));
  },
};
