import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realRandom } from '../../../common/adapters/real-random.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { freePort } from '../../../scripts/free-port.js';
import { mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import { natsCluster, type TestCluster } from '../../support/engines/nats.js';
import { queryDirectly, postgres, type TestPostgres } from '../../support/engines/postgres.js';
import { Worker } from '../common/worker.js';

export type StoreKind = 'sqlite' | 'postgres';
export type BrokerKind = 'mosquitto' | 'nats';

export interface SiteSettings {
  readonly folder: string;
  readonly store: StoreKind;
  readonly broker: BrokerKind;
  readonly workers: number;
  /** Starts workers that carry records without verifying them, which is the floor of a rate. */
  readonly isTrusting?: boolean;
}

const TRUSTING_WORKER: readonly string[] = [fileURLToPath(new URL('./trusting-worker.js', import.meta.url))];

/** Broker, database and ingest workers of a fleet: everything but its cameras. */
export class Site {
  readonly broker: TestBroker;
  readonly cluster: TestCluster | null;
  readonly postgres: TestPostgres | null;
  readonly workers: readonly Worker[];
  readonly receiptKeys: readonly Uint8Array[];
  private readonly postgresUrl: string | null;
  private readonly data: string;

  private constructor(
    parts: Pick<Site, 'broker' | 'cluster' | 'postgres' | 'workers' | 'receiptKeys'>,
    postgresUrl: string | null,
    data: string,
  ) {
    ({ broker: this.broker, cluster: this.cluster, postgres: this.postgres } = parts);
    ({ workers: this.workers, receiptKeys: this.receiptKeys } = parts);
    this.postgresUrl = postgresUrl;
    this.data = data;
  }

  /**
   * Starts everything. Resolves when every worker takes records.
   *
   * @param keep receives what ends each process, just before it is started
   */
  static async open(
    { folder, store, broker: kind, workers: count, isTrusting = false }: SiteSettings,
    keep: (close: () => Promise<unknown>) => void,
  ): Promise<Site> {
    const port = await freePort();
    const cluster = kind === 'nats' ? await natsCluster(folder, port) : null;
    const broker = cluster ?? mosquitto(folder, port);
    const server = store === 'postgres' ? postgres(folder) : null;
    const data = join(folder, 'cloud');
    mkdirSync(data);
    const { current, successor } = loadReceiptKeys(data, nodeSuite, realRandom);
    keep(() => Promise.all([broker.stop('kill'), server?.stop()]));
    const started = await Promise.allSettled([broker.start(), server?.start()]);
    const failed = started.find((one) => one.status === 'rejected');
    if (failed !== undefined) {
      await Promise.all([broker.stop('kill'), server?.stop()]);
      throw failed.reason;
    }
    const url = await server?.database('sealcam');
    const workers = Array.from({ length: count }, (_, i) => {
      const own = store === 'sqlite' ? data : copyOfKeys(data, join(folder, `worker-${String(i)}`));
      const environment = {
        SEALCLOUD_DATA_FOLDER: own,
        SEALCLOUD_HTTP_PORT: '0',
        SEALCLOUD_LOG_LEVEL: 'info',
        ...(url === undefined ? {} : { SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: url }),
        ...brokerEnvironment(broker, cluster, i, count),
      };
      return new Worker(`worker ${String(i)}`, environment, isTrusting ? TRUSTING_WORKER : undefined);
    });
    const keys = { receiptKeys: [current, successor].map(({ signer }) => signer.publicKey) };
    const site = new Site({ broker, cluster, postgres: server, workers, ...keys }, url ?? null, data);
    try {
      for (const worker of workers) {
        keep(() => worker.stop('kill'));
        await worker.start();
      }
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  /** Returns the bytes that a record and a picture take in PostgreSQL, with their indexes; null on SQLite. */
  async sizes(): Promise<{ readonly record: number; readonly picture: number } | null> {
    if (this.postgresUrl === null) return null;
    const of = (name: string): string =>
      `(SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('${name}'))`;
    const [row] = await queryDirectly(this.postgresUrl, (query) =>
      query(`SELECT ((pg_total_relation_size('record_key') + ${of('record_body')})
          / greatest(1, (SELECT count(*) FROM record_key)))::int AS record,
        ((pg_total_relation_size('media_key') + ${of('media_body')})
          / greatest(1, (SELECT count(*) FROM media_key)))::int AS picture`),
    );
    return { record: Number(row?.['record']), picture: Number(row?.['picture']) };
  }

  /** Opens the workers' store for one use. */
  async withStore<T>(use: (store: CloudStore) => Promise<T>): Promise<T> {
    const store =
      this.postgresUrl === null
        ? openSqliteStore(join(this.data, 'cloud.db'))
        : await openPostgresStore({ url: this.postgresUrl, password: undefined, connections: 4 });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop('kill')));
    await Promise.all([this.broker.stop('kill'), this.postgres?.stop()]);
  }
}

/** Copies the receipt keys into a worker's own folder, as on a machine of its own. */
function copyOfKeys(from: string, to: string): string {
  mkdirSync(to);
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
  return to;
}

/**
 * Settings of one worker. With shared subscriptions the broker gives each message to one worker; NATS gives every
 * message to all, so each takes a shard.
 */
function brokerEnvironment(
  { port, cloudUser }: TestBroker,
  cluster: TestCluster | null,
  index: number,
  count: number,
): Readonly<Record<string, string>> {
  if (cluster === null) {
    return {
      SEALCLOUD_MQTT_URL: `mqtt://127.0.0.1:${String(port)}`,
      SEALCLOUD_MQTT_USERNAME: cloudUser,
      ...(count > 1 ? { SEALCLOUD_MQTT_SHARE_GROUP: 'ingest' } : {}),
    };
  }
  const own = index % cluster.urls.length;
  return {
    SEALCLOUD_MQTT_URL: cluster.urls[own] ?? '',
    SEALCLOUD_MQTT_USERNAME: cloudUser,
    SEALCLOUD_MQTT_OTHER_URLS: JSON.stringify(cluster.urls.filter((_, i) => i !== own)),
    SEALCLOUD_MQTT_SESSION: 'kept',
    SEALCLOUD_MQTT_CLIENT_ID: `ingest-${String(index)}`,
    ...(count > 1 ? { SEALCLOUD_MQTT_SHARD: `${String(index)}/${String(count)}` } : {}),
  };
}
