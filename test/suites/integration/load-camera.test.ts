import { beforeEach, expect, it } from 'vitest';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { freePort } from '../../../scripts/free-port.js';
import { LoadCamera } from '../../campaigns/fleet/load-camera.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { afterThisTest } from '../../support/runner/after-test.js';
import { tempFolder } from '../../support/runner/temp.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { until } from '../../support/runner/wait.js';
import { TestCloud } from '../../support/worlds/test-cloud.js';

const RECORDS = 3;
const RESEND_MS = 3000;
/** As on a machine on which everything before the claims took minutes. */
const LATE_MS = 600_000;

/** A camera of the campaigns, connected, with its accept sent; its cloud has not started. */
interface Setting {
  readonly clock: VirtualClock;
  readonly camera: LoadCamera;
  readonly cloud: TestCloud;
}

async function setting(): Promise<Setting> {
  const folder = tempFolder();
  const broker: TestBroker = embedded(folder, await freePort());
  await broker.start();
  afterThisTest(() => broker.stop());
  const cloud = new TestCloud(folder, await freePort(), broker);
  afterThisTest(() => cloud.stop());
  const { current } = loadReceiptKeys(`${folder}/cloud`, nodeSuite, realRandom);
  const clock = new VirtualClock(LATE_MS);
  const { port: brokerPort, protocol } = broker;
  const receiptKeys = [current.signer.publicKey];
  const camera = new LoadCamera(
    { brokerPort, protocol, records: RECORDS, receiptKeys, resendMs: RESEND_MS, everyMs: 0 },
    clock,
    () => undefined,
  );
  afterThisTest(() => camera.stop());
  await camera.connect();
  camera.turn();
  return { clock, camera, cloud };
}

const sentOf = ({ outgoing }: LoadCamera): number => outgoing.filter(({ sentAtMs }) => sentAtMs !== null).length;

let at: Setting;
beforeEach(async () => {
  at = await setting();
});

/** Sends the accept again until it has a receipt: what was published before the cloud subscribed is gone. */
async function claim({ clock, camera, cloud }: Setting): Promise<void> {
  await cloud.start();
  clock.advance(RESEND_MS + 1);
  camera.turn();
  await until('the claim has its receipt', () => camera.isClaimed);
}

it('sends an accept again that has no receipt, and no record with it', () => {
  const { clock, camera } = at;
  expect([sentOf(camera), camera.resent]).toEqual([1, 0]);
  clock.advance(RESEND_MS);
  camera.turn();
  expect(camera.resent).toBe(0);
  clock.advance(1);
  camera.turn();
  expect([sentOf(camera), camera.resent, camera.isClaimed]).toEqual([1, 1, false]);
});

it('sends no record before it may, although its claim has a receipt, and then sends them all', async () => {
  const { camera } = at;
  await claim(at);
  camera.turn();
  expect([sentOf(camera), camera.due.length]).toEqual([1, 0]);
  camera.start();
  camera.turn();
  expect(sentOf(camera)).toBe(1 + RECORDS);
  await until('every record has a receipt', () => camera.waiting === 0);
  expect(camera.strange).toBe(0);
});
