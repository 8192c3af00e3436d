import { afterEach, beforeEach, expect, it } from 'vitest';
import { realRandom } from '../../../common/adapters/real-random.js';
import { equal, fromHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { xwingKeys } from '../../../protocol/crypto/xwing.js';
import { anyClaimKind } from '../../../protocol/objects/claim.js';
import { anyRecordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { liveKey } from '../../../protocol/seal/live-key.js';
import { LiveOpener } from '../../../protocol/transport/live-session.js';
import { embedded } from '../../support/engines/brokers.js';
import { until } from '../../support/runner/wait.js';
import { lookOrder, openSession, Viewer } from '../../support/worlds/live-viewer.js';
import { Person } from '../../support/worlds/person.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

let way: WholeWay;

beforeEach(async () => {
  way = await WholeWay.prepare(embedded);
  await way.broker.start();
});

afterEach(() => way.stopAll());

it("an order reaches the camera, and the pictures of its answer reach who signed it, who opens them with the history's record", async () => {
  const cloud = await way.startCloud();
  const camera = way.startAgent('a');
  const owner = new Person(cloud.origin).start();
  way.keep(owner);
  const device = fromHex(await owner.claim(camera.code), 32) ?? new Uint8Array(0);
  const { claims, records } = cloud.store;
  const newest = async () => records.page(device, 1, Number.MAX_SAFE_INTEGER, 100);
  await until('the cloud has records', async () => (await newest()).length > 0);
  const [last] = await newest();
  const row = await claims.row(device, 1);
  const claim = openSigned(anyClaimKind, nodeSuite, row?.claim ?? new Uint8Array(0));
  const keys = xwingKeys(nodeSuite, realRandom.bytes(32));
  const { signer } = owner.keys;
  const recent = [last?.seq ?? 0, last?.hash ?? new Uint8Array(0)] as const;
  const order = lookOrder(claim, signer, { kemKey: keys.publicKey, recent: [...recent] });
  const viewer = await Viewer.open(Number(new URL(cloud.origin).port), await openSession(cloud.origin, signer), order);
  expect(viewer.status).toBe(200);
  await until('pictures come', () => viewer.messages.length >= 5);

  const answered = async () =>
    (await newest())
      .map(({ bytes }) => openSigned(anyRecordKind, nodeSuite, bytes))
      .find(({ value }) => equal(value.command?.look?.order ?? new Uint8Array(0), order.bytes));
  await until('the answer is in the history', async () => (await answered()) !== undefined);
  const answer = await answered();
  const ciphertext = answer?.value.command?.look?.ciphertext ?? new Uint8Array(0);
  const openerWith = (answerHash: Uint8Array): LiveOpener =>
    new LiveOpener(
      nodeSuite,
      order.value.session,
      liveKey(nodeSuite, keys.decapsulate(ciphertext), { orderHash: order.hash, claimHash: claim.hash, answerHash }),
    );
  const opener = openerWith(answer?.hash ?? new Uint8Array(0));
  const arrivals = viewer.messages.map((message) => opener.open(message)).filter((arrival) => arrival !== null);
  expect(arrivals.length).toBeGreaterThanOrEqual(4);
  // The control: without the record of the history nothing opens.
  const other = openerWith(realRandom.bytes(32));
  expect(() => other.open(viewer.messages[0] ?? new Uint8Array(0))).toThrow();
});
