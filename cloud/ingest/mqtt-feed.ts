import { Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { toHex } from '../../common/bytes.js';
import { atMost, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { retrying } from '../../common/retry.js';
import { parseTopic, topicFilter } from '../../protocol/transport/topics.js';
import { Lanes } from './lanes.js';

export interface FeedSettings {
  /** The broker, as mqtt:// or mqtts://. */
  readonly url: string;
  /** Other nodes of the same broker, tried where the first does not answer. */
  readonly otherUrls?: readonly string[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly clientId: string;
  /** Name of a shared subscription, in which the broker sends each message to one worker; undefined for a single worker. */
  readonly group: string | undefined;
  /** For a broker without shared subscriptions: every worker receives everything and handles its own part. */
  readonly shard?: Shard;
  /** Whether the broker holds messages while this worker, known by its client id, is away. */
  readonly isKept?: boolean;
}

export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** Returns the part of a topic's camera. Device ids are hashes, so parts are of equal size. */
export function shardOf(topic: string, count: number): number {
  const id = parseTopic(topic).device;
  return ((id[0] ?? 0) * 256 + (id[1] ?? 0)) % count;
}

const RECONNECT_INTERVAL_MS = 2000;
const CONNECT_TIMEOUT_MS = 5000;
/** How long the broker holds a kept session. */
const SESSION_EXPIRY_S = 7 * 24 * 3600;
const STOP_TIMEOUT_MS = 2000;

export interface FeedDependencies {
  /** Handles one message; a topic's next message waits until it is done. Must not reject. */
  readonly onMessage: (topic: string, payload: Uint8Array) => Promise<void>;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Resolves in a later turn of the event loop. Omitted, one busy camera may hold up the others on a store that never waits. */
  readonly nextTurn?: () => Promise<void>;
  /** Busy cameras that are handled at the same time: more than the default for a store that handles several. */
  readonly busyAtOnceMax?: number;
}

/** Returns the part of a topic that names the camera; the whole topic where it is not a camera's. */
function cameraOf(topic: string): string {
  try {
    return toHex(parseTopic(topic).device);
  } catch {
    return topic;
  }
}

/** A node's answer to a connection with MQTT 5. */
type ProbeAnswer = 'accepts' | 'refuses-version' | 'silent';

/** The cloud's connection to the broker: hands messages to ingest, in order per topic, and publishes receipts. */
export class MqttFeed {
  private readonly settings: FeedSettings;
  private readonly deps: FeedDependencies;
  private readonly lanes: Lanes;
  private client: MqttClient | null = null;

  constructor(settings: FeedSettings, deps: FeedDependencies) {
    this.settings = settings;
    this.deps = deps;
    const { clock, nextTurn, busyAtOnceMax } = deps;
    this.lanes = new Lanes(clock, busyAtOnceMax === undefined ? {} : { busyAtOnceMax }, nextTurn);
  }

  get isConnected(): boolean {
    return this.client?.connected === true;
  }

  /** Messages that wait for the store, or are being handled. */
  get waiting(): number {
    return this.lanes.waiting;
  }

  /** Cameras that wait because they send more than a camera does. */
  get busyCameras(): number {
    return this.lanes.busyCameras;
  }

  /**
   * Connects; resolves once the broker granted the subscriptions.
   *
   * @throws SealcamError `broker-unreachable`
   */
  async start(signal: AbortSignal): Promise<void> {
    const { clientId, group, isKept = false } = this.settings;
    const { url, version } = await this.findNode(signal);
    const client = mqtt.connect(url, {
      clientId,
      protocolVersion: version,
      clean: !isKept,
      reconnectPeriod: RECONNECT_INTERVAL_MS,
      resubscribe: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      servers: this.serversFrom(url),
      ...this.credentials(),
      ...(isKept && version === 5 ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_S } } : {}),
    });
    this.client = client;
    client.on('message', (topic, payload) => {
      this.enqueue(topic, new Uint8Array(payload));
    });
    client.on('error', (error) => {
      this.deps.log.warn({ code: 'broker-unreachable', reason: error.message }, 'the connection to the broker failed');
    });
    client.on('offline', () => {
      this.deps.log.warn({ code: 'broker-unreachable' }, 'the connection to the broker was lost; trying again');
    });
    const filters = [topicFilter('up', group), topicFilter('status', group)];
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new SealcamError('broker-unreachable', 'stopped before the broker granted the subscriptions'));
      });
      let isFirst = true;
      // Subscribes at each connection. The library would not look at the answer: a cluster that has just lost a node may
      // refuse, and a worker without a subscription would wait for ever.
      client.on('connect', () => {
        // A receipt follows an acknowledgement at once: without this it waits until the broker confirms that, for 40 ms.
        if (client.stream instanceof Socket) client.stream.setNoDelay(true);
        client.subscribe(filters, { qos: 1 }, (error) => {
          if (!(error instanceof Error)) {
            resolve();
          } else if (isFirst) {
            reject(new SealcamError('broker-unreachable', `cannot subscribe: ${error.message}`, { cause: error }));
          } else {
            this.deps.counters.add('mqtt.subscription-refused');
            this.deps.log.warn(
              { code: 'broker-refused', reason: error.message },
              'the broker refused a subscription; connecting again',
            );
            client.stream.destroy();
          }
          isFirst = false;
        });
      });
    });
  }

  /** Publishes with QoS 1; a message that cannot be sent is only counted, since a camera that gets no receipt sends again. */
  publish(topic: string, payload: Uint8Array): void {
    this.client?.publish(topic, Buffer.from(payload), { qos: 1, retain: false }, (error) => {
      if (error instanceof Error) this.deps.counters.add('down.unsent');
    });
  }

  async stop(): Promise<void> {
    const { client } = this;
    this.client = null;
    await atMost(this.deps.clock, STOP_TIMEOUT_MS, this.lanes.idle());
    if (client === null) return;
    // A graceful end waits for acknowledgements, which a broker that has gone away never sends.
    const isGone = !client.connected;
    if (isGone || !(await atMost(this.deps.clock, STOP_TIMEOUT_MS, client.endAsync(false)))) client.end(true);
  }

  private enqueue(topic: string, payload: Uint8Array): void {
    if (!this.isOurs(topic)) return;
    const arrivedMs = this.deps.clock.monotonicMs();
    const admission = this.lanes.run(cameraOf(topic), payload.length, () => {
      this.deps.counters.observe('ingest.queue', (this.deps.clock.monotonicMs() - arrivedMs) / 1000);
      return this.deps.onMessage(topic, payload);
    });
    if (admission === 'full') this.deps.counters.add('ingest.overload');
    else if (admission === 'camera-full') this.deps.counters.add('ingest.camera-overload');
  }

  private isOurs(topic: string): boolean {
    const { shard } = this.settings;
    if (shard === undefined) return true;
    try {
      return shardOf(topic, shard.count) === shard.index;
    } catch {
      // Not a camera's topic: the first worker refuses it.
      return shard.index === 0;
    }
  }

  private credentials(): { readonly username?: string; readonly password?: string } {
    const { username, password } = this.settings;
    return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  }

  /** Returns all nodes, this one first. */
  private serversFrom(first: string): Server[] {
    const { url, otherUrls = [] } = this.settings;
    const others = [url, ...otherUrls].filter((node) => node !== first);
    return [first, ...others].map((node) => {
      const { protocol, hostname, port } = new URL(node);
      const isTls = protocol === 'mqtts:';
      const defaultPort = isTls ? 8883 : 1883;
      return {
        host: hostname,
        port: port === '' ? defaultPort : Number(port),
        protocol: isTls ? 'mqtts' : 'mqtt',
      };
    });
  }

  /** Tries the nodes in turn until one answers. The protocol version is 5, or 4 (MQTT 3.1.1) where the node refuses 5. */
  private async findNode(signal: AbortSignal): Promise<{ readonly url: string; readonly version: 5 | 4 }> {
    const { url: firstUrl, otherUrls = [] } = this.settings;
    const { clock, log } = this.deps;
    const options = {
      clock,
      signal,
      firstDelayMs: RECONNECT_INTERVAL_MS,
      maxDelayMs: RECONNECT_INTERVAL_MS,
    };
    const node = await retrying(options, async () => {
      for (const url of [firstUrl, ...otherUrls]) {
        const answer = await this.probe(url);
        if (answer !== 'silent') return { url, version: answer === 'accepts' ? (5 as const) : (4 as const) };
        if (signal.aborted) return null;
      }
      log.warn({ code: 'broker-unreachable' }, 'the broker does not answer; trying again');
      return null;
    });
    if (node === null) throw new SealcamError('broker-unreachable', `${firstUrl} does not answer`);
    return node;
  }

  private probe(url: string): Promise<ProbeAnswer> {
    return new Promise((resolve) => {
      const probe = mqtt.connect(url, {
        clientId: `${this.settings.clientId}-probe`,
        protocolVersion: 5,
        reconnectPeriod: 0,
        connectTimeout: CONNECT_TIMEOUT_MS,
        ...this.credentials(),
      });
      const finish = (result: ProbeAnswer): void => {
        probe.end(true);
        resolve(result);
      };
      probe.once('connect', () => {
        finish('accepts');
      });
      probe.once('error', (error) => {
        // Return code 1 of MQTT 3.1.1, reason code 132 of MQTT 5: unsupported protocol version.
        const isVersion = 'code' in error && (error.code === 1 || error.code === 132);
        finish(isVersion ? 'refuses-version' : 'silent');
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
