import { silentLog } from '../../../common/log.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { toHex } from '../../../common/bytes.js';
import { Counters } from '../../../common/counters.js';
import { mqttSocket, type MqttSettings } from '../../../agent/uplink/mqtt-socket.js';
import { Downlink } from '../../../agent/uplink/downlink.js';
import type { OpenSocket } from '../../../agent/uplink/socket.js';
import { Uplink, type UplinkDependencies } from '../../../agent/uplink/uplink.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { decodeUp, encodeDown, encodeStatus } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { initialState, persistedOf, type PersistedUplink } from '../../../agent/uplink/machine.js';
import { recordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import type { Packet } from 'mqtt-packet';
import { afterThisTest } from '../runner/after-test.js';
import { CameraWorld } from './camera-world.js';
import { close, motion, open, picture, type Opened } from './outbox-world.js';
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
  readonly counters = new Counters();
  readonly queue: Opened;
  readonly uplink: Uplink;
  readonly device: string;
  kept: PersistedUplink | null = null;
  /** What the cloud received, in order, and the media that signed losses named. */
  readonly received: { readonly seq: number; readonly kind: string; readonly isWhole: boolean }[] = [];
  private readonly lostMedia = new Set<string>();
  private unanswered = 0;
  private readonly claim = this.world.claim();

  constructor(
    url: string,
    change: Partial<MqttSettings> = {},
    deps: Partial<UplinkDependencies> = {},
    protocol: 5 | 4 = 5,
  ) {
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
    if (protocol === 4)
      this.kept = { ...persistedOf(initialState({ initialWindowMs: WINDOW_MS, connectTimeoutMs: 1 }), ''), protocol };
    this.uplink = new Uplink({
      clock,
      outbox,
      mirror,
      random: seededRandom(7),
      boot: 'boot',
      device: world.deviceId,
      agentVersion: 'test',
      settings: {
        initialWindowMs: WINDOW_MS,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        ackTimeoutMs: ACK_TIMEOUT_MS,
        oversizeHoldMs: 24 * 3_600_000,
      },
      counters: this.counters,
      store: {
        load: () => this.kept,
        save: (state) => {
          this.kept = state;
        },
      },
      openSocket: this.counting(
        mqttSocket({
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
      ),
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

  /** Waits until the broker's answers to all publishes have arrived: a clock that jumps would time them out. */
  async waitForAnswers(): Promise<void> {
    await until('every publish is answered', () => this.unanswered === 0);
  }

  /** Lets this much time pass, so that what is sent meanwhile has its answer in time. */
  async pass(ms: number): Promise<void> {
    const stepMs = ACK_TIMEOUT_MS / 2;
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      await this.waitForAnswers();
      this.clock.advance(Math.min(stepMs, leftMs));
    }
    await this.waitForAnswers();
  }

  private counting(open: OpenSocket): OpenSocket {
    return (protocol, handlers) => {
      const socket = open(protocol, handlers);
      const publish = socket.publish.bind(socket);
      socket.publish = (topic, payload) => {
        this.unanswered++;
        return publish(topic, payload).finally(() => {
          this.unanswered--;
        });
      };
      return socket;
    };
  }

  /** Appends an event with a picture, whose sealed body has this many bytes. Returns its seq. */
  appendPicture(bytes: number): number {
    const { seq } = motion(this.world, this.queue.outbox, 1, [picture(bytes)]).value;
    this.uplink.recordsAppended(1);
    return seq;
  }

  /** Appends a gap that names what was lost, as the agent does every ten seconds. Returns its losses. */
  flushLosses(): NonNullable<AnyRecord['loss']> {
    const gap = this.queue.outbox.flushLosses(this.world.time(2));
    if (gap !== null) this.uplink.recordsAppended(1);
    return gap?.value.loss ?? [];
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

  /**
   * Returns what the cloud answers to a message: a receipt for each record that is there with its media, or whose missing
   * media a signed loss names. Null if it sends nothing.
   */
  answerOf(payload: Uint8Array): Uint8Array | null {
    const message = decodeUp(payload);
    if (message.type === 'offer') return null;
    const sent = message.type === 'records' ? message.records : [{ record: message.record, media: [] }];
    const ranges: [number, number, Uint8Array][] = [];
    for (const { record, media } of sent) {
      const { value, hash } = openSigned(recordKind, nodeSuite, record);
      for (const { media: lost = [] } of value.loss ?? []) for (const id of lost) this.lostMedia.add(toHex(id));
      this.received.push({ seq: value.seq, kind: value.kind, isWhole: !media.includes(null) });
      const isComplete = (value.media ?? []).every(({ id }, i) => media[i] !== null || this.lostMedia.has(toHex(id)));
      if (isComplete) ranges.push([value.seq, value.seq, hash]);
    }
    if (ranges.length === 0) return null;
    const pacing = { drainIntervalMs: DRAIN_INTERVAL_MS, issuedAtMs: 1 };
    return encodeDown({ type: 'receipt', receipt: this.world.receipt(this.claim, ranges, { pacing }).bytes });
  }

  private sendReceipt(peer: StubPeer, packet: Packet): void {
    if (packet.cmd !== 'publish' || typeof packet.payload === 'string') return;
    const answer = this.answerOf(new Uint8Array(packet.payload));
    if (answer === null) return;
    const topic = topicOf(this.world.deviceId, 'down');
    peer.send({ cmd: 'publish', qos: 0, dup: false, retain: false, topic, payload: Buffer.from(answer) });
  }
}
