import { authorityOf } from '../../common/address.js';
import type { Clock } from '../../common/clock.js';
import { Counters } from '../../common/counters.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import type { Pacing } from '../../protocol/objects/receipt.js';
import { rulesOf } from '../../protocol/objects/record-kinds.js';
import { topicOf } from '../../protocol/transport/topics.js';
import type { FastifyInstance } from '../api/fastify.js';
import { Feed } from '../api/feed.js';
import { Reader } from '../api/reader.js';
import { buildServer, listen } from '../api/server.js';
import { Sessions } from '../api/sessions.js';
import { HTTP_LIMITS } from '../api/shares.js';
import { Statements } from '../api/statements.js';
import { Tail } from '../api/tail.js';
import { Uploads } from '../api/uploads.js';
import { Ingest } from '../ingest/ingest.js';
import { LiveFeed } from '../ingest/live-feed.js';
import { MqttFeed, type FeedSettings } from '../ingest/mqtt-feed.js';
import type { Media } from '../media/kinds.js';
import type { PushService } from '../push/delivering.js';
import type { PushServices } from '../push/endpoint.js';
import { Notifier } from '../push/notifier.js';
import type { CloudStore } from '../store/store.js';
import { DeletionClock } from '../trust/deletion-clock.js';
import { MakerList } from '../trust/maker-list.js';
import { byPreference, type ReceiptKeys } from '../trust/receipt-keys.js';
import { ReceiptSigners } from '../trust/receipt-signers.js';
import { Bodies } from './bodies.js';
import { busyAtOnce, hasOtherWriters, makerListSettings, type CloudConfig } from './config.js';
import { Erasing } from './erasing.js';
import { Retention } from './retention.js';

export interface CloudDependencies {
  readonly store: CloudStore;
  /** Where the bodies of clips lie. */
  readonly media: Media;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly receiptKeys: ReceiptKeys;
  readonly feed: FeedSettings;
  /** Omitted where the operator has not set notifications up. */
  readonly push?: { readonly service: PushService; readonly services: PushServices };
  /** Resolves in a later turn of the event loop. */
  readonly nextTurn?: () => Promise<void>;
  /** Shared with a broker in this process; omitted, the cloud has its own. */
  readonly counters?: Counters;
}

export interface CloudGauges {
  /** Messages that wait for the store, or are being handled. */
  readonly waiting: number;
  /** Cameras whose messages wait because they send more than a camera does. */
  readonly busyCameras: number;
  /** Open streams of readers. */
  readonly streams: number;
  /** Looks that are open. */
  readonly looks: number;
  /** Notifications that wait. */
  readonly pushes: number;
  readonly isBrokerConnected: boolean;
  /** Why no messages arrive from the broker; null while they do. */
  readonly brokerFault: string | null;
  /** Why nothing is deleted by its age at present; null while the clocks agree. */
  readonly clockDoubt: string | null;
}

/** Share of the brokers' connection rate that a wave of reconnects may use. */
const RECONNECT_SHARE = 0.7;
const WINDOW_MIN_MS = 5000;
const WINDOW_MAX_MS = 900_000;

/** Ingest, store and events API in one process. Pass every dependency; nothing happens before `start`. */
export class Cloud {
  readonly counters: Counters;
  private readonly config: CloudConfig;
  private readonly deps: CloudDependencies;
  private readonly feed = new Feed((item) => this.reader.readersOf(item));
  private readonly mqtt: MqttFeed;
  private readonly live: LiveFeed;
  private readonly makerList: MakerList;
  private readonly reader: Reader;
  private readonly uploads: Uploads;
  private readonly statements: Statements;
  private readonly deletionClock: DeletionClock;
  private readonly retention: Retention;
  /** Null where no other process writes into the store. */
  private readonly tail: Tail | null;
  /** Null where the operator has not set notifications up. */
  private readonly notifier: Notifier | null;
  private readonly stopping = new AbortController();
  private server: FastifyInstance | null = null;
  private readonly ingest: Ingest;
  private readonly receiptSigners: readonly Signer[];

  constructor(config: CloudConfig, deps: CloudDependencies) {
    this.config = config;
    this.deps = deps;
    this.counters = deps.counters ?? new Counters();
    const { store, media, suite, clock, log, receiptKeys } = deps;
    const receiptSigners = byPreference(receiptKeys).map(({ signer }) => signer);
    this.receiptSigners = receiptSigners;
    const [current, ...others] = receiptSigners;
    if (current === undefined) throw new Error('a cloud without a receipt key');
    this.makerList = new MakerList(makerListSettings(config), deps);
    const { counters, makerList } = this;
    const reader = new Reader({ store, bodies: media.store, suite, clock, counters, log: log.child('api'), makerList });
    const statements = new Statements({ store, suite, reader });
    this.reader = reader;
    this.statements = statements;
    this.uploads = new Uploads({
      store,
      media,
      suite,
      clock,
      counters,
      makerList,
      log: log.child('uploads'),
      signers: new ReceiptSigners(suite, receiptSigners),
      quota: { cameraBytes: config['media.cameraMaxBytes'], accountBytes: config['media.accountMaxBytes'] },
    });
    const periodMs = config['retention.records'];
    const erasing = new Erasing({ store, suite, counters, log, reader, statements, receiptSigners, periodMs });
    const clipsPeriodMs = config['retention.clips'];
    this.deletionClock = new DeletionClock({
      ...deps,
      counters: this.counters,
      log: log.child('retention'),
      periodMs: Math.min(periodMs, clipsPeriodMs),
    });
    const { nextTurn } = deps;
    const turns = nextTurn === undefined ? {} : { nextTurn };
    this.retention = new Retention({
      ...turns,
      store,
      erasing,
      bodies: new Bodies({ segments: store.segments, bodies: media.store, periodMs: clipsPeriodMs }),
      clock,
      deletionClock: this.deletionClock,
      log: log.child('retention'),
    });
    this.tail = hasOtherWriters(config) ? new Tail(store, this.feed, clock, log.child('tail')) : null;
    this.ingest = new Ingest({
      ...turns,
      makerList: this.makerList,
      receiveTimes: this.deletionClock,
      store,
      suite,
      clock,
      receiptSigner: current,
      otherReceiptSigners: others,
      counters: this.counters,
      log: log.child('ingest'),
      publish: (topic, payload) => {
        this.mqtt.publish(topic, payload);
      },
      isSharing: this.tail !== null,
      versions: config['protocol.versions'],
      onStored: (_id, { value }, receivedAtMs) => {
        this.notifier?.noteStored(value, receivedAtMs);
        if (this.tail !== null) return;
        this.feed.publish({ type: 'record', device: value.device, epoch: value.epoch, seq: value.seq });
        if (rulesOf(value.kind).isCameraNews) this.feed.publish({ type: 'camera', device: value.device });
      },
      onStatus: (device) => {
        this.feed.publish({ type: 'camera', device });
      },
      pacing: () => this.pacing(),
    });
    this.live = new LiveFeed(deps.feed, { clock, counters, log: log.child('live') });
    this.notifier =
      deps.push === undefined
        ? null
        : new Notifier({
            store,
            gate: reader,
            service: deps.push.service,
            clock,
            random: deps.random,
            counters,
            log: log.child('push'),
            perSecond: config['push.perSecond'],
            windowMs: () => this.pacing()?.windowMs ?? WINDOW_MIN_MS,
            isReceiving: () => this.mqtt.isReceiving,
          });
    const busyAtOnceMax = busyAtOnce(config);
    this.mqtt = new MqttFeed(deps.feed, {
      ...turns,
      ...(busyAtOnceMax === undefined ? {} : { busyAtOnceMax }),
      onMessages: (messages) => this.ingest.handleMessages(messages),
      clock,
      counters: this.counters,
      log: log.child('mqtt'),
    });
  }

  /**
   * Listens, then subscribes at the broker. Resolves with the port of the API.
   *
   * @throws SealcamError `port-in-use`, `broker-unreachable`, `store-unavailable`
   */
  async start(): Promise<number> {
    const port = await this.listen();
    await this.receive();
    return port;
  }

  /**
   * Opens the API, which works without a broker: what is stored can be read. Resolves with its port.
   *
   * @throws SealcamError `port-in-use`, `store-unavailable`
   */
  async listen(): Promise<number> {
    const { config } = this;
    const { store, suite, clock, random, log, receiptKeys, push } = this.deps;
    const port = config['http.port'];
    const settings = {
      host: config['http.host'],
      port,
      pageOrigins: config['http.pageOrigins'],
      requestsPerMinute: config['http.requestsPerMinute'],
      trustedProxies: config['http.trustedProxies'],
      limits: {
        ...HTTP_LIMITS,
        streamsPerKey: config['http.streamsPerKey'],
        streamsPerAddress: config['http.streamsPerAddress'],
        looksPerKey: config['http.looksPerKey'],
        looksPerAccount: config['http.looksPerAccount'],
        looksPerAddress: config['http.looksPerAddress'],
        lookOrdersPerMinute: config['http.lookOrdersPerMinute'],
        connectionsPerAddress: config['http.connectionsPerAddress'],
      },
    };
    const apiLog = log.child('api');
    let listening = port;
    const cloudOrigin = (): string =>
      config['http.origin'] === '' ? `http://${authorityOf(settings.host, listening)}` : config['http.origin'];
    const sessions = new Sessions(
      { cloudOrigin, pageOrigins: settings.pageOrigins, lifetimeMs: config['session.lifetime'] },
      suite,
      clock,
      random,
    );
    const context = { store, suite, clock, counters: this.counters, log: apiLog };
    this.server = await buildServer(
      {
        ...context,
        sessions,
        feed: this.feed,
        live: this.live,
        push:
          push === undefined ? null : { publicKey: push.service.sender.key.publicKey, services: push.services, random },
        cloudOrigin,
        reader: this.reader,
        statements: this.statements,
        uploads: this.uploads,
        keepsForMs: config['retention.records'],
        deletionDelayMs: config['deletion.delay'],
        receiptKeys: [receiptKeys.current, receiptKeys.successor].map(({ signer }) => signer.publicKey),
        receiptSigners: this.receiptSigners,
        sendDown: (device, payload) => {
          this.mqtt.publish(topicOf(device, 'down'), payload);
        },
        notReady: () => this.notReady(),
        handInAccept: (...given) => this.ingest.handInAccept(...given),
      },
      settings,
    );
    await this.deps.media.staging.clear();
    await this.deletionClock.start();
    await this.tail?.start();
    listening = await listen(this.server, settings, apiLog);
    this.retention.start();
    this.notifier?.start();
    return listening;
  }

  /**
   * Subscribes at the broker; resolves once records can arrive. Tries until `stop`.
   *
   * @throws SealcamError `broker-unreachable` where `stop` ended it
   */
  async receive(): Promise<void> {
    await this.mqtt.start(this.stopping.signal);
    this.deps.log.info({ broker: this.deps.feed.url }, 'receiving records');
  }

  /** Returns why this process cannot do its work at present; null if it can. */
  async notReady(): Promise<string | null> {
    if (!this.mqtt.isReceiving) return this.mqtt.fault ?? 'the broker has not answered yet';
    try {
      await this.deps.store.records.lastId();
      return null;
    } catch {
      return 'the store does not answer';
    }
  }

  /** Returns figures that only this process knows. */
  gauges(): CloudGauges {
    return {
      waiting: this.mqtt.waiting,
      busyCameras: this.mqtt.busyCameras,
      streams: this.feed.count,
      looks: this.live.count,
      pushes: this.notifier?.queued ?? 0,
      isBrokerConnected: this.mqtt.isConnected,
      brokerFault: this.mqtt.isReceiving ? null : (this.mqtt.fault ?? 'the broker has not answered yet'),
      clockDoubt: this.deletionClock.reason,
    };
  }

  /** Ends the wait for the broker; `stop` does the rest. */
  stopWaiting(): void {
    this.stopping.abort();
  }

  async stop(): Promise<void> {
    this.stopWaiting();
    this.retention.stop();
    this.notifier?.stop();
    this.tail?.stop();
    this.live.stop();
    await this.mqtt.stop();
    this.server?.server.closeAllConnections();
    await this.server?.close();
    await this.deps.media.store.close();
    await this.deps.store.close();
  }

  /** Returns what receipts tell cameras about pacing: the window of reconnects, and the interval of a drain. */
  private pacing(): Pacing | null {
    const fleet = this.config['pacing.fleet'];
    const drainIntervalMs = this.config['pacing.drainInterval'];
    if (fleet === 0 && drainIntervalMs === 0) return null;
    const windowMs = Math.round((fleet / (RECONNECT_SHARE * this.config['pacing.connectsPerSecond'])) * 1000);
    return {
      ...(fleet === 0 ? {} : { windowMs: Math.min(WINDOW_MAX_MS, Math.max(WINDOW_MIN_MS, windowMs)) }),
      ...(drainIntervalMs === 0 ? {} : { drainIntervalMs }),
      issuedAtMs: this.deps.clock.wallMs(),
    };
  }
}
