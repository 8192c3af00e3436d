import mqtt, { type MqttClient } from 'mqtt';
import { atMost, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
import { parseTopic, topicFilter } from '../../protocol/transport/topics.js';
import { Lanes } from './lanes.js';

export interface FeedSettings {
  readonly url: string;
  /** Other nodes of the same broker, for when that one does not answer. */
  readonly otherUrls?: readonly string[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly clientId: string;
  /** A shared subscription, in which the broker gives each message to one worker; undefined for a single worker. */
  readonly group: string | undefined;
  /** For a broker without those: of so many workers that are all given everything, the one that takes this part. */
  readonly shard?: Shard;
  /** The broker keeps what comes while this worker, by its client id, is away. */
  readonly isKept?: boolean;
}

export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The part that a camera belongs to: its id is a hash, so parts are of one size. */
export function shardOf(topic: string, count: number): number {
  const id = parseTopic(topic).device;
  return ((id[0] ?? 0) * 256 + (id[1] ?? 0)) % count;
}

/** Messages that wait for the store; beyond it they are left to be sent again. */
const WAITING_MAX = 4096;
const RECONNECT_MS = 2000;
const CONNECT_TIMEOUT_MS = 5000;
/** How long a broker that is asked to keeps a session. */
const KEPT_S = 7 * 24 * 3600;
const STOP_PATIENCE_MS = 2000;

/** The broker's side of ingest: takes messages, in order per topic, and publishes receipts. */
export class MqttFeed {
  private readonly settings: FeedSettings;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly counters: Counters;
  private readonly onMessage: (topic: string, payload: Uint8Array) => Promise<void>;
  private readonly lanes = new Lanes(WAITING_MAX);
  private client: MqttClient | null = null;

  constructor(
    settings: FeedSettings,
    take: (topic: string, payload: Uint8Array) => Promise<void>,
    clock: Clock,
    counters: Counters,
    log: Log,
  ) {
    this.clock = clock;
    this.settings = settings;
    this.onMessage = take;
    this.counters = counters;
    this.log = log;
  }

  get isConnected(): boolean {
    return this.client?.connected === true;
  }

  get waiting(): number {
    return this.lanes.waiting;
  }

  /** Resolves once the subscriptions stand. @throws SealcamError `broker-unreachable` */
  async start(signal: AbortSignal): Promise<void> {
    const { clientId, group, isKept = false } = this.settings;
    const { url, version } = await this.answering(signal);
    const client = mqtt.connect(url, {
      clientId,
      protocolVersion: version,
      clean: !isKept,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      servers: this.serversFrom(url),
      ...this.credentials(),
      ...(isKept && version === 5 ? { properties: { sessionExpiryInterval: KEPT_S } } : {}),
    });
    this.client = client;
    client.on('message', (topic, payload) => {
      this.message(topic, new Uint8Array(payload));
    });
    client.on('error', (error) => {
      this.log.warn({ code: 'broker-unreachable', reason: error.message }, 'the broker');
    });
    client.on('offline', () => {
      this.log.warn({ code: 'broker-unreachable' }, 'the connection to the broker is lost; trying again');
    });
    const filters = [topicFilter('up', group), topicFilter('status', group)];
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new SealcamError('broker-unreachable', 'given up'));
      });
      let isFirst = true;
      // At each connection, and not by the library, which does not look at the answer: a cluster that has just lost a node
      // may refuse, and a worker without a subscription would wait for ever.
      client.on('connect', () => {
        client.subscribe(filters, { qos: 1 }, (error) => {
          if (!(error instanceof Error)) resolve();
          else if (isFirst)
            reject(new SealcamError('broker-unreachable', `cannot subscribe: ${error.message}`, { cause: error }));
          else {
            this.counters.add('mqtt.subscription-refused');
            this.log.warn(
              { code: 'broker-refused', reason: error.message },
              'the broker refuses a subscription; connecting anew',
            );
            client.stream.destroy();
          }
          isFirst = false;
        });
      });
    });
  }

  publish(topic: string, payload: Uint8Array): void {
    this.client?.publish(topic, Buffer.from(payload), { qos: 1, retain: false }, (error) => {
      if (error instanceof Error) this.counters.add('down.unsent');
    });
  }

  async stop(): Promise<void> {
    const { client } = this;
    this.client = null;
    await atMost(this.clock, STOP_PATIENCE_MS, this.lanes.idle());
    if (client === null) return;
    // A graceful end waits for acknowledgements, which a broker that is gone never sends.
    const isGone = !client.connected;
    if (isGone || !(await atMost(this.clock, STOP_PATIENCE_MS, client.endAsync(false)))) client.end(true);
  }

  private message(topic: string, payload: Uint8Array): void {
    if (!this.isOurs(topic)) return;
    const arrivedMs = this.clock.monotonicMs();
    const isTaken = this.lanes.run(topic, () => {
      this.counters.observe('ingest.queue', (this.clock.monotonicMs() - arrivedMs) / 1000);
      return this.onMessage(topic, payload);
    });
    if (!isTaken) this.counters.add('ingest.overload');
  }

  private isOurs(topic: string): boolean {
    const { shard } = this.settings;
    if (shard === undefined) return true;
    try {
      return shardOf(topic, shard.count) === shard.index;
    } catch {
      // What is no topic of ours is refused, by one of the workers.
      return shard.index === 0;
    }
  }

  private credentials(): { readonly username?: string; readonly password?: string } {
    const { username, password } = this.settings;
    return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  }

  /** All nodes, this one first. */
  private serversFrom(first: string): Server[] {
    const { url, otherUrls = [] } = this.settings;
    return [first, ...[url, ...otherUrls].filter((one) => one !== first)].map((one) => {
      const { protocol, hostname, port } = new URL(one);
      const isTls = protocol === 'mqtts:';
      return {
        host: hostname,
        port: port === '' ? (isTls ? 8883 : 1883) : Number(port),
        protocol: isTls ? 'mqtts' : 'mqtt',
      };
    });
  }

  /** A node that answers, with MQTT 5 where it speaks it, else 3.1.1; they are tried in turn until one does. */
  private async answering(signal: AbortSignal): Promise<{ readonly url: string; readonly version: 5 | 4 }> {
    const { url: firstUrl, otherUrls = [] } = this.settings;
    const options = { clock: this.clock, signal, firstDelayMs: RECONNECT_MS, maxDelayMs: RECONNECT_MS };
    const node = await retrying(options, async () => {
      for (const url of [firstUrl, ...otherUrls]) {
        const answer = await this.probe(url);
        if (answer !== 'silent') return { url, version: answer === 'yes' ? (5 as const) : (4 as const) };
        if (signal.aborted) return null;
      }
      this.log.warn({ code: 'broker-unreachable' }, 'the broker does not answer; trying again');
      return null;
    });
    if (node === null) throw new SealcamError('broker-unreachable', `${firstUrl} does not answer`);
    return node;
  }

  private probe(url: string): Promise<'yes' | 'no' | 'silent'> {
    return new Promise((resolve) => {
      const probe = mqtt.connect(url, {
        clientId: `${this.settings.clientId}-probe`,
        protocolVersion: 5,
        reconnectPeriod: 0,
        connectTimeout: CONNECT_TIMEOUT_MS,
        ...this.credentials(),
      });
      const finish = (result: 'yes' | 'no' | 'silent'): void => {
        probe.end(true);
        resolve(result);
      };
      probe.once('connect', () => {
        finish('yes');
      });
      probe.once('error', (error) => {
        finish('code' in error && (error.code === 1 || error.code === 132) ? 'no' : 'silent');
      });
      probe.once('close', () => {
        finish('silent');
      });
    });
  }
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'mqtt' | 'mqtts';
}
