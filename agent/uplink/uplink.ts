import type { CancelTimer, Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { Receipt } from '../../protocol/objects/receipt.js';
import { encodeStatus, encodeUp } from '../../protocol/transport/messages.js';
import { topicOf } from '../../protocol/transport/topics.js';
import type { Mirror } from '../outbox/mirror.js';
import type { Outbox } from '../outbox/outbox.js';
import { noteBeforePublish } from '../outbox/published.js';
import { whenClockSet } from './clock-gate.js';
import {
  persistedOf,
  restoredState,
  step,
  type CloseCause,
  type PersistedUplink,
  type ServerHints,
  type UplinkEffect,
  type UplinkInput,
  type UplinkSettings,
  type UplinkState,
} from './machine.js';
import { countRecords, rateOf, startMeter, type RateMeter } from './rate-meter.js';
import { Sender, type Parcel } from './sender.js';
import type { OpenSocket, SocketHandlers, UplinkSocket } from './socket.js';

/** What survives a restart of the process. */
export interface UplinkStore {
  load(): PersistedUplink | null;
  save(state: PersistedUplink): void;
}

export interface UplinkDependencies {
  readonly settings: UplinkSettings & { readonly ackTimeoutMs: number };
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
  /** Whether certificates can be judged by the wall clock; without TLS, or where nothing is said, always. */
  readonly isClockSet?: (() => boolean) | undefined;
  /** Bytes on the `down` topic: untrusted. */
  readonly onMessage: (payload: Uint8Array) => void;
  readonly onConnected: () => void;
  readonly log: Log;
}

export interface UplinkStatus {
  readonly phase: UplinkState['phase'];
  readonly windowMs: number;
  /** Milliseconds until the next attempt, null while connected or connecting. */
  readonly nextAttemptMs: number | null;
  readonly attempts: number;
  readonly waitingForReceipt: number;
  readonly protocol: 5 | 4;
}

/** No broker may have us hold more publishes open than this, whatever it allows. */
const IN_FLIGHT_MAX = 8;
/** Of these for what is not live: on a slow line a live record stands in the socket behind all that is in flight. */
const CATCHING_UP_MAX = 2;
/** After a local failure (a full disk, say) the same is not tried again at once. */
const RETRY_MS = 5000;

/** The shell around the machine: one socket at most, one timer for the machine and one for the sender. */
export class Uplink {
  private readonly deps: UplinkDependencies;
  private state: UplinkState;
  private socket: UplinkSocket | null = null;
  private sender: Sender | null = null;
  private rate: RateMeter;
  private inFlight = 0;
  private catchingUp = 0;
  private inFlightMax = IN_FLIGHT_MAX;
  private pacedAtMs = -Infinity;
  private isRefusalLogged = false;
  /** Null until the uplink is started. */
  private cancelGate: CancelTimer | null = null;
  private cancelDue: CancelTimer = () => undefined;
  private cancelPump: CancelTimer = () => undefined;

  constructor(deps: UplinkDependencies) {
    this.deps = deps;
    this.state = restoredState(deps.settings, deps.store.load(), deps.boot);
    this.rate = startMeter(deps.clock.monotonicMs());
  }

  /** With a wall clock that was never set no certificate can be judged: its time is waited for, but not for ever. */
  start(): void {
    const { clock, isClockSet = () => true, log } = this.deps;
    if (!isClockSet()) log.warn({ phase: 'boot' }, 'the clock was never set: waiting for network time before TLS');
    this.cancelGate = whenClockSet(clock, isClockSet, (isSet) => {
      if (!isSet) log.warn({ phase: 'boot' }, 'no network time: certificates are judged by the last known time');
      this.input({ type: 'start' });
    });
  }

  stop(): void {
    this.cancelGate?.();
    this.input({ type: 'stop' });
    this.cancelDue();
    this.cancelPump();
  }

  status(): UplinkStatus {
    const { phase, windowMs, dueMs, attempts, protocol } = this.state;
    const isWaiting = phase === 'spread' || phase === 'wait' || phase === 'auth-hold';
    return {
      phase,
      windowMs,
      attempts,
      protocol,
      nextAttemptMs: isWaiting && dueMs !== null ? Math.max(0, dueMs - this.deps.clock.monotonicMs()) : null,
      waitingForReceipt: this.sender?.waitingForReceipt ?? 0,
    };
  }

  get isConnected(): boolean {
    return this.sender !== null;
  }

  /** Ends the connection on purpose; false if there is none. The machine decides when it comes back. */
  drop(): boolean {
    const { socket } = this;
    if (socket === null || this.sender === null) return false;
    socket.destroy();
    this.forgetSocket();
    this.input({ type: 'closed', cause: 'dropped' });
    return true;
  }

  /** Tells that records were appended to the outbox. */
  recordsAppended(count: number): void {
    this.rate = countRecords(this.rate, this.deps.clock.monotonicMs(), count);
    this.pump();
  }

  setClaimWindow(open: boolean): void {
    this.input({ type: 'claim-window', open });
    // Somebody stands at the camera and waits: not for the clock too.
    if (!open || this.cancelGate === null || this.state.phase !== 'boot') return;
    this.cancelGate();
    this.input({ type: 'start' });
  }

  /** A receipt that was checked and applied to the outbox. */
  receiptApplied({ epoch, ranges, rejects, pacing }: Receipt): void {
    for (const [from, to] of ranges) this.sender?.markReceipted(epoch, from, to);
    for (const [seq] of rejects ?? []) this.sender?.markReceipted(epoch, seq, seq);
    this.input({ type: 'receipt', hints: this.hintsOf(pacing) });
    const { drainIntervalMs } = this.state;
    if (drainIntervalMs !== null) this.sender?.pace(drainIntervalMs);
    this.pump();
  }

  /** Publishes a signed offer now, if there is a connection. */
  publishOffer(offer: Uint8Array): void {
    if (this.socket === null || this.sender === null) return;
    const topic = topicOf(this.deps.device, 'up');
    this.socket.publish(topic, encodeUp({ type: 'offer', offer })).catch((error: unknown) => {
      this.deps.log.debug({ code: asSealcamError(error).code }, 'an offer was not acknowledged');
    });
  }

  /** Receipts may overtake each other, and a broker may play an old one again: the newest pacing counts. */
  private hintsOf(pacing: Receipt['pacing']): ServerHints {
    if (pacing === undefined || pacing.issuedAtMs < this.pacedAtMs) return {};
    const { windowMs, drainIntervalMs, issuedAtMs } = pacing;
    this.pacedAtMs = issuedAtMs;
    return {
      ...(windowMs === undefined ? {} : { windowMs }),
      ...(drainIntervalMs === undefined ? {} : { drainIntervalMs }),
    };
  }

  private input(input: UplinkInput): void {
    const { settings, clock, random, store, boot } = this.deps;
    const before = this.state;
    const { state, effects } = step(settings, before, clock.monotonicMs(), input, random.uniform());
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
        if (effect.event === 'connect-timeout') {
          this.deps.log.info({ code: 'uplink-timeout' }, 'the broker did not answer in time');
        } else if (effect.event !== 'stable') this.deps.log.warn({ event: effect.event }, 'uplink');
    }
  }

  private connect(protocol: 5 | 4): void {
    let socket: UplinkSocket | null = null;
    const isCurrent = (): boolean => socket !== null && this.socket === socket;
    const handlers: SocketHandlers = {
      opened: (hints, receiveMaximum) => {
        if (!isCurrent()) return;
        this.inFlightMax = Math.min(receiveMaximum, IN_FLIGHT_MAX);
        this.input({ type: 'opened', hints });
        if (socket !== null) void this.startSession(socket);
      },
      refused: (kind, hints, reason) => {
        if (!isCurrent()) return;
        this.deps.log.warn({ code: 'broker-refused', kind, reason }, 'the broker refused the connection');
        this.input({ type: 'refused', kind, hints });
      },
      closed: (cause, reason, said) => {
        if (!isCurrent()) return;
        this.logEnd(cause, reason, said?.error);
        this.disconnect();
        this.input({ type: 'closed', cause, hints: said?.hints ?? {} });
      },
      message: (topic, payload) => {
        if (isCurrent() && topic === topicOf(this.deps.device, 'down')) this.deps.onMessage(payload);
      },
    };
    try {
      socket = this.deps.openSocket(protocol, handlers);
      this.socket = socket;
    } catch (error) {
      // A certificate that is none, say: the attempt has failed like any other, and the camera goes on recording.
      const { code, message } = asSealcamError(error);
      this.deps.log.error({ code, reason: message }, 'no connection can be tried');
      this.input({ type: 'closed', cause: 'failed' });
    }
  }

  /** A loss is the network's business; a broker that may not be the right one is somebody's. */
  private logEnd(cause: CloseCause, reason: string, error: SealcamError | undefined): void {
    const code = error?.code ?? 'broker-unreachable';
    if (code === 'broker-untrusted')
      this.deps.log.error({ code, cause, reason, hint: error?.hint }, 'the broker is not trusted');
    else this.deps.log.info({ code, cause, reason }, 'the connection ended');
  }

  private async startSession(socket: UplinkSocket): Promise<void> {
    const { device, clock, outbox, agentVersion, log } = this.deps;
    try {
      await this.inTime(socket.subscribe(topicOf(device, 'down')));
      const online = encodeStatus({ online: true, agent: agentVersion });
      await this.inTime(socket.publish(topicOf(device, 'status'), online));
    } catch (error) {
      if (this.socket !== socket) return;
      const { code, message } = asSealcamError(error, 'broker-unreachable');
      log.warn({ code, reason: message }, 'the connection cannot be used');
      this.dropSocket(socket);
      return;
    }
    if (this.socket !== socket) return;
    this.sender = new Sender(outbox, clock.monotonicMs(), rateOf(this.rate), this.state.drainIntervalMs);
    this.deps.onConnected();
    this.pump();
  }

  /** A broker that does not answer in time is gone, whatever TCP believes. */
  private async inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, settings } = this.deps;
    let cancel: CancelTimer = () => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(settings.ackTimeoutMs, () => {
        reject(new SealcamError('uplink-timeout', `no answer within ${String(settings.ackTimeoutMs)} ms`));
      });
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      cancel();
    }
  }

  private pump(): void {
    this.cancelPump();
    const { sender, socket } = this;
    if (sender === null || socket === null) return;
    const { clock, outbox, mirror, log } = this.deps;
    try {
      while (this.inFlight < this.inFlightMax) {
        // One place is kept for a live record, where the broker allows more than one.
        const catchingUpMax = Math.min(CATCHING_UP_MAX, Math.max(1, this.inFlightMax - 1));
        const parcel = sender.next(clock.monotonicMs(), this.catchingUp >= catchingUpMax);
        if (parcel === null) break;
        noteBeforePublish(outbox, mirror, parcel.records);
        void this.send(socket, sender, parcel);
      }
    } catch (error) {
      // Nothing is published that could not be noted first; the connection starts over with a fresh sender.
      const { code, message } = asSealcamError(error);
      log.error({ code, reason: message }, 'cannot publish');
      this.cancelPump = clock.after(RETRY_MS, () => {
        this.dropSocket(socket);
      });
      return;
    }
    const wake = sender.wakeMs();
    if (this.inFlight < this.inFlightMax && Number.isFinite(wake)) {
      this.cancelPump = clock.after(Math.max(1, wake - clock.monotonicMs()), () => {
        this.pump();
      });
    }
  }

  private async send(socket: UplinkSocket, sender: Sender, parcel: Parcel): Promise<void> {
    const { clock, random, device, log } = this.deps;
    const places = parcel.isLive ? 0 : 1;
    this.inFlight++;
    this.catchingUp += places;
    try {
      const result = await this.inTime(socket.publish(topicOf(device, 'up'), parcel.payload));
      if (this.socket !== socket) return;
      if (result === 'quota-exceeded') sender.quotaExceeded();
      if (result === 'refused' && !this.isRefusalLogged) {
        this.isRefusalLogged = true;
        log.warn({ code: 'broker-refused' }, 'the broker refuses messages; each is kept and sent again later');
      }
      sender.acknowledged(parcel, clock.monotonicMs(), this.state.windowMs, random.uniform());
    } catch (error) {
      if (this.socket !== socket) return;
      const { code, message } = asSealcamError(error, 'broker-unreachable');
      log.warn({ code, reason: message }, 'the broker does not answer');
      this.dropSocket(socket);
      return;
    } finally {
      if (this.socket === socket) {
        this.inFlight--;
        this.catchingUp -= places;
      }
    }
    this.pump();
  }

  /** The broker sends the last will, and the machine decides when to come back. */
  private dropSocket(socket: UplinkSocket): void {
    if (this.socket !== socket) return;
    socket.destroy();
    this.forgetSocket();
    this.input({ type: 'closed', cause: 'lost' });
  }

  private disconnect(): void {
    this.socket?.end();
    this.forgetSocket();
  }

  private forgetSocket(): void {
    this.socket = null;
    this.isRefusalLogged = false;
    this.sender = null;
    this.inFlight = 0;
    this.catchingUp = 0;
    this.cancelPump();
  }
}
