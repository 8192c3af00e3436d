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
import { isSegmentAt } from '../../../cloud/store/segments.js';
import type { ClaimRow, CloudStore, SegmentKey, Upload } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { cacheSettings, CrossingCache } from './cache.js';
import { ControlIngest, fileTo } from './control.js';
import type { CrossedUpload } from './oracle.js';
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
  /** Uploads for which it was given the row of another segment. */
  readonly crossedUploads: readonly CrossedUpload[];
  /** Requests to the cache that wait for an answer. */
  readonly pending: number;
  /** Hashes of the records that were refused because of a crossed row. */
  readonly refused: readonly string[];
}

/** What the cloud looks up through the caching client: the claim row of a camera, the row of a segment that is uploaded. */
export type Looked = 'claims' | 'segments';

/** Two cameras that film bring two bodies each at once: this many surely wait. */
const UPLOADS_CROWD = { crowded: 3, heldUntil: 4 };

/** The cloud of the drill, and the control. They share one broker, and one caching client for the accounts of cameras. */
class DrillCloud {
  private readonly cloud: Cloud;
  private readonly control: MqttFeed;
  private readonly cache: CrossingCache<ClaimRow>;
  private readonly segmentCache: CrossingCache<Upload>;
  private readonly direct: CloudStore;
  private readonly refused = new Set<string>();
  private crossedForUs = 0;
  private crossedForControl = 0;
  private readonly crossedUploads: CrossedUpload[] = [];
  /** What is looked up in the store itself. */
  private bypassed: ReadonlySet<Looked> = new Set();

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
    this.segmentCache = new CrossingCache({
      clock: realClock,
      random: seededRandom(seed + 1),
      settings: { ...cacheSettings(cameras, isCacheCold), ...(isCacheCold ? UPLOADS_CROWD : {}) },
      load: (key) => this.loadSegment(key),
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

  /** Looks these up in the store itself from now on, as the maker did to end the incident, and what is not named through the cache. */
  bypass(what: readonly Looked[]): void {
    this.bypassed = new Set(what);
  }

  /** Empties the cache, as an outage does. */
  chill(): void {
    this.cache.chill();
  }

  report(): CloudReport {
    return {
      counters: this.cloud.counters.snapshot(),
      crossedForUs: this.crossedForUs,
      crossedForControl: this.crossedForControl,
      crossedUploads: this.crossedUploads,
      pending: this.cache.pending,
      refused: [...this.refused],
    };
  }

  /** Returns our store with the caching client where the maker's was: between ingest and the claim store. */
  private crossedStore(): CloudStore {
    const { claims, segments, quarantine } = this.direct;
    const crossed = withRows(this.direct, async (device, epoch) => {
      if (this.bypassed.has('claims')) return claims.row(device, epoch);
      const row = await this.cache.get(keyOf(device, epoch));
      if (row !== undefined && !equal(row.device, device)) this.crossedForUs++;
      return row;
    });
    return {
      ...crossed,
      segments: { ...segments, upload: (key) => this.uploadOf(key) },
      quarantine: {
        ...quarantine,
        put: async (entry) => {
          if (entry.verdict === 'foreign') this.refused.add(toHex(nodeSuite.sha256(entry.bytes)));
          return quarantine.put(entry);
        },
      },
    };
  }

  private async uploadOf(key: SegmentKey): Promise<Upload | undefined> {
    if (this.bypassed.has('segments')) return this.direct.segments.upload(key);
    const found = await this.segmentCache.get(`${keyOf(key.device, key.epoch)}/${toHex(key.bodyHash)}`);
    if (found !== undefined && !isSegmentAt(found.segment, key)) {
      const { segment } = found;
      this.crossedUploads.push({
        device: toHex(key.device),
        instead: toHex(segment.device),
        bodyHash: toHex(key.bodyHash),
      });
    }
    return found;
  }

  private async loadSegment(key: string): Promise<Upload | undefined> {
    const [device, epoch, hash] = key.split('/');
    const bytes = (hex = ''): Uint8Array => fromHex(hex, 32) ?? new Uint8Array(32);
    return this.direct.segments.upload({ device: bytes(device), epoch: Number(epoch), bodyHash: bytes(hash) });
  }

  private async accountOf(device: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.bypassed.has('claims')) return (await this.direct.claims.row(device, 1))?.account;
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
  bypass: async (what: readonly Looked[]): Promise<void> => {
    running().bypass(what);
    return Promise.resolve();
  },
  chill: async (_: null): Promise<void> => {
    running().chill();
    return Promise.resolve();
  },
  report: async (_: null): Promise<CloudReport> => Promise.resolve(running().report()),
  stop: async (_: null): Promise<void> => running().stop(),
};
export type CloudProcedures = typeof procedures;

serve(procedures);
