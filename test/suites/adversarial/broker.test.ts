import mqtt, { type MqttClient } from 'mqtt';
import { afterEach } from 'vitest';
import { toHex, utf8 } from '../../../common/bytes.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import type { Totals } from '../../../agent/outbox/outbox.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { seal, unseal } from '../../../protocol/seal/seal.js';
import { encodeUp } from '../../../protocol/transport/messages.js';
import { topicFilter, topicOf } from '../../../protocol/transport/topics.js';
import { freePort } from '../../../scripts/free-port.js';
import { attacks } from '../../support/attack.js';
import { embedded, mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';
import { CloudWorld, scene } from '../../support/worlds/cloud-world.js';
import { codeOf } from '../../support/codes.js';
import { tempFolder } from '../../support/runner/temp.js';
import { describeWith } from '../../support/engines/tools.js';
import { until } from '../../support/runner/wait.js';
import { BROKER_LIMITS } from '../../../cloud/broker/limits.js';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { besideFlood, unspoken } from '../../support/worlds/flood.js';
import { keptOut } from '../../support/worlds/oversize-world.js';
import { mediaTwice } from '../../support/worlds/media-twice.js';
import { postgres } from '../../support/engines/postgres.js';
import { WholeWay } from '../../support/worlds/whole-way.js';

type Make = (folder: string, port: number) => TestBroker;

const running: { stop(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop();
});

async function started(make: Make): Promise<TestBroker> {
  const broker = make(tempFolder(), await freePort());
  running.push(broker);
  await broker.start();
  return broker;
}

/**
 * Connects a client with any user name. Returns undefined where the broker refuses it. A device's client id is its
 * name.
 */
async function connect(broker: TestBroker, username: string, clientId = username): Promise<MqttClient | undefined> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${String(broker.port)}`, {
    protocolVersion: broker.protocol,
    username,
    clientId,
    reconnectPeriod: 0,
    ...(username === broker.cloudUser && broker.cloudPassword !== '' ? { password: broker.cloudPassword } : {}),
  });
  running.push({ stop: () => void client.end(true) });
  client.on('error', () => undefined);
  return new Promise((resolve) => {
    client.once('connect', () => {
      resolve(client);
    });
    client.once('close', () => {
      resolve(undefined);
    });
  });
}

/**
 * Resolves when the work is done, refused, or ended by the broker: mqtt.js never settles its promises when a connection
 * ends.
 */
async function settled(client: MqttClient, work: Promise<unknown>): Promise<void> {
  const cut = new Promise<void>((resolve) => {
    client.once('close', () => {
      resolve();
    });
  });
  await Promise.race([work.catch(() => undefined), cut]);
}

async function subscribed(broker: TestBroker, cloud: CloudWorld, clientId: string): Promise<MqttClient> {
  const client = await connect(broker, broker.cloudUser, clientId);
  if (client === undefined) throw new Error('the cloud may not connect');
  client.on('message', (topic, payload) => void cloud.ingest.handleMessage(topic, new Uint8Array(payload)));
  await client.subscribeAsync([topicFilter('up'), topicFilter('status')], { qos: 1 });
  return client;
}

/**
 * Sends a message of another camera that ingest refuses. The broker keeps the order, so once it is refused everything before it was
 * delivered.
 */
async function flush(broker: TestBroker, cloud: CloudWorld): Promise<void> {
  const other = realRandom.bytes(32);
  const client = await connect(broker, toHex(other), toHex(other));
  const before = cloud.counters.get('refused.unsupported');
  await client?.publishAsync(topicOf(other, 'up'), Buffer.of(0x81, 0x09), { qos: 1 });
  await until('the cloud refused the message', () => cloud.counters.get('refused.unsupported') > before);
}

interface Victim {
  readonly world: CameraWorld;
  readonly message: Uint8Array;
  readonly opensFor: (secret: Uint8Array) => string;
}

/** A claimed camera, and the message in which it sends a picture. */
async function victim(cloud: CloudWorld): Promise<Victim> {
  const { world, claim, accept } = await cloud.claimed();
  const eventId = realRandom.bytes(16);
  const id = realRandom.bytes(16);
  const context = { device: world.deviceId, account: world.account, epoch: 1, claimHash: claim.hash, eventId };
  const place = { ...context, mediaId: id };
  const x25519 = [nodeSuite.x25519PublicKey(world.ownerSecret)];
  const content = { detail: {}, jpeg: utf8('picture') };
  const sealed = seal({ suite: nodeSuite, random: realRandom, context: place, recipients: x25519, content });
  const { header, body } = sealed;
  const hashes = { bodyHash: nodeSuite.sha256(body), headerHash: nodeSuite.sha256(header) };
  const record = world.record(claim, 1, accept.hash, {
    kind: 'motion',
    event: { id: eventId, phase: 'start', revision: 0 },
    media: [{ id, role: 'thumbnail', length: body.length, ...hashes }],
  });
  return {
    world,
    message: encodeUp({ type: 'records', records: [{ record: record.bytes, media: [sealed] }] }),
    opensFor: (secret) => {
      const own = { secret, publicKey: nodeSuite.x25519PublicKey(secret) };
      return codeOf(() => unseal(nodeSuite, place, own, sealed)).replace('accepted', 'opened');
    },
  };
}

/** What a client of this name can send in a camera's name, and what it receives while the camera sends a picture. */
async function asUser(make: Make, name: string, keyOf?: (world: CameraWorld) => Uint8Array): Promise<string> {
  const broker = await started(make);
  const cloud = new CloudWorld();
  const { world, message, opensFor } = await victim(cloud);
  await subscribed(broker, cloud, 'ingest');
  const spy = await connect(broker, name);
  if (spy === undefined) return 'connection refused';
  const received: Uint8Array[] = [];
  spy.on('message', (topic, payload) => {
    if (topic.endsWith('/up')) received.push(new Uint8Array(payload));
  });
  await settled(spy, spy.subscribeAsync('sealcam/v1/#', { qos: 1 }));
  const camera = await connect(broker, toHex(world.deviceId));
  await camera?.publishAsync(topicOf(world.deviceId, 'up'), Buffer.from(message), { qos: 1 });
  await settled(spy, spy.publishAsync(topicOf(world.deviceId, 'up'), Buffer.from(forged(cloud)), { qos: 1 }));
  await flush(broker, cloud);
  const sent = cloud.counters.get('refused.foreign') > 0 ? 'foreign' : 'not delivered';
  const picture = received.find((payload) => payload.length === message.length);
  const key = keyOf?.(world) ?? realRandom.bytes(32);
  return `${sent}; received ${picture === undefined ? 'nothing' : `a picture: ${opensFor(key)}`}`;
}

/** A record of the spy's own camera, sent on the topic of another. */
function forged(cloud: CloudWorld): Uint8Array {
  const own = cloud.camera();
  const claim = own.claim();
  return encodeUp({ type: 'records', records: [{ record: scene(own, claim, 1, claim.hash).bytes, media: [] }] });
}

const open: Make = (folder, port) => mosquitto(folder, port, null);
const forbidding: Make = (folder, port) => mosquitto(folder, port, []);

/** What the cloud stores of a retained message, which the broker delivers to every new subscriber. */
async function retained(retain: boolean): Promise<string> {
  const broker = await started(open);
  const cloud = new CloudWorld();
  const { world, message } = await victim(cloud);
  const camera = await connect(broker, toHex(world.deviceId));
  const first = await subscribed(broker, cloud, 'ingest-1');
  await camera?.publishAsync(topicOf(world.deviceId, 'up'), Buffer.from(message), { qos: 1, retain });
  await flush(broker, cloud);
  first.end(true);
  await subscribed(broker, cloud, 'ingest-2');
  await flush(broker, cloud);
  const { 'records.duplicate': again } = cloud.counters.snapshot();
  return `stored ${String(cloud.stored.length)}, duplicates ${String(again ?? 0)}`;
}

async function retainedOnEmbedded(retain: boolean): Promise<string> {
  const broker = await started(embedded);
  const cloud = new CloudWorld();
  const { world, message } = await victim(cloud);
  await subscribed(broker, cloud, 'ingest');
  const camera = await connect(broker, toHex(world.deviceId));
  if (camera === undefined) throw new Error('the camera may not connect');
  await settled(camera, camera.publishAsync(topicOf(world.deviceId, 'up'), Buffer.from(message), { qos: 1, retain }));
  await flush(broker, cloud);
  return cloud.stored.length > 0 ? 'stored' : 'refused by the broker';
}

/** What becomes of one connection more, while this many others say nothing. */
async function besideSilent(count: number): Promise<string> {
  const broker = await started(embedded);
  for (let i = 0; i < count; i++) {
    const socket = await unspoken(broker.port, Uint8Array.of());
    running.push({ stop: () => void socket.destroy() });
  }
  return (await connect(broker, toHex(realRandom.bytes(32)))) === undefined ? 'ended' : 'let in';
}

/** What the embedded broker does with a CONNECT of this length, of which nothing but the header comes. */
async function announced(length: readonly number[]): Promise<string> {
  const broker = await started(embedded);
  const socket = await unspoken(broker.port, Uint8Array.of(0x10, ...length));
  running.push({ stop: () => void socket.destroy() });
  socket.resume();
  // Once another client was let in, the broker has read what this one sent before.
  await connect(broker, toHex(realRandom.bytes(32)));
  await connect(broker, toHex(realRandom.bytes(32)));
  return socket.closed ? 'ended' : 'waits for the rest';
}

/** What happens to the events of a claimed camera whose broker is replaced by one with other rules. */
async function whileBroker(make: Make, isOver: (before: Totals, now: Totals) => boolean): Promise<string> {
  const way = await WholeWay.prepare(mosquitto);
  running.push({ stop: () => way.stopAll() });
  await way.broker.start();
  const cloud = await way.startCloud();
  const { agent, code } = way.startAgent('a');
  const { watcher } = way.watch(cloud);
  await watcher.claim(code);
  await until('the accept is receipted', () => agent.outbox.queued().records === 0);
  await way.broker.stop();
  const other = make(tempFolder(), way.broker.port);
  running.push(other);
  await other.start();
  const before = agent.outbox.totals();
  await until('events happen', () => isOver(before, agent.outbox.totals()), 40_000);
  const { receipted, lost } = agent.outbox.totals();
  return `${receipted === before.receipted ? 'kept' : 'receipted'}, ${String(lost)} lost`;
}

/** The same on PostgreSQL, whose server is one of the tools that this file needs. */
async function mediaTwiceOnPostgres(isSame: boolean): Promise<string> {
  const server = postgres(tempFolder());
  running.push(server);
  await server.start();
  const store = await openPostgresStore({ url: await server.database('cloud'), password: undefined, connections: 4 });
  try {
    return await mediaTwice(isSame, () => store);
  } finally {
    await store.close();
  }
}

const REFUSING_BROKERS = ['announces a limit of 100 bytes', 'says of every message that it is too large'] as const;

describeWith('mosquitto', 'brokers', () => {
  describeWith('postgres', 'and the store of a fleet', () => {
    attacks('broker', 'At the broker', [
      ...['+', '#'].map((name) => ({
        name: `the user name ${name} at the broker`,
        expected: 'not delivered; received nothing',
        observed: () => asUser(mosquitto, name),
        control: {
          name: 'without an ACL',
          expected: 'foreign; received a picture: seal-refused',
          observed: () => asUser(open, name),
        },
      })),
      {
        name: 'the user name + at the embedded broker',
        expected: 'connection refused',
        observed: () => asUser(embedded, '+'),
        control: {
          name: "the cloud's own user, who may read everything",
          expected: 'foreign; received a picture: seal-refused',
          observed: () => asUser(embedded, 'cloud'),
        },
      },
      {
        name: 'no ACL: any client may read and publish everything',
        expected: 'foreign; received a picture: seal-refused',
        observed: () => asUser(open, 'stranger'),
        control: {
          name: "the same ciphertext with the owner's key",
          expected: 'foreign; received a picture: opened',
          observed: () => asUser(open, 'stranger', ({ ownerSecret }) => ownerSecret),
        },
      },
      {
        name: 'an empty ACL: the broker drops every message and acknowledges it',
        expected: 'kept, 0 lost',
        observed: () => whileBroker(forbidding, (before, { produced }) => produced >= before.produced + 3),
        control: {
          name: 'the usual ACL',
          expected: 'receipted, 0 lost',
          observed: () => whileBroker(mosquitto, (before, { receipted }) => receipted > before.receipted),
        },
      },
      {
        name: 'a retained message, delivered to each new subscriber',
        expected: 'stored 1, duplicates 1',
        observed: () => retained(true),
        control: { name: 'not retained', expected: 'stored 1, duplicates 0', observed: () => retained(false) },
      },
      {
        name: 'a retained message at the embedded broker',
        expected: 'refused by the broker',
        observed: () => retainedOnEmbedded(true),
        control: { name: 'not retained', expected: 'stored', observed: () => retainedOnEmbedded(false) },
      },
      ...REFUSING_BROKERS.map((how) => ({
        name: `a broker that ${how}, to make the camera throw its pictures away`,
        expected: '5 of 5 pictures arrive',
        observed: () => keptOut(how, 24 * 3_600_000),
        control: {
          name: 'a camera that gives up at once what a broker does not take',
          expected: '0 of 5 pictures arrive',
          observed: () => keptOut(how, 1),
        },
      })),
      {
        name: 'a camera that floods ingest with full messages, beside another that sends one record',
        expected: 'receipted before the flood',
        observed: () => besideFlood((device) => device),
        control: {
          name: 'one queue for all cameras',
          expected: 'receipted after the flood',
          observed: () => besideFlood(() => 'all'),
        },
      },
      {
        name: 'silent connections of one address at the embedded broker',
        expected: 'ended',
        observed: () => besideSilent(BROKER_LIMITS.unknownPerAddressMax),
        control: {
          name: 'two fewer',
          expected: 'let in',
          observed: () => besideSilent(BROKER_LIMITS.unknownPerAddressMax - 2),
        },
      },
      {
        name: 'a CONNECT of 256 MiB at the embedded broker, to fill its memory before it says who it is',
        expected: 'ended',
        observed: () => announced([0xff, 0xff, 0xff, 0x7f]),
        control: { name: 'of 100 bytes', expected: 'waits for the rest', observed: () => announced([100]) },
      },
      {
        name: 'a media id that a second record names for another picture, on PostgreSQL',
        expected: 'rejected (malformed), its picture is not kept',
        observed: () => mediaTwiceOnPostgres(true),
        control: {
          name: 'an id of its own',
          expected: 'receipted, its picture is kept',
          observed: () => mediaTwiceOnPostgres(false),
        },
      },
    ]);
  });
});
