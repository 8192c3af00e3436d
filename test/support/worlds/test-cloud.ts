import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadCloudConfig } from '../../../cloud/main/config.js';
import { Cloud } from '../../../cloud/main/cloud.js';
import { openMedia, openPush } from '../../../cloud/main/compose.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { FeedSettings } from '../../../cloud/ingest/mqtt-feed.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import type { Clock } from '../../../common/clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { TestBroker } from '../engines/brokers.js';
import { testLog, type LogEntry } from './test-agent.js';

export const PAGE_ORIGIN = 'http://127.0.0.1:1';

export interface TestCloudOptions {
  readonly pageOrigin?: string;
  /** Where pages reach it, if that is not its own port. */
  readonly origin?: string;
  readonly store?: CloudStore;
  /** Overrides of the settings that suit a test. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The same for the connection to the broker. */
  readonly feed?: Partial<FeedSettings>;
  readonly clock?: Clock;
}

/** Opens the store of a cloud in a folder, which it makes. */
export function sqliteIn(folder: string): CloudStore {
  mkdirSync(folder, { recursive: true });
  return openSqliteStore(join(folder, 'cloud.db'));
}

/** A cloud in this process, on the test's broker. Started again on the same folder, it is the same cloud. */
export class TestCloud {
  readonly log: LogEntry[] = [];
  readonly cloud: Cloud;
  readonly store: CloudStore;
  readonly origin: string;

  constructor(
    folder: string,
    httpPort: number,
    broker: TestBroker,
    {
      pageOrigin = PAGE_ORIGIN,
      origin = `http://127.0.0.1:${String(httpPort)}`,
      store = sqliteIn(join(folder, 'cloud')),
      environment = {},
      feed = {},
      clock = realClock,
    }: TestCloudOptions = {},
  ) {
    const config = loadCloudConfig({
      file: null,
      environment: {
        SEALCLOUD_DATA_FOLDER: join(folder, 'cloud'),
        SEALCLOUD_HTTP_PORT: String(httpPort),
        SEALCLOUD_HTTP_ORIGIN: origin,
        SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([pageOrigin]),
        SEALCLOUD_PACING_DRAIN_INTERVAL: '50 ms',
        ...environment,
      },
    });
    this.origin = origin;
    this.store = store;
    this.cloud = new Cloud(config, {
      store: this.store,
      media: openMedia(config),
      suite: nodeSuite,
      ...openPush(config),
      clock,
      random: realRandom,
      log: testLog(this.log),
      receiptKeys: loadReceiptKeys(config['data.folder'], nodeSuite, realRandom),
      feed: {
        url: `mqtt://127.0.0.1:${String(broker.port)}`,
        username: broker.cloudUser,
        password: broker.cloudPassword === '' ? undefined : broker.cloudPassword,
        clientId: `cloud-test-${String(httpPort)}`,
        group: undefined,
        ...feed,
      },
    });
  }

  start(): Promise<number> {
    return this.cloud.start();
  }

  stop(): Promise<void> {
    return this.cloud.stop();
  }
}
