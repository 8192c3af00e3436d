import { realClock } from '../../../../common/adapters/real-clock.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { sleep } from '../../../../common/clock.js';
import { toHex } from '../../../../common/bytes.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { serve } from '../../common/remote.js';
import { SocketCamera } from './camera.js';

export interface FleetPlan {
  readonly cameras: number;
  readonly camerasPerAccount: number;
  /** The cloud's public receipt key, named in each claim. */
  readonly receiptKey: Uint8Array;
}

export interface FleetNetwork {
  readonly folder: string;
  /** One broker on several addresses, used by the cameras in turn. */
  readonly urls: readonly string[];
  readonly ca: string;
  readonly key: string;
  /** PEM, in the order of the cameras. */
  readonly certs: readonly string[];
  readonly windowMs: number;
}

export interface FleetStatus {
  readonly connected: number;
  /** Records that wait for a receipt. */
  readonly queued: number;
}

export interface Times {
  readonly attempts: readonly number[];
  readonly returns: readonly number[];
}

const worlds: CameraWorld[] = [];
const fleet: SocketCamera[] = [];
/**
 * Cameras handled before the event loop gets a turn, so that this process's own work does not delay the broker's
 * answers.
 */
const BATCH_SIZE = 20;

async function inBatches<T>(items: readonly T[], work: (item: T, i: number) => void): Promise<void> {
  for (const [i, item] of items.entries()) {
    work(item, i);
    if (i % BATCH_SIZE === BATCH_SIZE - 1) await sleep(realClock, 1);
  }
}

const procedures = {
  /** Makes the cameras' keys. Returns their ids, for the certificates. */
  prepare: async ({ cameras, camerasPerAccount, receiptKey }: FleetPlan): Promise<readonly string[]> => {
    const cloud: Signer = {
      publicKey: receiptKey,
      sign: () => {
        throw new Error('a camera signs no receipts');
      },
    };
    let owner = nodeSuite.ed25519Signer(realRandom.bytes(32));
    for (let i = 0; i < cameras; i++) {
      if (i % camerasPerAccount === 0) owner = nodeSuite.ed25519Signer(realRandom.bytes(32));
      worlds.push(new CameraWorld({ owner, cloud }));
    }
    return Promise.resolve(worlds.map(({ deviceId }) => toHex(deviceId)));
  },
  start: async ({ folder, urls, ca, key, certs, windowMs }: FleetNetwork): Promise<void> => {
    await inBatches(worlds, (world, i) => {
      const url = urls[i % urls.length] ?? '';
      const camera = new SocketCamera(world, { folder, url, ca, key, cert: certs[i] ?? '', windowMs });
      fleet.push(camera);
      camera.start();
    });
  },
  status: async (_: null): Promise<FleetStatus> =>
    Promise.resolve({
      connected: fleet.filter(({ isConnected }) => isConnected).length,
      queued: fleet.reduce((sum, { queued }) => sum + queued, 0),
    }),
  forgetTimes: async (_: null): Promise<void> => {
    for (const camera of fleet) camera.forgetTimes();
    return Promise.resolve();
  },
  /** Makes one event at each camera. */
  produce: async (_: null): Promise<void> =>
    inBatches(fleet, (camera) => {
      camera.produce();
    }),
  times: async (_: null): Promise<Times> =>
    Promise.resolve({
      attempts: fleet.flatMap(({ attempts }) => attempts),
      // Only the first return of each camera counts.
      returns: fleet.flatMap(({ returns }) => returns.slice(0, 1)),
    }),
  report: async (_: null) => Promise.resolve(fleet.map((camera) => camera.report())),
  stop: async (_: null): Promise<void> => {
    for (const camera of fleet.splice(0)) camera.stop();
    return Promise.resolve();
  },
};
export type FleetProcedures = typeof procedures;

serve(procedures);
