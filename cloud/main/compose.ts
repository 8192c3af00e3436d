import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { authorityOf } from '../../common/address.js';
import { makePrivateFolder } from '../../common/adapters/private-files.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { nextTurn } from '../../common/adapters/next-turn.js';
import { equalSecret, toHex, utf8 } from '../../common/bytes.js';
import { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { nodeSuite, nodeSuiteFor } from '../../protocol/crypto/node.js';
import { EmbeddedBroker } from '../broker/embedded-broker.js';
import type { FeedSettings } from '../ingest/mqtt-feed.js';
import { mediaOf, type Media } from '../media/kinds.js';
import { topicMaker } from '../push/delivering.js';
import { PushServices } from '../push/endpoint.js';
import { loadPushKey } from '../push/push-key.js';
import { PushTransport } from '../push/transport.js';
import { OperatorServer } from '../operator/server.js';
import { storeOf, type StoreSettings } from '../store/kinds.js';
import type { CloudStore } from '../store/store.js';
import { loadReceiptKeys } from '../trust/receipt-keys.js';
import { Cloud, type CloudDependencies } from './cloud.js';
import { shardSetting, type CloudConfig } from './config.js';

/** A running cloud and the ports it listens on. */
export interface RunningCloud {
  readonly cloud: Cloud;
  readonly httpPort: number;
  readonly brokerPort: number | null;
  stop(): Promise<void>;
}

/**
 * Opens the configured store, and creates it if it is missing.
 *
 * @throws SealcamError `store-unavailable`, `store-newer`, `config-invalid-value`
 */
export async function openStore(config: CloudConfig): Promise<CloudStore> {
  const settings = storeSettings(config);
  try {
    makePrivateFolder(settings.folder);
  } catch (cause) {
    throw new SealcamError('store-unavailable', `${settings.folder} cannot be created`, { cause });
  }
  return storeOf(config['store.kind']).open(settings);
}

/**
 * Opens the store of a cloud that was started before and may be running. With a wrong folder a command must fail, and not
 * report success on a new, empty database.
 *
 * @throws SealcamError `store-unavailable`, `store-newer`, `config-invalid-value`
 */
export async function openExistingStore(config: CloudConfig): Promise<CloudStore> {
  const missing = storeOf(config['store.kind']).findMissing(storeSettings(config));
  if (missing !== null) {
    throw new SealcamError('store-unavailable', `there is no database ${missing}`, {
      hint: "Pass that cloud's configuration file with --config, and check its data.folder.",
    });
  }
  return openStore(config);
}

function storeSettings(config: CloudConfig): StoreSettings {
  return {
    folder: config['data.folder'],
    url: config['store.url'],
    connections: config['store.connections'],
    readPassword: () => readSecret(config, 'store.passwordFile'),
    pace: { clock: realClock, nextTurn },
  };
}

/** Returns the folder of the bodies that arrive, and of all bodies where they are files. */
export function mediaFolderOf(config: Pick<CloudConfig, 'media.folder' | 'data.folder'>): string {
  const folder = config['media.folder'];
  return folder === '' ? join(config['data.folder'], 'media') : folder;
}

/** Returns the configured place of bodies. @throws SealcamError `config-invalid-value` */
export function openMedia(config: CloudConfig): Media {
  return mediaOf(
    {
      kind: config['media.kind'],
      folder: mediaFolderOf(config),
      readS3: () => ({
        url: config['media.s3Url'],
        region: config['media.s3Region'],
        keyId: config['media.s3KeyId'],
        secret: readSecret(config, 'media.s3SecretFile') ?? '',
      }),
    },
    { clock: realClock, random: realRandom },
  );
}

/**
 * Returns what speaks with push services, and makes the cloud's key for them at its first start; nothing where the operator
 * has not set notifications up.
 *
 * @throws SealcamError `key-file-invalid`, `key-store-unavailable`, `config-invalid-value`
 */
export function openPush(config: CloudConfig): Pick<CloudDependencies, 'push'> {
  const contact = config['push.contact'];
  if (contact === '') return {};
  const key = loadPushKey(config['data.folder'], realRandom);
  const services = new PushServices(config['push.services']);
  const transport = new PushTransport({ services, ca: readSecret(config, 'push.caFile') });
  const topicOf = topicMaker(nodeSuite, new Uint8Array(Buffer.from(key.privateKey, 'base64url')));
  return { push: { services, service: { sender: { key, contact }, transport, topicOf } } };
}

/**
 * The cloud's composition root: real clock, real randomness, the configured store and, if configured, its own broker. API
 * and metrics are there before the broker answers; resolves once records can arrive.
 *
 * @param signal ends the wait for the broker; the promise then rejects
 */
export async function startCloud(config: CloudConfig, log: Log, signal?: AbortSignal): Promise<RunningCloud> {
  const counters = new Counters();
  const broker = config['mqtt.embedded'] ? embeddedBroker(config, counters) : null;
  const store = await openStore(config);
  try {
    const suite = nodeSuiteFor(config['pacing.fleet']);
    const media = openMedia(config);
    const receiptKeys = loadReceiptKeys(config['data.folder'], suite, realRandom);
    const brokerPort = broker === null ? null : await broker.server.start();
    if (brokerPort !== null) log.info({ port: brokerPort }, 'the embedded broker is listening');
    const cloud = new Cloud(config, {
      store,
      media,
      log,
      counters,
      nextTurn,
      receiptKeys,
      suite,
      clock: realClock,
      random: realRandom,
      feed: feedSettings(config, brokerPort, broker?.cloudPassword),
      ...openPush(config),
    });
    let operator: OperatorServer | null = null;
    const stopAfter = async (error: unknown): Promise<never> => {
      await operator?.stop();
      await cloud.stop();
      throw error;
    };
    const stopWaiting = (): void => {
      cloud.stopWaiting();
    };
    signal?.addEventListener('abort', stopWaiting, { once: true });
    const httpPort = await cloud.listen().catch(stopAfter);
    operator = await startOperator(config, cloud, store, log).catch(stopAfter);
    if (signal?.aborted === true) stopWaiting();
    await cloud.receive().catch(stopAfter);
    signal?.removeEventListener('abort', stopWaiting);
    return {
      cloud,
      httpPort,
      brokerPort,
      stop: async () => {
        await operator?.stop();
        await cloud.stop();
        await broker?.server.stop();
      },
    };
  } catch (error) {
    await broker?.server.stop();
    await store.close().catch(() => undefined);
    throw error;
  }
}

async function startOperator(
  config: CloudConfig,
  cloud: Cloud,
  store: CloudStore,
  log: Log,
): Promise<OperatorServer | null> {
  const port = config['operator.port'];
  if (port === 0) return null;
  const server = new OperatorServer(
    {
      store,
      counters: cloud.counters,
      clock: realClock,
      startedAtMs: realClock.wallMs(),
      gauges: () => cloud.gauges(),
      notReady: () => cloud.notReady(),
      keptForMs: config['retention.records'],
      residentBytes: () => process.memoryUsage.rss(),
    },
    log.child('operator'),
  );
  await server.start({ host: config['operator.host'], port, names: config['operator.names'] });
  return server;
}

function feedSettings(
  config: CloudConfig,
  brokerPort: number | null,
  brokerPassword: string | undefined,
): FeedSettings {
  const username = config['mqtt.username'];
  const shard = shardSetting(config);
  const clientId = config['mqtt.clientId'];
  return {
    url: brokerPort === null ? config['mqtt.url'] : `mqtt://${authorityOf(config['mqtt.embeddedHost'], brokerPort)}`,
    username: username === '' ? undefined : username,
    password: brokerPort === null ? readSecret(config, 'mqtt.passwordFile') : brokerPassword,
    ca: readSecret(config, 'mqtt.caFile'),
    clientId: clientId === '' ? `cloud-${hostname().slice(0, 20)}-${toHex(realRandom.bytes(4))}` : clientId,
    otherUrls: brokerPort === null ? config['mqtt.otherUrls'] : [],
    isKept: config['mqtt.session'] === 'kept',
    ...(shard === undefined ? {} : { shard }),
    group: config['mqtt.shareGroup'] === '' ? undefined : config['mqtt.shareGroup'],
  };
}

/** Shorter passwords could be guessed by those who reach the port. */
const DEVICE_PASSWORD_MIN_LENGTH = 16;

function embeddedBroker(
  config: CloudConfig,
  counters: Counters,
): { readonly server: EmbeddedBroker; readonly cloudPassword: string } {
  const password = readSecret(config, 'mqtt.embeddedPasswordFile');
  if (password !== undefined && password.length < DEVICE_PASSWORD_MIN_LENGTH) {
    throw new SealcamError(
      'config-invalid-value',
      `mqtt.embeddedPasswordFile: needs ${String(DEVICE_PASSWORD_MIN_LENGTH)} characters or more`,
    );
  }
  const cloudPassword = toHex(realRandom.bytes(16));
  const server = new EmbeddedBroker({
    host: config['mqtt.embeddedHost'],
    port: config['mqtt.embeddedPort'],
    cloudPassword,
    cloudUser: config['mqtt.username'],
    counters,
    // On a laptop any client may act as a camera: what counts is the signature inside each record.
    mayConnect: (_device, given) => password === undefined || equalSecret(utf8(given), utf8(password)),
  });
  return { server, cloudPassword };
}

/** Reads the text of the file that this setting names; undefined where it names none. */
function readSecret(
  config: CloudConfig,
  name:
    | 'mqtt.passwordFile'
    | 'mqtt.caFile'
    | 'mqtt.embeddedPasswordFile'
    | 'store.passwordFile'
    | 'media.s3SecretFile'
    | 'push.caFile',
): string | undefined {
  const file = config[name];
  if (file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new SealcamError('config-invalid-value', `${name}: ${file} cannot be read`, { cause });
  }
}
