import mqtt, { type MqttClient } from 'mqtt';
import type { Clock } from '../../../common/clock.js';
import { equal, toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import { receiptKind } from '../../../protocol/objects/receipt.js';
import type { SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { decodeDown, encodeUp } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { limitMs } from '../../support/runner/speed.js';
import { pictured } from '../common/pictured.js';
import { realRandom } from '../../../common/adapters/real-random.js';

export interface LoadSettings {
  readonly brokerPort: number;
  readonly protocol: 4 | 5;
  readonly records: number;
  /** Public receipt keys of the cloud, named in the claims. */
  readonly receiptKeys: readonly Uint8Array[];
  /** Wait before a record without a receipt is sent again; doubles each time. An agent waits at least a minute. */
  readonly resendMs: number;
  /** Between two records of a camera; 0 sends as fast as receipts come. */
  readonly everyMs: number;
}

interface Outgoing {
  readonly record: Verified<SealcamRecord>;
  readonly payload: Uint8Array;
  sentAtMs: number | null;
  /** How often it was sent again. */
  resends: number;
  isReceipted: boolean;
}

/** The same as an agent's. */
const IN_FLIGHT_MAX = 8;
/** Every fourth record has a picture. */
const PICTURE_EVERY = 4;
const RECONNECT_MS = 1000;
const CONNECT_TIMEOUT_MS = 5000;
const WINDOW_MAX_MS = 30_000;
const RESEND_MAX_MS = 60_000;

/**
 * A camera that signs its records in advance, then follows the protocol: sends, waits for signed receipts, sends again.
 */
export class LoadCamera {
  readonly world = new CameraWorld();
  /** The accept and the records, by seq. */
  readonly outgoing: Outgoing[] = [];
  resent = 0;
  /** Subscriptions that the broker refused; the camera then reconnects. */
  refused = 0;
  /** Receipt ranges that do not match this camera's records. */
  strange = 0;
  private readonly settings: LoadSettings;
  private readonly clock: Clock;
  private readonly onReceipt: (count: number) => void;
  private client: MqttClient | null = null;
  private isSubscribed = false;
  private windowMs = RECONNECT_MS;
  /** Null until then, while only the accept may be sent. */
  private startedAtMs: number | null = null;

  constructor(settings: LoadSettings, clock: Clock, onReceipt: (count: number) => void) {
    this.settings = settings;
    this.clock = clock;
    this.onReceipt = onReceipt;
    const { boot } = this.world;
    this.world.time = (monotonicMs) => ({ boot, monotonicMs, wallMs: clock.wallMs(), quality: 'ntp' });
    const claim = this.world.claim(1, null, { receiptKeys: [...settings.receiptKeys] });
    const accept = this.world.record(claim, 0, claim.hash, { kind: 'accept' });
    this.push(accept, encodeUp({ type: 'accept', claim: claim.bytes, record: accept.bytes }));
    for (let seq = 1; seq <= settings.records; seq++) this.sign(claim, seq);
  }

  get waiting(): number {
    return this.outgoing.reduce((sum, { isReceipted }) => sum + (isReceipted ? 0 : 1), 0);
  }

  /** Records that should have been sent by now and have no receipt. */
  get due(): readonly Outgoing[] {
    const nowMs = this.clock.monotonicMs();
    return this.outgoing.filter(({ isReceipted }, seq) => !isReceipted && this.isDue(seq, nowMs));
  }

  /** Whether the cloud has stored the claim. */
  get isClaimed(): boolean {
    return this.outgoing[0]?.isReceipted === true;
  }

  async connect(): Promise<void> {
    const device = toHex(this.world.deviceId);
    const client = mqtt.connect(`mqtt://127.0.0.1:${String(this.settings.brokerPort)}`, {
      clientId: device,
      username: device,
      protocolVersion: this.settings.protocol,
      clean: true,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      queueQoSZero: false,
      connectTimeout: limitMs(CONNECT_TIMEOUT_MS),
    });
    this.client = client;
    client.on('error', () => undefined);
    // The window doubles while the broker is busy, as an agent's does: retries at a fixed second would keep a weak
    // cluster down.
    client.on('close', () => {
      this.windowMs = Math.min(WINDOW_MAX_MS, 2 * this.windowMs);
      client.options.reconnectPeriod = Math.round(this.windowMs * (0.75 + realRandom.uniform() / 2));
    });
    client.on('message', (_, payload) => {
      this.applyReceipt(new Uint8Array(payload));
    });
    await new Promise<void>((resolve) => {
      client.on('connect', () => {
        this.isSubscribed = false;
        client.subscribe(topicOf(this.world.deviceId, 'down'), { qos: 1 }, (error) => {
          if (error === null) {
            this.isSubscribed = true;
            this.windowMs = RECONNECT_MS;
            resolve();
          } else {
            // As an agent does: a connection on which no receipts arrive is useless.
            this.refused++;
            client.stream.destroy();
          }
        });
      });
    });
  }

  /** From now on the records become due. Not before every worker can know the claim: one that does not refuses them with an alarm. */
  start(): void {
    this.startedAtMs = this.clock.monotonicMs();
  }

  /** Sends what is due, from the accept on. Has to be called every few milliseconds. */
  turn(): void {
    const nowMs = this.clock.monotonicMs();
    const { resendMs } = this.settings;
    let inFlight = 0;
    for (const [seq, one] of this.outgoing.entries()) {
      if (one.isReceipted) continue;
      if (inFlight >= IN_FLIGHT_MAX || !this.isDue(seq, nowMs)) return;
      inFlight++;
      if (one.sentAtMs === null) this.send(one);
      else if (nowMs - one.sentAtMs > Math.min(RESEND_MAX_MS, resendMs * 2 ** one.resends) && this.send(one)) {
        one.resends++;
        this.resent++;
      }
    }
  }

  async stop(): Promise<void> {
    await this.client?.endAsync(true);
  }

  private isDue(seq: number, nowMs: number): boolean {
    if (seq === 0) return true;
    return this.startedAtMs !== null && nowMs >= this.startedAtMs + this.settings.everyMs * seq;
  }

  private sign(claim: Verified<Claim>, seq: number): void {
    const prev = this.outgoing[seq - 1]?.record.hash ?? null;
    if (seq % PICTURE_EVERY !== 0) {
      const record = this.world.record(claim, seq, prev, { kind: 'scene', scene: { class: 'stall' } });
      this.push(record, encodeUp({ type: 'records', records: [{ record: record.bytes, media: [] }] }));
      return;
    }
    const { record, media } = pictured(this.world, claim, seq, prev);
    const sealed = media.map((one) => one.sealed);
    this.push(record, encodeUp({ type: 'records', records: [{ record: record.bytes, media: sealed }] }));
  }

  private push(record: Verified<SealcamRecord>, payload: Uint8Array): void {
    this.outgoing.push({ record, payload, sentAtMs: null, resends: 0, isReceipted: false });
  }

  private send(one: Outgoing): boolean {
    if (!this.isSubscribed || this.client?.connected !== true) return false;
    one.sentAtMs = this.clock.monotonicMs();
    this.client.publish(topicOf(this.world.deviceId, 'up'), Buffer.from(one.payload), { qos: 1 }, () => undefined);
    return true;
  }

  private applyReceipt(payload: Uint8Array): void {
    const message = decodeDown(payload);
    if (message.type !== 'receipt') return;
    const { value } = openSigned(receiptKind, nodeSuite, message.receipt);
    let count = 0;
    for (const [from, to, hash] of value.ranges) {
      const last = this.outgoing[to];
      if (last === undefined || !equal(last.record.hash, hash) || !equal(value.device, this.world.deviceId)) {
        this.strange++;
        continue;
      }
      for (const one of this.outgoing.slice(from, to + 1)) {
        if (!one.isReceipted) count++;
        one.isReceipted = true;
      }
    }
    if (count > 0) {
      this.onReceipt(count);
      this.turn();
    }
  }
}
