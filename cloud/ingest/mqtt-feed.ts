import mqtt, { type MqttClient } from 'mqtt';
import { atMost, sleep, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { topicFilter } from '../../protocol/transport/topics.js';
import { Lanes } from './lanes.js';

export interface FeedSettings {
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly clientId: string;
  /** MQTT 5 shared subscription; undefined for a single worker. */
  readonly group: string | undefined;
}

/** Messages that wait for the store; beyond it they are left to be sent again. */
const WAITING_MAX = 4096;
const RECONNECT_MS = 2000;
const STOP_PATIENCE_MS = 2000;

/** The broker's side of ingest: takes messages, in order per topic, and publishes receipts. */
export class MqttFeed {
  private readonly settings: FeedSettings;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly counters: Counters;
  private readonly take: (topic: string, payload: Uint8Array) => Promise<void>;
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
    this.take = take;
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
    const { url, username, password, clientId, group } = this.settings;
    const version = await this.protocolVersion(signal);
    const client = mqtt.connect(url, {
      ...{ clientId, protocolVersion: version, clean: true, reconnectPeriod: RECONNECT_MS, resubscribe: true },
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
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
      client.subscribe(filters, { qos: 1 }, (error) => {
        if (!(error instanceof Error)) resolve();
        else reject(new SealcamError('broker-unreachable', `cannot subscribe: ${error.message}`, { cause: error }));
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
    const arrivedMs = this.clock.monotonicMs();
    const isTaken = this.lanes.run(topic, () => {
      this.counters.observe('ingest.queue', (this.clock.monotonicMs() - arrivedMs) / 1000);
      return this.take(topic, payload);
    });
    if (!isTaken) this.counters.add('ingest.overload');
  }

  /** MQTT 5 where the broker speaks it, else 3.1.1; anything else is tried until it answers. */
  private async protocolVersion(signal: AbortSignal): Promise<5 | 4> {
    const { url, username, password, clientId } = this.settings;
    for (;;) {
      const answer = await new Promise<'yes' | 'no' | 'silent'>((resolve) => {
        const probe = mqtt.connect(url, {
          ...{ clientId: `${clientId}-probe`, protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 5000 },
          ...(username === undefined ? {} : { username }),
          ...(password === undefined ? {} : { password }),
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
      if (answer === 'yes') return 5;
      if (answer === 'no') return 4;
      if (signal.aborted) throw new SealcamError('broker-unreachable', `${url} does not answer`);
      this.log.warn({ code: 'broker-unreachable' }, 'the broker does not answer; trying again');
      await sleep(this.clock, RECONNECT_MS, signal);
    }
  }
}
