import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import type { FeedSettings } from '../../../cloud/ingest/mqtt-feed.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { makePrivateFolder } from '../../../common/adapters/private-files.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toBase64, toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { lookKind, type Look } from '../../../protocol/objects/look.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeDown, encodeUp } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { freePort } from '../../../scripts/free-port.js';
import type { TestBroker } from '../engines/brokers.js';
import type { TestCluster } from '../engines/nats.js';
import { afterThisTest } from '../runner/after-test.js';
import { ForwardClock } from '../runner/forward-clock.js';
import { tempFolder } from '../runner/temp.js';
import { CameraV2 } from './camera-v2.js';
import { CameraWorld } from './camera-world.js';
import { lookOrder, openSession, Viewer } from './live-viewer.js';
import { TestCloud } from './test-cloud.js';

function isCluster(broker: TestBroker): broker is TestCluster {
  return 'urls' in broker;
}

/** How one of several workers shares the broker's messages with the others, as docs/operations.md has it. */
function sharing(
  broker: TestBroker,
  index: number,
  count: number,
  id: string,
): { readonly feed: Partial<FeedSettings>; readonly environment: Readonly<Record<string, string>> } {
  const nodes = isCluster(broker) ? broker.urls : null;
  const own = nodes?.[index % nodes.length];
  // A kept session for ingest: live views must not end in it.
  const node =
    nodes === null || own === undefined
      ? {}
      : { url: own, otherUrls: nodes.filter((url) => url !== own), isKept: true, clientId: id };
  if (count === 1) return { feed: node, environment: {} };
  if (broker.protocol === 5)
    return { feed: { ...node, group: 'ingest' }, environment: { SEALCLOUD_MQTT_SHARE_GROUP: 'ingest' } };
  const shard = `${String(index)}/${String(count)}`;
  return { feed: { ...node, shard: { index, count } }, environment: { SEALCLOUD_MQTT_SHARD: shard } };
}

/** A camera of version 2 on a real broker, which publishes what a test says. */
export class LiveCamera {
  readonly camera: CameraV2;
  readonly claim: Verified<ClaimV2>;
  /** Orders to look, in the order in which they came. */
  readonly orders: Verified<Look>[] = [];
  receipts = 0;
  private readonly client: MqttClient;

  constructor(camera: CameraV2, claim: Verified<ClaimV2>, client: MqttClient) {
    this.camera = camera;
    this.claim = claim;
    this.client = client;
    client.on('message', (_topic, payload) => {
      const message = decodeDown(new Uint8Array(payload));
      if (message.type === 'look') this.orders.push(openSigned(lookKind, nodeSuite, message.order));
      else if (message.type === 'receipt') this.receipts++;
    });
  }

  get device(): Uint8Array {
    return this.camera.world.deviceId;
  }

  /** Publishes live messages; resolves once they left. */
  async send(...messages: readonly Uint8Array[]): Promise<void> {
    const topic = topicOf(this.device, 'live');
    await Promise.all(messages.map((message) => this.client.publishAsync(topic, Buffer.from(message), { qos: 0 })));
  }

  /** Publishes the first record after the accept. */
  async sendRecord(): Promise<void> {
    const { bytes } = this.camera.scene(this.claim, 1, this.camera.accept(this.claim).hash);
    const payload = encodeUp({ type: 'records', records: [{ record: bytes, media: [] }] });
    await this.client.publishAsync(topicOf(this.device, 'up'), Buffer.from(payload), { qos: 1 });
  }
}

/** Workers of one cloud on a running broker, cameras and viewers. All of it ends with the test. */
export class LookSite {
  readonly clock = new ForwardClock();
  readonly workers: readonly TestCloud[];
  private readonly broker: TestBroker;
  private readonly receiptSigner: Signer;

  private constructor(broker: TestBroker, workers: (clock: ForwardClock) => readonly TestCloud[], folder: string) {
    this.broker = broker;
    this.receiptSigner = loadReceiptKeys(folder, nodeSuite, realRandom).current.signer;
    this.workers = workers(this.clock);
  }

  static async open(broker: TestBroker, count: number): Promise<LookSite> {
    const folder = tempFolder();
    const data = join(folder, 'cloud');
    makePrivateFolder(data);
    const id = toHex(realRandom.bytes(4));
    const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
    const site = new LookSite(
      broker,
      (clock) =>
        ports.map((port, index) => {
          const own = sharing(broker, index, count, `look-${id}-${String(index)}`);
          return new TestCloud(folder, port, broker, { ...own, clock });
        }),
      data,
    );
    for (const worker of site.workers) {
      afterThisTest(() => worker.stop());
      await worker.start();
    }
    return site;
  }

  worker(index: number): TestCloud {
    const worker = this.workers[index];
    if (worker === undefined) throw new Error('no such worker');
    return worker;
  }

  get lastWorker(): TestCloud {
    return this.worker(this.workers.length - 1);
  }

  /** Claims a camera and connects it. */
  async camera(): Promise<LiveCamera> {
    const camera = new CameraV2(new CameraWorld({ cloud: this.receiptSigner }));
    const claim = camera.claim();
    await this.worker(0).store.claims.accept(claim, camera.accept(claim), this.clock.wallMs());
    const { port, protocol } = this.broker;
    const id = toHex(camera.world.deviceId);
    const client = mqtt.connect(`mqtt://127.0.0.1:${String(port)}`, {
      protocolVersion: protocol,
      clientId: id,
      username: id,
    });
    afterThisTest(() => void client.end(true));
    const live = new LiveCamera(camera, claim, client);
    await new Promise((resolve) => client.once('connect', resolve));
    await client.subscribeAsync(topicOf(camera.world.deviceId, 'down'), { qos: 1 });
    return live;
  }

  /** Opens a look through a worker; a refusal is a viewer too. */
  async openLook(
    worker: TestCloud,
    { claim }: LiveCamera,
    signer: Signer,
    isReading = true,
  ): Promise<{ readonly viewer: Viewer; readonly session: Uint8Array }> {
    const order = lookOrder(claim, signer);
    const port = Number(new URL(worker.origin).port);
    const viewer = await Viewer.open(port, await openSession(worker.origin, signer), order, isReading);
    return { viewer, session: order.value.session };
  }

  /** Sends a renewal through a worker; returns the status. */
  async renew(worker: TestCloud, { claim, device }: LiveCamera, signer: Signer, session: Uint8Array): Promise<number> {
    const order = lookOrder(claim, signer, { session, renewal: 1 });
    const response = await fetch(`${worker.origin}/v1/devices/${toHex(device)}/looks/renewals`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await openSession(worker.origin, signer)}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ order: toBase64(order.bytes) }),
    });
    return response.status;
  }
}
