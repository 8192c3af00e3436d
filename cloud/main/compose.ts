import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../common/adapters/real-clock.js';
import { realRandom } from '../../common/adapters/real-random.js';
import { toHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { EmbeddedBroker } from '../broker/embedded-broker.js';
import { Cloud } from './cloud.js';
import { shardSetting, type CloudConfig } from './config.js';
import type { FeedSettings } from '../ingest/mqtt-feed.js';
import { loadReceiptKeys } from '../trust/receipt-keys.js';
import { OperatorServer } from '../operator/server.js';
import { openPostgresStore } from '../store/postgres/postgres-store.js';
import { openSqliteStore } from '../store/sqlite/sqlite-store.js';
import type { CloudStore } from '../store/store.js';

/** A running cloud with the ports it took. */
export interface RunningCloud {
  readonly cloud: Cloud;
  readonly httpPort: number;
  readonly brokerPort: number | null;
  stop(): Promise<void>;
}

/** @throws SealcamError `store-unavailable`, `store-newer` */
export async function openStore(config: CloudConfig): Promise<CloudStore> {
  const folder = config['data.folder'];
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SealcamError('store-unavailable', `${folder} cannot be made`, { cause });
  }
  if (config['store.kind'] === 'sqlite') return openSqliteStore(join(folder, 'cloud.db'));
  return openPostgresStore({
    url: config['store.url'],
    connections: config['store.connections'],
    password: secretOf(config, 'store.passwordFile'),
  });
}

/**
 * The database of a cloud that was started before, beside the running one or without it. A wrong folder must not become
 * a new, empty database on which a command says "done".
 *
 * @throws SealcamError `store-unavailable`
 */
export async function openExistingStore(config: CloudConfig): Promise<CloudStore> {
  const path = join(config['data.folder'], 'cloud.db');
  // A wrong name of a database is refused by its server.
  if (config['store.kind'] === 'sqlite' && !existsSync(path)) {
    throw new SealcamError('store-unavailable', `there is no database ${path}`, {
      hint: 'Give the configuration of the cloud that is meant (--config), with its data.folder.',
    });
  }
  return openStore(config);
}

/** The composition root of the cloud: real clock, real randomness, the store that is configured, and a broker of its own if asked. */
export async function startCloud(config: CloudConfig, log: Log): Promise<RunningCloud> {
  const store = await openStore(config);
  const broker = config['mqtt.embedded'] ? embeddedBroker(config) : null;
  try {
    const receiptKeys = loadReceiptKeys(config['data.folder'], nodeSuite, realRandom);
    const brokerPort = broker === null ? null : await broker.server.start();
    if (brokerPort !== null) log.info({ port: brokerPort }, 'the embedded broker listens');
    const cloud = new Cloud(config, {
      store,
      log,
      receiptKeys,
      suite: nodeSuite,
      clock: realClock,
      random: realRandom,
      feed: feedSettings(config, brokerPort, broker?.cloudPassword),
    });
    const httpPort = await cloud.start().catch(async (error: unknown) => {
      await cloud.stop();
      throw error;
    });
    const operator = await startOperator(config, cloud, store, log).catch(async (error: unknown) => {
      await cloud.stop();
      throw error;
    });
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
      residentBytes: () => process.memoryUsage.rss(),
    },
    log.child('operator'),
  );
  await server.start({ host: config['operator.host'], port });
  return server;
}

function feedSettings(
  config: CloudConfig,
  brokerPort: number | null,
  brokerPassword: string | undefined,
): FeedSettings {
  const username = config['mqtt.username'];
  const shard = shardSetting(config);
  const ownId = config['mqtt.clientId'];
  return {
    url: brokerPort === null ? config['mqtt.url'] : `mqtt://${config['mqtt.embeddedHost']}:${String(brokerPort)}`,
    username: username === '' ? undefined : username,
    password: brokerPort === null ? secretOf(config, 'mqtt.passwordFile') : brokerPassword,
    clientId: ownId === '' ? `cloud-${hostname().slice(0, 20)}-${toHex(realRandom.bytes(4))}` : ownId,
    otherUrls: brokerPort === null ? config['mqtt.otherUrls'] : [],
    isKept: config['mqtt.session'] === 'kept',
    ...(shard === undefined ? {} : { shard }),
    group: config['mqtt.shareGroup'] === '' ? undefined : config['mqtt.shareGroup'],
  };
}

function embeddedBroker(config: CloudConfig): { readonly server: EmbeddedBroker; readonly cloudPassword: string } {
  const cloudPassword = toHex(realRandom.bytes(16));
  const server = new EmbeddedBroker({
    host: config['mqtt.embeddedHost'],
    port: config['mqtt.embeddedPort'],
    cloudPassword,
    cloudUser: config['mqtt.username'],
    // Anybody on this laptop may play a camera: what counts is the signature inside each record.
    mayConnect: () => true,
  });
  return { server, cloudPassword };
}

/** What is in the file that this setting names; undefined where it names none. */
function secretOf(config: CloudConfig, name: 'mqtt.passwordFile' | 'store.passwordFile'): string | undefined {
  const file = config[name];
  if (file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new SealcamError('config-invalid-value', `${name}: ${file} cannot be read`, { cause });
  }
}
