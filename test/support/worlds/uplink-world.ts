import { silentLog } from '../../../common/log.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { toHex } from '../../../common/bytes.js';
import { Counters } from '../../../common/counters.js';
import { mqttSocket, type MqttSettings } from '../../../agent/uplink/mqtt-socket.js';
import { Downlink } from '../../../agent/uplink/downlink.js';
import { Uplink, type UplinkDependencies } from '../../../agent/uplink/uplink.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { decodeUp, encodeDown, encodeStatus } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import type { PersistedUplink } from '../../../agent/uplink/machine.js';
import { recordKind } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import type { Packet } from 'mqtt-packet';
import { afterThisTest } from '../runner/after-test.js';
import { CameraWorld } from './camera-world.js';
import { close, open, type Opened } from './outbox-world.js';
import { GOOD, type StubAnswers, type StubPeer } from '../engines/stub-broker.js';
import { tempFolder } from '../runner/temp.js';
import { testLog, type LogEntry } from './test-agent.js';
import { until } from '../runner/wait.js';
import { VirtualClock } from '../runner/virtual-clock.js';

export const WINDOW_MS = 300_000;
export const CONNECT_TIMEOUT_MS = 20_000;
export const ACK_TIMEOUT_MS = 15_000;
/** A backlog bucket that starts empty has its first token after this. */
const FIRST_TOKEN_MS = 120_000;
const DRAIN_INTERVAL_MS = 10;

/** The agent's uplink with an outbox on disk and real sockets. Its timers move only when a test advances the clock. */
export class UplinkWorld {
  readonly world = new CameraWorld();
  readonly clock = new VirtualClock();
  readonly log: LogEntry[] = [];
  readonly queue: Opened;
  readonly uplink: Uplink;
  readonly device: string;
  kept: PersistedUplink | null = null;
  private readonly claim = this.world.claim();

  constructor(url: string, change: Partial<MqttSettings> = {}, deps: Partial<UplinkDependencies> = {}) {
    const { world, clock } = this;
    this.queue = open(world, tempFolder());
    const { outbox, mirror } = this.queue;
    // Claimed, and the accept receipted: without its receipt it would leave before everything else.
    const accept = outbox.beginEpoch(this.claim, world.time(0));
    outbox.applyReceipt(world.receipt(this.claim, [[0, 0, accept.hash]]), world.time(0));
    this.device = toHex(world.deviceId);
    const downlink = new Downlink({
      suite: nodeSuite,
      outbox,
      counters: new Counters(),
      log: silentLog,
      now: () => world.time(0),
      onReceipt: (receipt) => {
        this.uplink.receiptApplied(receipt);
      },
      onClaim: () => undefined,
      onOfferRequest: () => undefined,
      onCommand: () => undefined,
    });
    this.uplink = new Uplink({
      clock,
      outbox,
      mirror,
      random: seededRandom(7),
      boot: 'boot',
      device: world.deviceId,
      agentVersion: 'test',
      settings: { initialWindowMs: WINDOW_MS, connectTimeoutMs: CONNECT_TIMEOUT_MS, ackTimeoutMs: ACK_TIMEOUT_MS },
      store: {
        load: () => this.kept,
        save: (state) => {
          this.kept = state;
        },
      },
      openSocket: mqttSocket({
        url,
        device: this.device,
        keepAliveMs: 1000,
        password: undefined,
        ca: undefined,
        cert: undefined,
        key: undefined,
        will: { topic: topicOf(world.deviceId, 'status'), payload: encodeStatus({ online: false, agent: 'test' }) },
        ...change,
      }),
      onMessage: (payload) => {
        downlink.handleMessage(payload);
      },
      onConnected: () => undefined,
      log: testLog(this.log),
      ...deps,
    });
    afterThisTest(() => {
      this.uplink.stop();
      close(this.queue);
    });
  }

  get phase(): string {
    return this.uplink.status().phase;
  }

  /** Returns the error codes in the log, in order. */
  codes(): string[] {
    return this.log.flatMap(({ code }) => (typeof code === 'string' ? [code] : []));
  }

  /** Appends records to the outbox, and notifies the uplink. */
  append(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.queue.outbox.append({ kind: 'scene', time: this.world.time(i), scene: { class: 'stall' } });
      this.uplink.recordsAppended(1);
    }
  }

  /** Advances the clock to the next attempt, which starts. */
  passWait(): void {
    if (this.phase === 'boot') this.uplink.start();
    this.clock.advance(this.uplink.status().nextAttemptMs ?? 0);
  }

  /** Advances the clock until everything is receipted. The broker must answer with {@link receipting}. */
  async drain(): Promise<void> {
    // The first record of the backlog leaves after two minutes, the rest at the pace of the receipts.
    this.clock.advance(FIRST_TOKEN_MS);
    await until('everything is receipted', () => {
      this.clock.advance(DRAIN_INTERVAL_MS);
      return this.queue.outbox.queued().records === 0;
    });
  }

  /** Adds to a broker's answers a cloud that signs a receipt for each record. */
  receipting(answers: StubAnswers = GOOD): StubAnswers {
    return {
      ...answers,
      publish: (peer, packet) => {
        answers.publish?.(peer, packet);
        if (packet.cmd === 'publish' && packet.topic.endsWith('/up')) this.sendReceipt(peer, packet);
      },
    };
  }

  private sendReceipt(peer: StubPeer, packet: Packet): void {
    if (packet.cmd !== 'publish' || typeof packet.payload === 'string') return;
    const message = decodeUp(new Uint8Array(packet.payload));
    const records =
      message.type === 'records'
        ? message.records.map(({ record }) => record)
        : message.type === 'accept'
          ? [message.record]
          : [];
    const ranges = records
      .map((bytes) => openSigned(recordKind, nodeSuite, bytes))
      .map(({ value, hash }): [number, number, Uint8Array] => [value.seq, value.seq, hash]);
    const pacing = { drainIntervalMs: DRAIN_INTERVAL_MS, issuedAtMs: 1 };
    const receipt = this.world.receipt(this.claim, ranges, { pacing }).bytes;
    peer.send({
      cmd: 'publish',
      qos: 0,
      dup: false,
      retain: false,
      topic: topicOf(this.world.deviceId, 'down'),
      payload: Buffer.from(encodeDown({ type: 'receipt', receipt })),
    });
  }
}
