import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { equal, fromHex, toHex } from '../../../common/bytes.js';
import { Counters } from '../../../common/counters.js';
import { silentLog } from '../../../common/log.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { Cloud } from '../../../cloud/main/cloud.js';
import { loadCloudConfig, type CloudConfig } from '../../../cloud/main/config.js';
import type { CameraMessage } from '../../../cloud/ingest/ingest.js';
import { MqttFeed, type FeedSettings } from '../../../cloud/ingest/mqtt-feed.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { openMedia, openStore } from '../../../cloud/main/compose.js';
import type { ClaimRow, CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { cacheSettings, CrossingCache } from './cache.js';
import { ControlIngest, fileTo } from './control.js';
import { serve } from '../common/remote.js';
import { storeEnvironment, type StoreSetup } from './store-setup.js';
import { epochKey } from '../../../protocol/objects/ids.js';
import { withRows } from '../../support/worlds/wrong-rows.js';

export interface CloudSetup extends StoreSetup {
  readonly brokerUrl: string;
  readonly brokerUser: string;
  readonly httpPort: number;
  readonly pageOrigin: string;
  readonly seed: number;
  /** Number of cameras that the caching client is sized for. */
  readonly cameras: number;
  /** Whether the cache is empty, as after an outage. */
  readonly isCacheCold: boolean;
}

export interface CloudReport {
  readonly counters: Readonly<Record<string, number>>;
  /** Rows of another camera that our ingest was given. */
  readonly crossedForUs: number;
  /** Accounts of another camera that the control was given. */
  readonly crossedForControl: number;
  /** Hashes of the records that were refused because of a crossed row. */
  readonly refused: readonly string[];
}

/** The cloud of the drill, and the control. They share one broker, and one caching client for the accounts of cameras. */
class DrillCloud {
  private readonly cloud: Cloud;
  private readonly control: MqttFeed;
  private readonly cache: CrossingCache<ClaimRow>;
  private readonly direct: CloudStore;
  private readonly refused = new Set<string>();
  private crossedForUs = 0;
  private crossedForControl = 0;
  private isBypassed = false;

  static async open(setup: CloudSetup): Promise<DrillCloud> {
    const config = loadCloudConfig({
      file: null,
      environment: {
        ...storeEnvironment(setup),
        SEALCLOUD_HTTP_PORT: String(setup.httpPort),
        SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([setup.pageOrigin]),
        SEALCLOUD_PACING_DRAIN_INTERVAL: '50 ms',
      },
    });
    return new DrillCloud(setup, config, await openStore(config));
  }

  private constructor(setup: CloudSetup, config: CloudConfig, store: CloudStore) {
    const { folder, brokerUrl, brokerUser, seed, cameras, isCacheCold } = setup;
    this.direct = store;
    this.cache = new CrossingCache({
      clock: realClock,
      random: seededRandom(seed),
      settings: cacheSettings(cameras, isCacheCold),
      load: (key) => this.loadRow(key),
    });
    const feed = (clientId: string): FeedSettings => ({
      url: brokerUrl,
      username: brokerUser,
      password: undefined,
      group: undefined,
      clientId,
    });
    this.cloud = new Cloud(config, {
      store: this.crossedStore(),
      media: openMedia(config),
      suite: nodeSuite,
      clock: realClock,
      random: realRandom,
      log: silentLog,
      receiptKeys: loadReceiptKeys(folder, nodeSuite, realRandom),
      feed: feed('cloud'),
    });
    const control = new ControlIngest({
      accountOf: (device) => this.accountOf(device),
      file: fileTo(join(folder, 'control.jsonl')),
    });
    // The control files nothing of a malformed message.
    const handle = async (messages: readonly CameraMessage[]): Promise<void> => {
      for (const { topic, payload } of messages) await control.handleMessage(topic, payload).catch(() => undefined);
    };
    this.control = new MqttFeed(feed('control'), {
      onMessages: handle,
      clock: realClock,
      counters: new Counters(),
      log: silentLog,
    });
  }

  async start(): Promise<void> {
    // The control starts first, so that it misses no message that ingest gets.
    await this.control.start(new AbortController().signal);
    await this.cloud.start();
  }

  async stop(): Promise<void> {
    await this.control.stop();
    await this.cloud.stop();
  }

  /** Looks accounts up in the store itself from now on, as the maker did to end the incident. */
  bypass(): void {
    this.isBypassed = true;
  }

  report(): CloudReport {
    return {
      counters: this.cloud.counters.snapshot(),
      crossedForUs: this.crossedForUs,
      crossedForControl: this.crossedForControl,
      refused: [...this.refused],
    };
  }

  /** Returns our store with the caching client where the maker's was: between ingest and the claim store. */
  private crossedStore(): CloudStore {
    const { claims, quarantine } = this.direct;
    const crossed = withRows(this.direct, async (device, epoch) => {
      if (this.isBypassed) return claims.row(device, epoch);
      const row = await this.cache.get(keyOf(device, epoch));
      if (row !== undefined && !equal(row.device, device)) this.crossedForUs++;
      return row;
    });
    return {
      ...crossed,
      quarantine: {
        ...quarantine,
        put: async (entry) => {
          if (entry.verdict === 'foreign') this.refused.add(toHex(nodeSuite.sha256(entry.bytes)));
          return quarantine.put(entry);
        },
      },
    };
  }

  private async accountOf(device: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.isBypassed) return (await this.direct.claims.row(device, 1))?.account;
    const row = await this.cache.get(keyOf(device, 1));
    if (row !== undefined && !equal(row.device, device)) this.crossedForControl++;
    return row?.account;
  }

  private async loadRow(key: string): Promise<ClaimRow | undefined> {
    const [device = '', epoch = ''] = key.split('/');
    return this.direct.claims.row(fromHex(device, 32) ?? new Uint8Array(32), Number(epoch));
  }
}

/** Every camera of the drill is in its first epoch. */
function keyOf(device: Uint8Array, epoch: number): string {
  return epochKey(device, epoch);
}

let cloud: DrillCloud | null = null;

function running(): DrillCloud {
  if (cloud === null) throw new Error('the cloud is not started');
  return cloud;
}

const procedures = {
  /** Answers once the program is loaded. */
  load: async (_: null): Promise<void> => Promise.resolve(),
  start: async (setup: CloudSetup): Promise<void> => {
    cloud = await DrillCloud.open(setup);
    await cloud.start();
  },
  bypass: async (_: null): Promise<void> => {
    running().bypass();
    return Promise.resolve();
  },
  report: async (_: null): Promise<CloudReport> => Promise.resolve(running().report()),
  stop: async (_: null): Promise<void> => running().stop(),
};
export type CloudProcedures = typeof procedures;

serve(procedures);
