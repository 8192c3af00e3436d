import { Socket } from 'node:net';
import { mqtt, type MqttClient } from './mqtt-client.js';
import { toHex } from '../../common/bytes.js';
import { atMost, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { parseTopic, topicFilter } from '../../protocol/transport/topics.js';
import { FaultLog } from '../alarms/fault-log.js';
import { brokerFault, subscriptionFault, takeoverFault } from './broker-fault.js';
import { BrokerNodes, nameOf, type BrokerNode, type BrokerSettings } from './broker-nodes.js';
import type { CameraMessage } from './ingest.js';
import { Lanes } from './lanes.js';

export interface FeedSettings extends BrokerSettings {
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

/** How long the broker holds a kept session. */
const SESSION_EXPIRY_S = 7 * 24 * 3600;
const STOP_TIMEOUT_MS = 2000;
/** Reason of an MQTT 5 DISCONNECT (§3.14.2.1). */
const SESSION_TAKEN_OVER = 142;
const SHORT_CONNECTION_MS = 15_000;
const SHORT_CONNECTIONS_IN_ROW = 3;

export interface FeedDependencies {
  /** Handles messages of one camera that waited; its next ones wait until it is done. Must not reject. */
  readonly onMessages: (messages: readonly CameraMessage[]) => Promise<void>;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Resolves in a later turn of the event loop. Omitted, one busy camera may hold up the others on a store that never waits. */
  readonly nextTurn?: () => Promise<void>;
  /** Busy cameras that are handled at the same time: more than the default for a store that handles several. */
  readonly busyAtOnceMax?: number;
}

interface Arrived extends CameraMessage {
  readonly arrivedMs: number;
}

/** Returns the part of a topic that names the camera; the whole topic where it is not a camera's. */
function cameraOf(topic: string): string {
  try {
    return toHex(parseTopic(topic).device);
  } catch {
    return topic;
  }
}

/** The cloud's connection to the broker: hands messages to ingest, in order per topic, and publishes receipts. */
export class MqttFeed {
  private readonly settings: FeedSettings;
  private readonly deps: FeedDependencies;
  private readonly nodes: BrokerNodes;
  private readonly lanes: Lanes<Arrived>;
  private readonly faults: FaultLog;
  private client: MqttClient | null = null;
  private isSubscribed = false;
  private isCorked = false;
  private isStopping = false;
  private lastFault: SealcamError | null = null;

  constructor(settings: FeedSettings, deps: FeedDependencies) {
    this.settings = settings;
    this.deps = deps;
    this.faults = new FaultLog(deps.clock, deps.log);
    this.nodes = new BrokerNodes(settings, deps.clock);
    const { clock, nextTurn, busyAtOnceMax } = deps;
    this.lanes = new Lanes(
      (messages) => this.handle(messages),
      clock,
      busyAtOnceMax === undefined ? {} : { busyAtOnceMax },
      nextTurn,
    );
  }

  /** Whether the broker granted the subscriptions of the present connection. */
  get isReceiving(): boolean {
    return this.isSubscribed && this.isConnected;
  }

  /** Why no messages arrive at present; null while they do, or before the first answer. */
  get fault(): string | null {
    return this.isReceiving ? null : (this.lastFault?.message ?? null);
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
   * Connects; resolves once the broker granted the subscriptions. Tries until then, and logs why it does not work.
   *
   * @throws SealcamError `broker-unreachable` where the signal ended it
   */
  async start(signal: AbortSignal): Promise<void> {
    const { clientId, group, username = '', isKept = false } = this.settings;
    const node = await this.findNode(signal);
    const { url, version } = node;
    const client = mqtt.connect({
      ...this.nodes.optionsFor(node),
      clientId,
      clean: !isKept,
      ...(isKept && version === 5 ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_S } } : {}),
    });
    this.client = client;
    const name = nameOf(url);
    client.on('message', (topic, payload) => {
      this.enqueue(topic, new Uint8Array(payload));
    });
    client.on('packetreceive', () => {
      this.corkForTurn(client);
    });
    client.on('error', (error) => {
      this.noteFault(brokerFault(name, username, error));
    });
    client.on('disconnect', ({ reasonCode }) => {
      if (reasonCode === SESSION_TAKEN_OVER) this.noteFault(takeoverFault(name, clientId));
    });
    this.watchTakeovers(client, name);
    const filters = [topicFilter('up', group), topicFilter('status', group)];
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(stopped());
      });
      // Subscribes at each connection. The library would not look at the answer: a cluster that has just lost a node may
      // refuse, and a worker without a subscription would wait for ever.
      client.on('connect', () => {
        // A receipt follows an acknowledgement at once: without this it waits until the broker confirms that, for 40 ms.
        if (client.stream instanceof Socket) client.stream.setNoDelay(true);
        client.subscribe(filters, { qos: 1 }, (error) => {
          if (!(error instanceof Error)) {
            this.isSubscribed = true;
            this.lastFault = null;
            resolve();
            return;
          }
          // The library's error carries the SUBACK where there was one; otherwise the connection ended before it.
          if (!('packet' in error) || error.packet === undefined) return;
          this.deps.counters.add('mqtt.subscription-refused');
          this.noteFault(subscriptionFault(name, username, filters));
          client.stream.destroy();
        });
      });
    });
  }

  /**
   * MQTT 3.1.1 does not say why a connection is closed. Several in a row that end soon after they were made are what two
   * clients with one id do to each other.
   */
  private watchTakeovers(client: MqttClient, name: string): void {
    const { clock } = this.deps;
    let connectedMs: number | null = null;
    let shortInRow = 0;
    client.on('connect', () => {
      connectedMs = clock.monotonicMs();
    });
    client.on('close', () => {
      const wasSubscribed = this.isSubscribed;
      this.isSubscribed = false;
      if (connectedMs === null || this.client === null) return;
      shortInRow = wasSubscribed && clock.monotonicMs() - connectedMs < SHORT_CONNECTION_MS ? shortInRow + 1 : 0;
      connectedMs = null;
      if (shortInRow >= SHORT_CONNECTIONS_IN_ROW) this.noteFault(takeoverFault(name, this.settings.clientId));
      else if (this.lastFault === null) this.noteFault(lostFault(name));
    });
  }

  /** Publishes with QoS 1; a message that cannot be sent is only counted, since a camera that gets no receipt sends again. */
  publish(topic: string, payload: Uint8Array): void {
    if (this.client !== null) this.corkForTurn(this.client);
    this.client?.publish(topic, Buffer.from(payload), { qos: 1, retain: false }, (error) => {
      if (error instanceof Error) this.deps.counters.add('down.unsent');
    });
  }

  /** Lets acknowledgements and receipts of one turn leave in one write: each write costs as much as a signature. */
  private corkForTurn({ stream }: MqttClient): void {
    const { nextTurn } = this.deps;
    if (this.isCorked || nextTurn === undefined) return;
    this.isCorked = true;
    stream.cork();
    void nextTurn().then(() => {
      this.isCorked = false;
      stream.uncork();
    });
  }

  async stop(): Promise<void> {
    const { client } = this;
    this.client = null;
    this.isStopping = true;
    await atMost(this.deps.clock, STOP_TIMEOUT_MS, this.lanes.idle());
    if (client === null) return;
    // A graceful end waits for acknowledgements, which a broker that has gone away never sends.
    const isGone = !client.connected;
    if (isGone || !(await atMost(this.deps.clock, STOP_TIMEOUT_MS, client.endAsync(false)))) client.end(true);
  }

  private enqueue(topic: string, payload: Uint8Array): void {
    // What comes now gets no receipt, and its camera sends it again: the store closes next.
    if (this.isStopping || !this.isOurs(topic)) return;
    const arrivedMs = this.deps.clock.monotonicMs();
    const admission = this.lanes.run(cameraOf(topic), payload.length, { topic, payload, arrivedMs });
    if (admission === 'full') this.deps.counters.add('ingest.overload');
    else if (admission === 'camera-full') this.deps.counters.add('ingest.camera-overload');
  }

  private handle(messages: readonly Arrived[]): Promise<void> {
    const { clock, counters, onMessages } = this.deps;
    for (const { arrivedMs } of messages) counters.observe('ingest.queue', (clock.monotonicMs() - arrivedMs) / 1000);
    return onMessages(messages);
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

  private async findNode(signal: AbortSignal): Promise<BrokerNode> {
    const node = await this.nodes.find(this.settings.clientId, signal, (fault) => {
      this.noteFault(fault);
    });
    if (node === null) throw stopped();
    return node;
  }

  /** Keeps why there are no messages at present, and logs it: one line a minute for each fault. */
  private noteFault(fault: SealcamError): void {
    this.lastFault = fault;
    this.faults.error(fault.code, { hint: fault.hint }, fault.message, fault.message);
  }
}

function lostFault(name: string): SealcamError {
  return new SealcamError('broker-unreachable', `the broker ${name}: the connection was lost; trying again`, {
    hint: 'Check that the broker runs.',
  });
}

function stopped(): SealcamError {
  return new SealcamError('broker-unreachable', 'stopped before the broker granted the subscriptions');
}
