import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { Counters } from '../../../../common/counters.js';
import { toHex } from '../../../../common/bytes.js';
import { silentLog } from '../../../../common/log.js';
import { VERSION } from '../../../../common/version.js';
import { noteOwnership } from '../../../../agent/outbox/published.js';
import { Downlink } from '../../../../agent/uplink/downlink.js';
import type { PersistedUplink } from '../../../../agent/uplink/machine.js';
import { mqttSocket } from '../../../../agent/uplink/mqtt-socket.js';
import { Uplink } from '../../../../agent/uplink/uplink.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { encodeStatus } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import type { CameraWorld } from '../../../support/worlds/camera-world.js';
import { close, motion, open, type Opened } from '../../../support/worlds/outbox-world.js';
import type { CameraReport } from '../../drill/fleet-process.js';

export interface SocketSettings {
  readonly folder: string;
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly windowMs: number;
}

const KEEP_ALIVE_MS = 300_000;
const TIMEOUT_MS = 60_000;

/**
 * A camera without a lens: the agent's outbox and uplink over a real socket. Its owner claims it when it first
 * connects.
 */
export class SocketCamera {
  /** Wall-clock times of its connection attempts and of its connections: one clock for all processes of a machine. */
  readonly attempts: number[] = [];
  readonly returns: number[] = [];
  private readonly world: CameraWorld;
  private readonly opened: Opened;
  private readonly uplink: Uplink;
  private readonly startedAtMs = realClock.monotonicMs();

  constructor(world: CameraWorld, settings: SocketSettings) {
    this.world = world;
    const device = toHex(world.deviceId);
    const folder = join(settings.folder, device);
    mkdirSync(folder);
    this.opened = open(world, folder);
    const { outbox, mirror } = this.opened;
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
    const openSocket = mqttSocket({
      url: settings.url,
      ca: settings.ca,
      cert: settings.cert,
      key: settings.key,
      password: undefined,
      device,
      keepAliveMs: KEEP_ALIVE_MS,
      will: { topic: topicOf(world.deviceId, 'status'), payload: encodeStatus({ online: false, agent: VERSION }) },
    });
    let kept: PersistedUplink | null = null;
    this.uplink = new Uplink({
      settings: {
        initialWindowMs: settings.windowMs,
        connectTimeoutMs: 20_000,
        ackTimeoutMs: TIMEOUT_MS,
        oversizeHoldMs: 24 * 3_600_000,
      },
      counters: new Counters(),
      clock: realClock,
      random: realRandom,
      boot: toHex(world.boot),
      device: world.deviceId,
      agentVersion: VERSION,
      outbox,
      mirror,
      log: silentLog,
      store: {
        load: () => kept,
        save: (state) => {
          kept = state;
        },
      },
      openSocket: (protocol, handlers) => {
        this.attempts.push(Date.now());
        return openSocket(protocol, handlers);
      },
      onMessage: (payload) => {
        downlink.handleMessage(payload);
      },
      onConnected: () => {
        this.returns.push(Date.now());
        if (outbox.currentClaim() === null) this.claim();
      },
    });
  }

  start(): void {
    this.uplink.start();
  }

  forgetTimes(): void {
    this.attempts.length = 0;
    this.returns.length = 0;
  }

  /** Records one event, which is published, or waits in the outbox. */
  produce(): void {
    motion(this.world, this.opened.outbox, Math.round(realClock.monotonicMs() - this.startedAtMs));
    this.uplink.recordsAppended(1);
  }

  get isConnected(): boolean {
    return this.uplink.isConnected;
  }

  get queued(): number {
    return this.opened.outbox.queued().records;
  }

  report(): CameraReport & { readonly account: string } {
    const { outbox } = this.opened;
    return {
      device: toHex(this.world.deviceId),
      account: toHex(this.world.account),
      isConnected: this.isConnected,
      totals: outbox.totals(),
      events: { started: 0, ended: 0 },
      filming: 0,
      segments: outbox.segmentTotals(),
      waiting: outbox.read({ epoch: 0, seq: -1 }, 1000).map(({ seq }) => seq),
    };
  }

  stop(): void {
    this.uplink.stop();
    close(this.opened);
  }

  private claim(): void {
    const { outbox, mirror } = this.opened;
    outbox.beginEpoch(this.world.claim(), this.world.time(0));
    noteOwnership(outbox, mirror);
    this.uplink.recordsAppended(1);
  }
}
