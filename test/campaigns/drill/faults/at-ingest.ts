import type { FaultCamera, Shot } from './camera.js';
import type { Fault, Injection, Outcome } from './fault.js';
import type { FaultWorld, Wrong } from './world.js';
import { withRows } from '../../../support/worlds/wrong-rows.js';

/** Injects a fault at each camera twice: while it sends a picture, and while it sends the key record of another period. */
function whileSending(
  world: FaultWorld,
  wrong: Wrong,
  send: (camera: FaultCamera, shot: Shot) => Promise<boolean>,
): readonly Injection[] {
  return world.cameras.flatMap((camera) => {
    const makes = [() => world.shoot(camera), ...(camera.isTwo ? [() => camera.begin()] : [])];
    return makes.map((make) => ({
      wrong,
      act: async (): Promise<Outcome> => {
        const shot = await make();
        const isReceipted = await send(camera, shot);
        return isReceipted ? { misbound: 1 } : { unreceipted: [() => world.send(camera, shot)] };
      },
    }));
  });
}

/** The broker delivers a record on the topic of another household's camera. */
export const crossedTopic: Fault = {
  name: 'crossed topic',
  by: 'ingest',
  injections: (world) =>
    whileSending(world, {}, (camera, shot) => world.send(camera, shot, world.strangeCamera(camera.device).device)),
};

/** The claim store answers ingest with the row of another household's camera. */
export const crossedRow: Fault = {
  name: 'crossed row at ingest',
  by: 'ingest',
  injections: (world) => {
    const crossed = withRows(world.store, (device, epoch) =>
      world.store.claims.row(world.strangeCamera(device).device, epoch),
    );
    const wrong: Wrong = {
      claims: { row: (...key) => crossed.claims.row(...key) },
      records: { put: (...given) => crossed.records.put(...given) },
    };
    return whileSending(world, wrong, (camera, shot) => world.send(camera, shot));
  },
};
