import type { CancelTimer, Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { AnyReceipt } from '../../protocol/objects/receipt.js';
import { encodeStatus } from '../../protocol/transport/messages.js';
import { topicOf } from '../../protocol/transport/topics.js';
import type { Mirror } from '../outbox/mirror.js';
import type { Outbox, Place } from '../outbox/outbox.js';
import { noteBeforePublish } from '../outbox/published.js';
import type { HeldRecord } from './oversize.js';
import { Sender, type Parcel, type SizeLimits } from './sender.js';
import type { PublishResult, UplinkSocket } from './socket.js';

export interface DeliveryDependencies {
  readonly socket: UplinkSocket;
  /** How many unacknowledged publishes the broker accepts. */
  readonly receiveMaximum: number;
  readonly ackTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly device: Uint8Array;
  readonly agentVersion: string;
  readonly outbox: Outbox;
  readonly mirror: Mirror;
  /** Read whenever it is needed: all three change while a connection lasts. */
  readonly pacing: () => DeliveryPacing;
  /** Subscribed, and announced as online: the outbox drains from here on. */
  readonly onReady: () => void;
  /** The connection cannot be used any longer; the callee destroys the socket. */
  readonly onFailed: () => void;
  /** What is known of the broker's limit on the size of a message. */
  readonly sizes: SizeLimits;
  /** A record or its pictures will never leave: a loss is counted, and signed with the next gap. */
  readonly onGivenUp: (record: HeldRecord, what: 'media' | 'record') => void;
  readonly log: Log;
}

export interface DeliveryPacing {
  /** Records that this camera produces per millisecond, on average. */
  readonly ownRate: number;
  readonly windowMs: number;
  readonly drainIntervalMs: number | null;
}

/** Publishes that may wait for the broker's answer, whatever it allows. */
const IN_FLIGHT_MAX = 8;
/** How many of them may be backlog or repeats: on a slow line a live record waits behind all that is in the socket. */
const CATCH_UP_IN_FLIGHT_MAX = 2;
/** Pause after a local failure, such as a full disk, before the connection is given up and made again. */
const LOCAL_FAILURE_PAUSE_MS = 5000;

/**
 * Publishes the outbox over one connection: from the moment the broker accepted it until it ends. Holds nothing that
 * outlives the connection; the next one gets a delivery of its own.
 */
export class Delivery {
  private readonly deps: DeliveryDependencies;
  private readonly inFlightMax: number;
  private readonly catchUpMax: number;
  /** Null until the connection is ready. */
  private sender: Sender | null = null;
  /** Published, without the broker's answer. */
  private readonly inFlight = new Set<Parcel>();
  private catchUpInFlight = 0;
  private isRefusalLogged = false;
  private isStopped = false;
  private cancelPump: CancelTimer = () => undefined;

  constructor(deps: DeliveryDependencies) {
    this.deps = deps;
    this.inFlightMax = Math.min(deps.receiveMaximum, IN_FLIGHT_MAX);
    // One place stays free for a live record, where the broker allows more than one.
    this.catchUpMax = Math.min(CATCH_UP_IN_FLIGHT_MAX, Math.max(1, this.inFlightMax - 1));
  }

  /** Whether the outbox drains over this connection. */
  get isReady(): boolean {
    return this.sender !== null && !this.isStopped;
  }

  /** Number of records that were sent and have no receipt. */
  get waitingForReceipt(): number {
    return this.sender?.waitingForReceipt ?? 0;
  }

  /** Whether a live record waits for the broker's answer. */
  get hasLiveInFlight(): boolean {
    return [...this.inFlight].some(({ isLive }) => isLive);
  }

  /** Whether a record was published over this connection and has no receipt. */
  isOutstanding(place: Place): boolean {
    return this.sender?.isOutstanding(place) === true;
  }

  /** Size of the largest message without an answer; 0 if every one has its own. */
  get largestInFlight(): number {
    return Math.max(0, ...[...this.inFlight].map(({ payload }) => payload.length));
  }

  /** Subscribes, announces the camera as online, then starts to drain the outbox. Never rejects. */
  async start(): Promise<void> {
    const { socket, device, agentVersion, clock, outbox, log } = this.deps;
    try {
      await this.inTime(socket.subscribe(topicOf(device, 'down')));
      const online = encodeStatus({ online: true, agent: agentVersion });
      await this.inTime(socket.publish(topicOf(device, 'status'), online));
    } catch (error) {
      if (this.isStopped) return;
      const { code, message } = asSealcamError(error, 'broker-unreachable');
      log.warn({ code, reason: message }, 'the connection cannot be used');
      this.deps.onFailed();
      return;
    }
    if (this.isStopped) return;
    const { ownRate, drainIntervalMs } = this.deps.pacing();
    this.sender = new Sender(outbox, clock.monotonicMs(), ownRate, drainIntervalMs, this.deps.sizes);
    this.deps.onReady();
    this.pump();
  }

  /** Stops publishing. Answers that still arrive are ignored; the socket is the caller's to end. */
  stop(): void {
    this.isStopped = true;
    this.cancelPump();
  }

  /** Applies a receipt that the outbox has accepted. */
  markReceipted({ epoch, ranges, rejects }: Pick<AnyReceipt, 'epoch' | 'ranges' | 'rejects'>): void {
    for (const [from, to] of ranges) this.sender?.markReceipted(epoch, from, to);
    for (const [seq] of rejects ?? []) this.sender?.markReceipted(epoch, seq, seq);
  }

  /** Applies the minimum time between two backlog records, as set by the cloud. */
  setDrainInterval(intervalMs: number): void {
    this.sender?.setDrainInterval(intervalMs);
  }

  /** Publishes what may leave now, and sets a timer for what may leave later. */
  pump(): void {
    this.cancelPump();
    const { sender } = this;
    if (sender === null || this.isStopped) return;
    const { clock, outbox, mirror, log } = this.deps;
    try {
      this.giveUpExpired(sender);
      while (this.inFlight.size < this.inFlightMax) {
        const parcel = sender.next(clock.monotonicMs(), this.catchUpInFlight >= this.catchUpMax);
        if (parcel === null) break;
        noteBeforePublish(outbox, mirror, parcel.records);
        void this.send(sender, parcel);
      }
    } catch (error) {
      // A record that could not be noted first is not published. The next connection tries again with a new sender.
      const { code, message } = asSealcamError(error);
      log.error({ code, reason: message }, 'cannot publish');
      this.cancelPump = clock.after(LOCAL_FAILURE_PAUSE_MS, this.deps.onFailed);
      return;
    }
    const wakeMs = sender.wakeMs();
    if (this.inFlight.size < this.inFlightMax && Number.isFinite(wakeMs)) {
      this.cancelPump = clock.after(Math.max(1, wakeMs - clock.monotonicMs()), () => {
        this.pump();
      });
    }
  }

  /** Gives up what was too large for the broker for as long as is allowed. */
  private giveUpExpired(sender: Sender): void {
    const { outbox, clock, random, onGivenUp, pacing } = this.deps;
    const nowMs = clock.monotonicMs();
    for (let held = sender.nextExpired(nowMs); held !== null; held = sender.nextExpired(nowMs)) {
      const fitsBare = held.bareBytes < held.wholeBytes && held.bareBytes <= this.deps.sizes.limit.maxBytes(nowMs);
      const what = outbox.giveUp(held, fitsBare ? 'media' : 'record');
      if (what === 'media') sender.markGivenUp(held, nowMs, pacing().windowMs, random.uniform());
      else this.deps.sizes.oversize.release(held);
      if (what !== null) onGivenUp(held, what);
    }
  }

  private async send(sender: Sender, parcel: Parcel): Promise<void> {
    const { socket, clock, random, device, log } = this.deps;
    const catchUpPlaces = parcel.isLive ? 0 : 1;
    this.inFlight.add(parcel);
    this.catchUpInFlight += catchUpPlaces;
    try {
      const result = await this.inTime(socket.publish(topicOf(device, 'up'), parcel.payload));
      if (this.isStopped) return;
      this.noteSize(sender, parcel, result);
      if (result === 'quota-exceeded') sender.slowDown();
      if (result === 'refused' && !this.isRefusalLogged) {
        this.isRefusalLogged = true;
        log.warn({ code: 'broker-refused' }, 'the broker refuses messages; each is kept and sent again later');
      }
      if (result !== 'too-large') {
        sender.markAcknowledged(parcel, clock.monotonicMs(), this.deps.pacing().windowMs, random.uniform());
      }
    } catch (error) {
      if (this.isStopped) return;
      const { code, message } = asSealcamError(error, 'broker-unreachable');
      log.warn({ code, reason: message }, 'the broker does not answer');
      this.deps.onFailed();
      return;
    } finally {
      this.inFlight.delete(parcel);
      this.catchUpInFlight -= catchUpPlaces;
    }
    this.pump();
  }

  /** Learns from the broker's answer which sizes it takes. */
  private noteSize(sender: Sender, parcel: Parcel, result: PublishResult): void {
    const { sizes, clock, random, pacing } = this.deps;
    const { length } = parcel.payload;
    if (result === 'acknowledged') {
      sizes.limit.noteAcknowledged(length);
      return;
    }
    const nowMs = clock.monotonicMs();
    sizes.limit.noteRefused(length, result === 'too-large' ? 'named' : 'refused', nowMs);
    if (result === 'too-large') sender.markTooLarge(parcel, nowMs, pacing().windowMs, random.uniform());
  }

  /** Bounds the wait for a broker's answer; TCP may hold a dead connection open for much longer. */
  private async inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, ackTimeoutMs } = this.deps;
    let cancel: CancelTimer = () => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(ackTimeoutMs, () => {
        reject(new SealcamError('uplink-timeout', `no answer within ${String(ackTimeoutMs)} ms`));
      });
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      cancel();
    }
  }
}
