import { expect, it } from 'vitest';
import { join } from 'node:path';
import { SilenceWatch } from '../../../../cloud/push/silence.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import { silentLog } from '../../../../common/log.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { tempFolder } from '../../../support/runner/temp.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';

const MINUTE_MS = 60_000;
/** Of a minute; between them all promises settle. */
const STEPS = 4;
const CLOUD = nodeSuite.ed25519Signer(realRandom.bytes(32));

/** A watch over claimed cameras, each of which was accepted when the world began. */
class WatchWorld {
  readonly clock = new VirtualClock();
  readonly store = openSqliteStore(join(tempFolder(), 'cloud.db'));
  readonly told: string[] = [];
  readonly outages: number[] = [];
  readonly devices: Uint8Array[] = [];
  isReceiving = true;

  static async of(cameras: number): Promise<WatchWorld> {
    const world = new WatchWorld();
    for (let i = 0; i < cameras; i++) {
      const camera = new CameraWorld({ cloud: CLOUD });
      const claim = camera.claim(1, null);
      const accept = camera.record(claim, 0, claim.hash, { kind: 'accept' });
      await world.store.claims.accept(claim, accept, world.clock.wallMs());
      world.devices.push(camera.deviceId);
    }
    return world;
  }

  /** Starts a watch, as a worker does. */
  watch(): SilenceWatch {
    const { clock, store } = this;
    const watch = new SilenceWatch({
      store,
      clock,
      log: silentLog,
      isReceiving: () => this.isReceiving,
      onSilent: ({ device }) => this.told.push(toHex(device)),
      onOutage: (cameras) => this.outages.push(cameras),
    });
    watch.start();
    return watch;
  }

  /** Lets minutes pass, in each of which these cameras are heard. */
  async pass(minutes: number, watch: SilenceWatch, heard: readonly Uint8Array[] = []): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      for (const device of heard) watch.hear(device);
      for (let step = 0; step < STEPS; step++) {
        this.clock.advance(MINUTE_MS / STEPS);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

it('tells of a camera that is silent for two cadences, once, and of no other', async () => {
  const world = await WatchWorld.of(3);
  const watch = world.watch();
  const [silent, ...others] = world.devices as [Uint8Array, ...Uint8Array[]];
  for (const device of world.devices) watch.hear(device);
  await world.pass(29, watch, others);
  expect(world.told).toEqual([]);
  await world.pass(3, watch, others);
  expect(world.told).toEqual([toHex(silent)]);
  await world.pass(120, watch, others);
  expect([world.told, world.outages]).toEqual([[toHex(silent)], []]);
});

it('does not count time in which the cloud received nothing', async () => {
  const world = await WatchWorld.of(1);
  const watch = world.watch();
  for (const device of world.devices) watch.hear(device);
  world.isReceiving = false;
  await world.pass(120, watch);
  world.isReceiving = true;
  await world.pass(29, watch);
  expect(world.told).toEqual([]);
  await world.pass(3, watch);
  expect(world.told).toHaveLength(1);
});

it.each([
  ['most of twenty-four', 24, 20, 0, true],
  ['nineteen', 19, 19, 19, false],
  ['twenty of fifty', 50, 20, 20, false],
])(
  'takes it for an outage of its own where many cameras fall silent at once: %s',
  async (_, all, silent, told, isOutage) => {
    const world = await WatchWorld.of(all);
    const watch = world.watch();
    for (const device of world.devices) watch.hear(device);
    await world.pass(32, watch, world.devices.slice(silent));
    expect([world.told.length, world.outages.length > 0]).toEqual([told, isOutage]);
  },
);

it('tells of a silence once, whichever worker finds it, also one that began while no worker ran', async () => {
  const world = await WatchWorld.of(1);
  const [first, second] = [world.watch(), world.watch()];
  await world.pass(40, first);
  expect(world.told).toHaveLength(1);
  first.stop();
  second.stop();
  await world.pass(40, first);
  const third = world.watch();
  await world.pass(40, third);
  expect(world.told).toHaveLength(1);
});

it('says nothing of a silence of more than a day', async () => {
  const world = await WatchWorld.of(1);
  world.clock.advance(25 * 60 * MINUTE_MS);
  await world.pass(40, world.watch());
  expect(world.told).toEqual([]);
});

it('says nothing after it was stopped', async () => {
  const world = await WatchWorld.of(1);
  const watch = world.watch();
  for (const device of world.devices) watch.hear(device);
  watch.stop();
  await world.pass(40, watch);
  expect([world.told, world.clock.pending]).toEqual([[], 0]);
});
