import mqtt, { type MqttClient } from 'mqtt';
import { join } from 'node:path';
import type { CloudStore } from '../../../cloud/store/store.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { makePrivateFolder } from '../../../common/adapters/private-files.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import type { PushChoices } from '../../../cloud/push/choices.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import type { RecordV2 } from '../../../protocol/objects/record.js';
import type { MediaRole } from '../../../protocol/objects/record-kinds.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { sealHeader2 } from '../../../protocol/seal/object.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import { decodeDown, encodeUp } from '../../../protocol/transport/messages.js';
import { decodeNotice, type Notice } from '../../../protocol/transport/notice.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { encodeCbor } from '../../../protocol/wire/cbor.js';
import { freePort } from '../../../scripts/free-port.js';
import type { TestBroker } from '../engines/brokers.js';
import { TestPushService } from '../engines/push-service.js';
import { afterThisTest } from '../runner/after-test.js';
import { ForwardClock } from '../runner/forward-clock.js';
import { tempFolder } from '../runner/temp.js';
import { until } from '../runner/wait.js';
import { CameraV2 } from './camera-v2.js';
import { CameraWorld } from './camera-world.js';
import { openSession } from './live-viewer.js';
import { sqliteIn, TestCloud } from './test-cloud.js';

const MINI_BYTES = 2560 + 16;

export const ALL_KINDS: PushChoices['kinds'] = ['motion', 'tamper', 'loss', 'silent', 'look', 'member'];

type Fields = Partial<RecordV2> & Pick<RecordV2, 'kind'>;

/** A camera of version 2 on a broker, which publishes what a test says. */
class PushCamera {
  readonly camera: CameraV2;
  claim: Verified<ClaimV2>;
  receipts = 0;
  private readonly site: PushSite;
  private readonly client: MqttClient;
  private readonly periodId = realRandom.bytes(16);
  private seq = 0;
  private prev: Uint8Array;

  constructor(site: PushSite, camera: CameraV2, claim: Verified<ClaimV2>, client: MqttClient) {
    this.site = site;
    this.camera = camera;
    this.claim = claim;
    this.client = client;
    this.prev = camera.accept(claim).hash;
    client.on('message', (_topic, payload) => {
      if (decodeDown(new Uint8Array(payload)).type === 'receipt') this.receipts++;
    });
  }

  get device(): Uint8Array {
    return this.camera.world.deviceId;
  }

  /** Signs and publishes a record of some time ago; the objects are noise that no key opens. */
  async send(fields: Fields, ageMs = 0, objects: readonly [MediaRole, number][] = []): Promise<Verified<RecordV2>> {
    const media: NonNullable<RecordV2['media']>[number][] = [];
    const sealed: SealedObject[] = [];
    for (const [index, [role, length]] of objects.entries()) {
      const header = encodeCbor(sealHeader2.toCbor([2, this.periodId, index, realRandom.bytes(32)]));
      const body = realRandom.bytes(length);
      const [bodyHash, headerHash] = [nodeSuite.sha256(body), nodeSuite.sha256(header)];
      media.push({ id: realRandom.bytes(16), role, length, bodyHash, headerHash });
      sealed.push({ header, body });
    }
    const { world } = this.camera;
    const wallMs = Math.round(this.site.clock.wallMs() - ageMs);
    const time = world.time(Math.round(this.site.clock.monotonicMs() - ageMs) + 10 * 86_400_000, wallMs);
    const record = world.recordV2(this.claim, ++this.seq, this.prev, {
      time,
      ...fields,
      ...(media.length === 0 ? {} : { media }),
    });
    this.prev = record.hash;
    await this.publish({ type: 'records', records: [{ record: record.bytes, media: sealed }] });
    return record;
  }

  /** The start of a motion event with its picture and the small copy of it. */
  motion(ageMs = 0, hasMini = true): Promise<Verified<RecordV2>> {
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    return this.send({ kind: 'motion', event }, ageMs, [
      ['thumbnail', 4112],
      ...(hasMini ? ([['mini', MINI_BYTES]] as const) : []),
    ] as [MediaRole, number][]);
  }

  /** Takes a new claim of its owner, as after a change of members, and publishes the accept. */
  async claimAgain(change: Partial<ClaimV2>): Promise<void> {
    const { camera } = this;
    this.claim = camera.claim(this.claim.value.epoch + 1, this.claim.hash, change);
    const time = camera.world.time(Math.round(this.site.clock.monotonicMs()), Math.round(this.site.clock.wallMs()));
    const accept = camera.world.recordV2(this.claim, 0, this.claim.hash, { kind: 'accept', time });
    this.seq = 0;
    this.prev = accept.hash;
    await this.publish({ type: 'accept', claim: this.claim.bytes, record: accept.bytes });
    const { epoch } = this.claim.value;
    await until('the new claim is stored', async () => {
      return (await this.site.store.claims.latest(this.device))?.epoch === epoch;
    });
  }

  private async publish(message: Parameters<typeof encodeUp>[0]): Promise<void> {
    await this.client.publishAsync(topicOf(this.device, 'up'), Buffer.from(encodeUp(message)), { qos: 1 });
  }
}

export interface Subscribed {
  readonly status: number;
  readonly id: string;
  readonly endpoint: string;
}

/** A cloud on a running broker that sends to a push service of the test. All of it ends with the test. */
export class PushSite {
  readonly clock = new ForwardClock();
  readonly service: TestPushService;
  readonly store: CloudStore;
  readonly cloud: TestCloud;
  private readonly broker: TestBroker;
  private readonly receiptSigner: Signer;

  private constructor(broker: TestBroker, service: TestPushService, folder: string, port: number, store: CloudStore) {
    this.broker = broker;
    this.service = service;
    this.store = store;
    const environment = { ...service.environment, SEALCLOUD_PACING_FLEET: '1' };
    this.cloud = new TestCloud(folder, port, broker, { store, environment, clock: this.clock });
    this.receiptSigner = loadReceiptKeys(join(folder, 'cloud'), nodeSuite, realRandom).current.signer;
  }

  static async open(broker: TestBroker, store?: CloudStore): Promise<PushSite> {
    const folder = tempFolder();
    makePrivateFolder(join(folder, 'cloud'));
    const service = await TestPushService.start(folder);
    const site = new PushSite(broker, service, folder, await freePort(), store ?? sqliteIn(join(folder, 'cloud')));
    afterThisTest(() => site.cloud.stop());
    await site.cloud.start();
    return site;
  }

  get counters(): Readonly<Record<string, number>> {
    return this.cloud.cloud.counters.snapshot();
  }

  /** Claims a camera and connects it. */
  async camera(): Promise<PushCamera> {
    const camera = new CameraV2(new CameraWorld({ cloud: this.receiptSigner }));
    const claim = camera.claim();
    await this.store.claims.accept(claim, camera.accept(claim), this.clock.wallMs());
    const { port, protocol } = this.broker;
    const id = toHex(camera.world.deviceId);
    const client = mqtt.connect(`mqtt://127.0.0.1:${String(port)}`, {
      protocolVersion: protocol,
      clientId: id,
      username: id,
    });
    afterThisTest(() => void client.end(true));
    const connected = new PushCamera(this, camera, claim, client);
    await new Promise((resolve) => client.once('connect', resolve));
    await client.subscribeAsync(topicOf(camera.world.deviceId, 'down'), { qos: 1 });
    return connected;
  }

  /** Sends a request of the API with a session of this key. */
  async request(signer: Signer, method: string, path: string, body?: unknown): Promise<Response> {
    const authorization = `Bearer ${await openSession(this.cloud.origin, signer)}`;
    return fetch(`${this.cloud.origin}${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Subscribes a browser of this key. */
  async subscribe(
    signer: Signer,
    choices: Partial<PushChoices> = {},
    subscription: ReturnType<TestPushService['subscribe']> = this.service.subscribe(),
  ): Promise<Subscribed> {
    const whole = { timeZone: 'UTC', quiet: [], kinds: ALL_KINDS, cameras: {}, ...choices };
    const response = await this.request(signer, 'PUT', '/v1/push', { subscription, choices: whole });
    const { id = '' } = (await response.json()) as { readonly id?: string };
    return { status: response.status, id, endpoint: subscription.endpoint };
  }

  /** What a browser heard, in order. */
  told({ endpoint }: Pick<Subscribed, 'endpoint'>): readonly Notice[] {
    return this.service.received(endpoint).map(decodeNotice);
  }

  /** Sends motion of a camera until each of these browsers heard of the last: all before it were decided then. */
  async sendLast(camera: PushCamera, ...browsers: readonly Subscribed[]): Promise<void> {
    const last = await camera.motion();
    await until('they heard of the last event', () =>
      browsers.every((browser) =>
        this.told(browser).some((notice) => notice.type === 'record' && toHex(notice.record) === toHex(last.bytes)),
      ),
    );
  }
}
