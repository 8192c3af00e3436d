import { Socket } from 'node:net';
import { mqtt, type MqttClient } from './mqtt-client.js';
import { toHex } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import { decodeLive } from '../../protocol/transport/live.js';
import { topicOf } from '../../protocol/transport/topics.js';
import { FaultLog } from '../alarms/fault-log.js';
import { brokerFault, subscriptionFault } from './broker-fault.js';
import { BrokerNodes, nameOf, RECONNECT_INTERVAL_MS, type BrokerNode } from './broker-nodes.js';
import type { FeedSettings } from './mqtt-feed.js';

/** A live message as the camera published it, and what a relay needs to know of it. */
export interface RelayedMessage {
  readonly n: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

export interface LiveFeedDependencies {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

/** How long a viewer waits for the broker to grant the subscription. */
const GRANT_TIMEOUT_MS = 10_000;
/** How long the connection stays after the last viewer left, so that the next one need not wait for it. */
const LINGER_MS = 30_000;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: SealcamError) => void;
}

/** One camera that somebody looks at: one subscription, however many look. */
interface Camera {
  readonly topic: string;
  /** Receivers of the messages, by the hex of the session id. */
  readonly receivers: Map<string, (message: RelayedMessage) => void>;
  readonly waiting: Set<Waiting>;
  isGranted: boolean;
}

/** The connection of the moment. */
interface Link {
  readonly closing: AbortController;
  client: MqttClient | null;
  /** Whether it ever was connected. */
  hasWorked: boolean;
}

/**
 * Live messages of the cameras that somebody looks at through this process, by a connection to the broker of their own: ingest,
 * whose session may be a kept one, has none of their traffic. It is opened for the first viewer and closed some time after the
 * last.
 */
export class LiveFeed {
  private readonly settings: FeedSettings;
  private readonly deps: LiveFeedDependencies;
  private readonly nodes: BrokerNodes;
  private readonly faults: FaultLog;
  private readonly cameras = new Map<string, Camera>();
  private link: Link | null = null;
  /** The node that answered last. Asking which version it speaks costs a connection. */
  private node: BrokerNode | null = null;
  private cancelClosing: CancelTimer = () => undefined;

  constructor(settings: FeedSettings, deps: LiveFeedDependencies) {
    this.settings = settings;
    this.deps = deps;
    this.nodes = new BrokerNodes(settings, deps.clock);
    this.faults = new FaultLog(deps.clock, deps.log);
  }

  /** Looks that are open. */
  get count(): number {
    let count = 0;
    for (const { receivers } of this.cameras.values()) count += receivers.size;
    return count;
  }

  /** Whether there is a connection, also one that is still being made. */
  get isOpen(): boolean {
    return this.link !== null;
  }

  /**
   * Passes on the messages of one look. Resolves once the broker granted the subscription, with the function that ends it.
   *
   * @throws SealcamError `request-invalid` for a session id that is in use; `broker-unreachable`
   */
  async subscribe(
    device: Uint8Array,
    session: Uint8Array,
    receive: (message: RelayedMessage) => void,
  ): Promise<() => void> {
    const topic = topicOf(device, 'live');
    const name = toHex(session);
    const camera: Camera = this.cameras.get(topic) ?? {
      topic,
      receivers: new Map(),
      waiting: new Set(),
      isGranted: false,
    };
    if (camera.receivers.has(name)) {
      throw new SealcamError('request-invalid', 'this session id is in use', {
        hint: 'Sign an order with a new session id.',
      });
    }
    camera.receivers.set(name, receive);
    const isNew = !this.cameras.has(topic);
    this.cameras.set(topic, camera);
    this.cancelClosing();
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.release(camera, name);
    };
    if (this.link === null) this.link = this.open();
    else if (isNew) this.ask(this.link, camera);
    try {
      await this.granted(camera);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Ends the connection, also while somebody looks. */
  stop(): void {
    this.cancelClosing();
    this.close();
    for (const { waiting } of this.cameras.values()) for (const { reject } of [...waiting]) reject(unavailable());
    this.cameras.clear();
  }

  private release(camera: Camera, name: string): void {
    const { clock } = this.deps;
    camera.receivers.delete(name);
    if (camera.receivers.size > 0 || this.cameras.get(camera.topic) !== camera) return;
    this.cameras.delete(camera.topic);
    if (camera.isGranted) this.link?.client?.unsubscribe(camera.topic);
    if (this.cameras.size > 0) return;
    this.cancelClosing();
    this.cancelClosing = clock.after(LINGER_MS, () => {
      this.close();
    });
  }

  private close(): void {
    const { link } = this;
    this.link = null;
    link?.closing.abort();
    link?.client?.end(true);
  }

  private async granted(camera: Camera): Promise<void> {
    if (camera.isGranted) return;
    let remove = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const waiting: Waiting = { resolve, reject };
        const cancel = this.deps.clock.after(GRANT_TIMEOUT_MS, () => {
          this.forgetUnlessWorking();
          reject(unavailable());
        });
        camera.waiting.add(waiting);
        remove = () => {
          cancel();
          camera.waiting.delete(waiting);
        };
      });
    } finally {
      remove();
    }
  }

  /** A node that was replaced may speak another version: the next attempt asks again. */
  private forgetUnlessWorking(): void {
    if (this.link?.hasWorked !== false) return;
    this.node = null;
    this.close();
    this.link = this.open();
  }

  private open(): Link {
    const link: Link = { closing: new AbortController(), client: null, hasWorked: false };
    void this.connect(link).catch((error: unknown) => {
      this.noteFault(asSealcamError(error));
    });
    return link;
  }

  private async connect(link: Link): Promise<void> {
    const { signal } = link.closing;
    const { username = '' } = this.settings;
    // A client id of its own: with that of ingest, each connection would end the other.
    const clientId = `${this.settings.clientId}-live`;
    const node =
      this.node ??
      (await this.nodes.find(clientId, signal, (fault) => {
        this.noteFault(fault);
      }));
    if (node === null || signal.aborted) return;
    this.node = node;
    const client = mqtt.connect({ ...this.nodes.optionsFor(node), clientId, clean: true });
    link.client = client;
    const name = nameOf(node.url);
    client.on('error', (error) => {
      this.noteFault(brokerFault(name, username, error));
    });
    client.on('message', (topic, payload) => {
      this.pass(topic, payload);
    });
    client.on('connect', () => {
      link.hasWorked = true;
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      for (const camera of this.cameras.values()) this.ask(link, camera);
    });
    client.on('close', () => {
      for (const camera of this.cameras.values()) camera.isGranted = false;
    });
  }

  /** Subscribes to a camera, and again after a while where the broker refuses: a cluster that has just lost a node may. */
  private ask(link: Link, camera: Camera): void {
    const { client } = link;
    // A connection that is not there yet asks for all cameras once it is.
    if (client?.connected !== true) return;
    client.subscribe(camera.topic, { qos: 0 }, (error) => {
      if (this.link !== link) return;
      if (this.cameras.get(camera.topic) !== camera) {
        // Its viewer left before the answer came.
        if (!this.cameras.has(camera.topic) && !(error instanceof Error)) client.unsubscribe(camera.topic);
        return;
      }
      if (!(error instanceof Error)) {
        camera.isGranted = true;
        for (const { resolve } of [...camera.waiting]) resolve();
        return;
      }
      // The library's error carries the SUBACK where there was one; otherwise the connection ended before it.
      if (!('packet' in error) || error.packet === undefined) return;
      this.deps.counters.add('looks.subscription-refused');
      const { url, username = '' } = this.settings;
      this.noteFault(subscriptionFault(nameOf(this.node?.url ?? url), username, [camera.topic]));
      for (const { reject } of [...camera.waiting]) reject(unavailable());
      this.deps.clock.after(RECONNECT_INTERVAL_MS, () => {
        if (this.link === link && this.cameras.get(camera.topic) === camera) this.ask(link, camera);
      });
    });
  }

  private pass(topic: string, payload: Uint8Array): void {
    const camera = this.cameras.get(topic);
    if (camera === undefined) return;
    try {
      const { session, n, flags } = decodeLive(payload);
      camera.receivers.get(toHex(session))?.({ n, flags, payload });
    } catch (error) {
      const { code, message } = asSealcamError(error);
      this.deps.counters.add('looks.malformed');
      this.faults.error(code, { topic }, `a live message was dropped: ${message}`);
    }
  }

  private noteFault(fault: SealcamError): void {
    this.faults.error(fault.code, { hint: fault.hint }, `live views: ${fault.message}`, fault.message);
  }
}

/** What a viewer receives; the log has the reason, which names the broker. */
function unavailable(): SealcamError {
  return new SealcamError('broker-unreachable', 'live views are not available at present', {
    hint: 'Try again in a minute.',
  });
}
