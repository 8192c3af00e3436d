import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, type SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { AnyReceipt } from '../../protocol/objects/receipt.js';
import type { ProtocolVersion } from '../../protocol/objects/signed-object.js';
import { encodeUp } from '../../protocol/transport/messages.js';
import { topicOf } from '../../protocol/transport/topics.js';
import type { Mirror } from '../outbox/mirror.js';
import type { Outbox, Place } from '../outbox/outbox.js';
import { whenClockSet } from './clock-gate.js';
import { Delivery } from './delivery.js';
import {
  isWaiting,
  persistedOf,
  restoredState,
  step,
  type CloseCause,
  type PersistedUplink,
  type ServerHints,
  type UplinkEffect,
  type UplinkInput,
  type UplinkReport,
  type UplinkSettings,
  type UplinkState,
} from './machine.js';
import { SizeWatch } from './size-watch.js';
import { PacingOrder } from './pacing-order.js';
import { countRecords, rateOf, startMeter, type RateMeter } from './rate-meter.js';
import type { OpenSocket, SocketHandlers, UplinkSocket } from './socket.js';

/** Bytes of a look that may wait in the socket, and while a live record is on its way. */
const LIVE_UNSENT_MAX_BYTES = 256 * 1024;
const LIVE_UNSENT_BESIDE_RECORD_BYTES = 32 * 1024;

/** Keeps what survives a restart of the process. */
export interface UplinkStore {
  load(): PersistedUplink | null;
  save(state: PersistedUplink): void;
}

export interface UplinkDependencies {
  readonly settings: UplinkSettings & {
    readonly ackTimeoutMs: number;
    /** How long a picture that is too large for the broker waits for a larger limit. */
    readonly oversizeHoldMs: number;
  };
  readonly clock: Clock;
  readonly random: Random;
  /** Hex of the boot id. */
  readonly boot: string;
  readonly device: Uint8Array;
  readonly agentVersion: string;
  readonly outbox: Outbox;
  readonly mirror: Mirror;
  readonly store: UplinkStore;
  readonly openSocket: OpenSocket;
  /** Whether the wall clock can judge certificates. By default it can, as it must without TLS. */
  readonly isClockSet?: (() => boolean) | undefined;
  /** Receives the bytes of the `down` topic: untrusted. */
  readonly onMessage: (payload: Uint8Array) => void;
  readonly onConnected: () => void;
  readonly counters: Counters;
  readonly log: Log;
}

export interface UplinkStatus {
  readonly phase: UplinkState['phase'];
  readonly windowMs: number;
  /** Milliseconds until the next attempt; null while connected or connecting. */
  readonly nextAttemptMs: number | null;
  readonly attempts: number;
  readonly waitingForReceipt: number;
  readonly protocol: 5 | 4;
}

/**
 * The camera's connection to its broker. Runs the effects of the pure machine: holds at most one socket, and one timer
 * for the machine. A {@link Delivery} publishes the outbox while the connection lasts.
 */
export class Uplink {
  private readonly deps: UplinkDependencies;
  private state: UplinkState;
  private socket: UplinkSocket | null = null;
  /** Null until the broker has accepted the connection. */
  private delivery: Delivery | null = null;
  /** Versions that the cloud of this connection announced. They are remembered nowhere else. */
  private announced: readonly number[] = [];
  private rate: RateMeter;
  private readonly pacingOrder: PacingOrder;
  private readonly sizes: SizeWatch;
  /** Null until the uplink is started. */
  private cancelGate: CancelTimer | null = null;
  private cancelDue: CancelTimer = () => undefined;

  constructor(deps: UplinkDependencies) {
    this.deps = deps;
    this.state = restoredState(deps.settings, deps.store.load(), deps.boot);
    this.rate = startMeter(deps.clock.monotonicMs());
    this.pacingOrder = new PacingOrder(deps.clock);
    this.sizes = new SizeWatch(deps);
  }

  /** The size that a new message should keep to, in bytes; null where the broker is not known to have a limit. */
  get messageTargetBytes(): number | null {
    return this.sizes.limit.targetBytes;
  }

  /**
   * Starts the machine. While the wall clock was never set no certificate can be judged, so this waits for it, but not
   * forever.
   */
  start(): void {
    const { clock, isClockSet = () => true, log } = this.deps;
    if (!isClockSet()) log.warn({ phase: 'boot' }, 'the clock was never set: waiting for network time before TLS');
    this.cancelGate = whenClockSet(clock, isClockSet, (isSet) => {
      if (!isSet) log.warn({ phase: 'boot' }, 'no network time: certificates are judged by the last known time');
      this.input({ type: 'start' });
    });
  }

  /** Disconnects for good, and clears all timers. */
  stop(): void {
    this.cancelGate?.();
    this.input({ type: 'stop' });
    this.cancelDue();
  }

  status(): UplinkStatus {
    const { phase, windowMs, dueMs, attempts, protocol } = this.state;
    const hasNext = isWaiting(this.state) && dueMs !== null;
    return {
      phase,
      windowMs,
      attempts,
      protocol,
      nextAttemptMs: hasNext ? Math.max(0, dueMs - this.deps.clock.monotonicMs()) : null,
      waitingForReceipt: this.delivery?.waitingForReceipt ?? 0,
    };
  }

  /** Whether the camera is connected, subscribed and announced as online. */
  get isConnected(): boolean {
    return this.delivery?.isReady === true;
  }

  /** Whether a live record is on its way to the broker: what is not urgent gives way. */
  get isSendingLive(): boolean {
    return this.delivery?.hasLiveInFlight === true;
  }

  /** Whether a live picture may leave now: a record of now never waits behind many of them. */
  get hasLiveRoom(): boolean {
    const { socket } = this;
    if (socket === null || !this.isConnected) return false;
    return socket.unsentBytes <= (this.isSendingLive ? LIVE_UNSENT_BESIDE_RECORD_BYTES : LIVE_UNSENT_MAX_BYTES);
  }

  /** The largest live message that the broker takes. */
  get liveMessageMaxBytes(): number {
    return this.messageTargetBytes ?? LIMITS.messageMaxBytes;
  }

  /** Whether a record was handed to the broker. */
  wasPublished(place: Place): boolean {
    return this.delivery?.isOutstanding(place) === true || !this.deps.outbox.has(place);
  }

  /** Sends a live message at most once, if there is a connection. */
  publishLive(message: Uint8Array): void {
    if (this.isConnected) this.socket?.publishOnce(topicOf(this.deps.device, 'live'), message);
  }

  /** The version that may be offered on this connection: 2 only where its cloud announced that. */
  get version(): ProtocolVersion {
    return this.announced.includes(2) ? 2 : 1;
  }

  /** Notes the versions that the cloud of this connection announced. Returns whether another one may be offered now. */
  noteVersions(versions: readonly number[]): boolean {
    const before = this.version;
    // Also before the connection is ready: a cloud may greet the camera as soon as it is subscribed.
    if (this.socket !== null) this.announced = versions;
    return this.version !== before;
  }

  /**
   * Ends the connection on purpose. Returns false if the camera is not connected. The machine decides when to
   * reconnect.
   */
  drop(): boolean {
    const { socket } = this;
    if (socket === null || !this.isConnected) return false;
    this.destroySocket(socket, 'dropped');
    return true;
  }

  /** Publishes records that were appended to the outbox, and counts them for the pace of a later drain. */
  recordsAppended(count: number): void {
    this.rate = countRecords(this.rate, this.deps.clock.monotonicMs(), count);
    this.delivery?.pump();
  }

  /** Notes that the claim window opened or closed. Opening it connects without a wait. */
  setClaimWindow(open: boolean): void {
    this.input({ type: 'claim-window', open });
    // A person stands at the camera and waits; the wait for network time ends too.
    if (!open || this.cancelGate === null || this.state.phase !== 'boot') return;
    this.cancelGate();
    this.input({ type: 'start' });
  }

  /** Applies a receipt that was verified and applied to the outbox. */
  receiptApplied(receipt: AnyReceipt): void {
    this.delivery?.markReceipted(receipt);
    this.input({ type: 'receipt', hints: this.pacingHints(receipt.pacing) });
    const { drainIntervalMs } = this.state;
    if (drainIntervalMs !== null) this.delivery?.setDrainInterval(drainIntervalMs);
    this.delivery?.pump();
  }

  /** Publishes a signed offer now, with its version 2 where there is one, if there is a connection. */
  publishOffer(offer: Uint8Array, offerV2?: Uint8Array): void {
    if (this.socket === null || !this.isConnected) return;
    const topic = topicOf(this.deps.device, 'up');
    const both = offerV2 === undefined ? {} : { offerV2 };
    this.socket.publish(topic, encodeUp({ type: 'offer', offer, ...both })).catch((error: unknown) => {
      this.deps.log.debug({ code: asSealcamError(error).code }, 'an offer was not acknowledged');
    });
  }

  /** Returns the hints of a receipt's pacing, unless a newer one was applied. */
  private pacingHints(pacing: AnyReceipt['pacing']): ServerHints {
    if (pacing === undefined || !this.pacingOrder.accepts(pacing.issuedAtMs)) return {};
    const { windowMs, drainIntervalMs } = pacing;
    return {
      ...(windowMs === undefined ? {} : { windowMs }),
      ...(drainIntervalMs === undefined ? {} : { drainIntervalMs }),
    };
  }

  /** Steps the machine: stores the state before anything acts on it, sets the timer, then runs the effects. */
  private input(input: UplinkInput): void {
    const { settings, clock, random, store, boot } = this.deps;
    const before = this.state;
    const { state, effects } = step(before, input, {
      settings,
      nowMs: clock.monotonicMs(),
      uniform: random.uniform(),
    });
    this.state = state;
    const kept = persistedOf(state, boot);
    if (JSON.stringify(kept) !== JSON.stringify(persistedOf(before, boot))) store.save(kept);
    this.cancelDue();
    if (state.dueMs !== null) {
      this.cancelDue = clock.after(Math.max(0, state.dueMs - clock.monotonicMs()), () => {
        this.input({ type: 'timer' });
      });
    }
    if (state.phase !== before.phase) {
      const { nextAttemptMs } = this.status();
      const inMs = nextAttemptMs === null ? null : Math.round(nextAttemptMs);
      this.deps.log.info({ phase: state.phase, from: before.phase, nextAttemptMs: inMs }, 'uplink');
    }
    for (const effect of effects) this.runEffect(effect);
  }

  private runEffect(effect: UplinkEffect): void {
    switch (effect.type) {
      case 'connect':
        this.connect(effect.protocol);
        return;
      case 'disconnect':
        this.disconnect();
        return;
      case 'report':
        this.logReport(effect.event);
    }
  }

  private connect(protocol: 5 | 4): void {
    let socket: UplinkSocket | null = null;
    const isCurrent = (): boolean => socket !== null && this.socket === socket;
    const handlers: SocketHandlers = {
      opened: (hints, receiveMaximum, packetMaxBytes, versions = []) => {
        if (!isCurrent() || socket === null) return;
        this.announced = versions;
        this.sizes.limit.setAnnounced(packetMaxBytes);
        this.pacingOrder.reset();
        this.input({ type: 'opened', hints });
        this.startDelivery(socket, receiveMaximum);
      },
      refused: (kind, hints, reason) => {
        if (!isCurrent()) return;
        this.deps.log.warn({ code: 'broker-refused', kind, reason }, 'the broker refused the connection');
        this.input({ type: 'refused', kind, hints });
      },
      closed: (cause, reason, answer) => {
        if (!isCurrent()) return;
        this.sizes.noteEnd(this.delivery?.largestInFlight ?? 0, cause, answer?.isTooLarge === true);
        this.logEnd(cause, reason, answer?.error);
        this.disconnect();
        this.input({ type: 'closed', cause, hints: answer?.hints ?? {} });
      },
      message: (topic, payload) => {
        if (isCurrent() && topic === topicOf(this.deps.device, 'down')) this.deps.onMessage(payload);
      },
    };
    try {
      socket = this.deps.openSocket(protocol, handlers);
      this.socket = socket;
    } catch (error) {
      // An unreadable certificate, for example. The attempt has failed like any other, and the camera goes on
      // recording.
      const { code, message } = asSealcamError(error);
      this.deps.log.error({ code, reason: message }, 'cannot try to connect');
      this.input({ type: 'closed', cause: 'failed' });
    }
  }

  private startDelivery(socket: UplinkSocket, receiveMaximum: number): void {
    const { settings, clock, random, device, agentVersion, outbox, mirror, onConnected, log } = this.deps;
    this.delivery = new Delivery({
      socket,
      receiveMaximum,
      ackTimeoutMs: settings.ackTimeoutMs,
      clock,
      random,
      device,
      agentVersion,
      outbox,
      mirror,
      pacing: () => ({
        ownRate: rateOf(this.rate),
        windowMs: this.state.windowMs,
        drainIntervalMs: this.state.drainIntervalMs,
      }),
      sizes: this.sizes,
      onGivenUp: (held, what) => {
        this.sizes.reportGivenUp(held, what);
      },
      onReady: onConnected,
      onFailed: () => {
        this.destroySocket(socket, 'lost');
      },
      log,
    });
    void this.delivery.start();
  }

  /** Cuts the connection. The broker publishes the last will, and the machine decides when to reconnect. */
  private destroySocket(socket: UplinkSocket, cause: CloseCause): void {
    if (this.socket !== socket) return;
    socket.destroy();
    this.forgetSocket();
    this.input({ type: 'closed', cause });
  }

  private disconnect(): void {
    this.socket?.end();
    this.forgetSocket();
  }

  private forgetSocket(): void {
    this.delivery?.stop();
    this.delivery = null;
    this.socket = null;
    this.announced = [];
  }

  private logReport(event: UplinkReport): void {
    const { log } = this.deps;
    if (event === 'stable') return;
    if (event === 'connect-timeout') log.info({ code: 'uplink-timeout' }, 'the broker did not answer in time');
    else log.warn({ event }, 'uplink');
  }

  /**
   * Logs a lost connection as information; a broker that cannot be trusted is an error, since a person must act on it.
   */
  private logEnd(cause: CloseCause, reason: string, error: SealcamError | undefined): void {
    const { log } = this.deps;
    const code = error?.code ?? 'broker-unreachable';
    if (code === 'broker-untrusted') log.error({ code, cause, reason, hint: error?.hint }, 'the broker is not trusted');
    else log.info({ code, cause, reason }, 'the connection ended');
  }
}
