import type { SocketHandlers, PublishResult, UplinkSocket } from '../../../agent/uplink/socket.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import type { Scheduler } from './scheduler.js';
import type { Trace } from './trace.js';
import type { Dice, Weather } from './weather.js';

export interface BrokerDependencies {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly dice: Dice;
  readonly weather: () => Weather;
  /** Devices in hex, for messages that are crossed. */
  readonly devices: () => readonly string[];
  readonly nameOf: (device: string) => string;
}

/** A dead peer is noticed after one and a half keep-alives of one minute. */
const KEEP_ALIVE_MS = 90_000;
const REORDER_MS = 20_000;

type UpHandler = (topic: string, payload: Uint8Array) => void;

/**
 * A broker and its network: QoS 1 with clean sessions, so nothing is kept for a client that is away. An acknowledgement means
 * that the broker has a message, and not that the cloud gets it.
 */
export class SimBroker {
  private readonly deps: BrokerDependencies;
  private readonly sessions = new Map<string, Session>();
  private readonly upClock = new Map<string, number>();
  private onUp: UpHandler | null = null;
  private isUp = true;

  constructor(deps: BrokerDependencies) {
    this.deps = deps;
  }

  /** Subscribes the cloud; null ends that. */
  attachCloud(take: UpHandler | null): void {
    this.onUp = take;
  }

  stop(): void {
    this.deps.trace.add('broker', 'stops');
    this.isUp = false;
    for (const session of [...this.sessions.values()]) session.cut('lost');
  }

  start(): void {
    this.deps.trace.add('broker', 'starts');
    this.isUp = true;
  }

  connect(device: string, protocol: 5 | 4, handlers: SocketHandlers): UplinkSocket {
    const { scheduler, dice, weather } = this.deps;
    const session = new Session(device, protocol, handlers, this, this.deps);
    scheduler.after(this.delayMs(), () => {
      if (session.isOver) return;
      const { refuse } = weather();
      const isRefused = dice.chance(refuse === null ? 0 : 0.7);
      if (!this.isUp) session.cut('failed');
      else if (isRefused && refuse !== null) this.refuse(session, refuse);
      else this.open(session);
    });
    return session;
  }

  /** Publishes on a `down` topic, for the cloud. */
  publishDown(topic: string, payload: Uint8Array): void {
    const { scheduler, dice, weather, devices, trace, nameOf } = this.deps;
    if (!this.isUp) return;
    const copies = dice.chance(weather().duplicateDown) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const isLost = dice.chance(weather().loseDown);
      const isCrossed = dice.chance(weather().crossDown);
      const lateMs = dice.chance(weather().reorderDown) ? dice.between(0, REORDER_MS) : 0;
      const delayMs = this.delayMs() + lateMs;
      const addressed = deviceOf(topic);
      const device = isCrossed ? (devices().find((one) => one !== addressed) ?? addressed) : addressed;
      if (isCrossed) trace.add('network', `crossed: an answer to ${nameOf(addressed)} goes to ${nameOf(device)}`);
      if (isLost) continue;
      scheduler.after(delayMs, () => {
        this.sessions.get(device)?.deliver(topicOf(Buffer.from(device, 'hex'), 'down'), payload);
      });
    }
  }

  /** Receives a message of a camera and forwards it to the cloud, unless the weather loses it. */
  receiveUp(topic: string, payload: Uint8Array): PublishResult {
    const { dice, weather, trace, devices, nameOf } = this.deps;
    if (dice.chance(weather().quotaExceeded)) return 'quota-exceeded';
    if (dice.chance(weather().acknowledgedButLost)) return 'acknowledged';
    const isCrossed = dice.chance(weather().crossUp);
    const device = deviceOf(topic);
    const other = devices().find((one) => one !== device);
    const copies = dice.chance(weather().duplicateUp) ? 2 : 1;
    const arrived = isCrossed && other !== undefined ? topic.replace(device, other) : topic;
    if (arrived !== topic) trace.add('network', `crossed: a message of ${nameOf(device)} on the topic of another`);
    for (let copy = 0; copy < copies; copy++) this.forward(arrived, payload);
    return 'acknowledged';
  }

  delayMs(): number {
    return this.deps.dice.between(1, this.deps.weather().slowestMs);
  }

  forget(session: Session): void {
    if (this.sessions.get(session.device) === session) this.sessions.delete(session.device);
  }

  private forward(topic: string, payload: Uint8Array): void {
    const { scheduler, dice, weather } = this.deps;
    const isReordered = dice.chance(weather().reorderUp);
    const dueMs = scheduler.nowMs + this.delayMs() + (isReordered ? dice.between(0, REORDER_MS) : 0);
    // A topic keeps its order, unless several workers share it or a message is delivered again.
    const inOrderMs = isReordered ? dueMs : Math.max(dueMs, this.upClock.get(topic) ?? 0);
    if (!isReordered) this.upClock.set(topic, inOrderMs);
    scheduler.after(inOrderMs - scheduler.nowMs, () => this.onUp?.(topic, payload));
  }

  private open(session: Session): void {
    this.sessions.get(session.device)?.cut('taken-over');
    this.sessions.set(session.device, session);
    session.open();
  }

  private refuse(session: Session, how: Exclude<Weather['refuse'], null>): void {
    const { trace, nameOf, dice } = this.deps;
    // Without an answer the camera's connect timeout ends the attempt.
    if (how === 'silence') return;
    if (how === 'protocol' && session.protocol === 4) {
      this.open(session);
      return;
    }
    trace.add('broker', `refuses ${nameOf(session.device)}: ${how}`);
    if (how === 'closed') session.cut('failed');
    else if (how === 'busy') session.refuse('busy', {});
    else if (how === 'busy with a hint') session.refuse('busy', { retryAfterMs: dice.between(5000, 120_000) });
    else session.refuse(how, {});
  }
}

class Session implements UplinkSocket {
  readonly device: string;
  readonly protocol: 5 | 4;
  isOver = false;
  private readonly handlers: SocketHandlers;
  private readonly broker: SimBroker;
  private readonly deps: BrokerDependencies;
  private readonly pending = new Set<(error: Error) => void>();
  private isHalfOpen = false;
  private isSubscribed = false;
  private upClockMs = 0;

  constructor(device: string, protocol: 5 | 4, handlers: SocketHandlers, broker: SimBroker, deps: BrokerDependencies) {
    this.device = device;
    this.protocol = protocol;
    this.handlers = handlers;
    this.broker = broker;
    this.deps = deps;
  }

  open(): void {
    this.handlers.opened({}, this.deps.dice.whole(1, 20), null);
  }

  refuse(kind: 'busy' | 'credentials' | 'protocol', hints: { readonly retryAfterMs?: number }): void {
    this.isOver = true;
    this.handlers.refused(kind, hints);
  }

  async subscribe(): Promise<void> {
    await this.roundTrip(() => {
      this.isSubscribed = true;
      return 'acknowledged';
    });
  }

  publish(topic: string, payload: Uint8Array): Promise<PublishResult> {
    return this.roundTrip(() => this.broker.receiveUp(topic, payload));
  }

  publishOnce(): void {
    // Nobody looks in this world.
  }

  readonly unsentBytes = 0;

  deliver(topic: string, payload: Uint8Array): void {
    if (this.isOver || this.isHalfOpen || !this.isSubscribed) return;
    this.handlers.message(topic, payload);
  }

  /** Ends the session from the side of the network or the broker. */
  cut(cause: 'lost' | 'taken-over' | 'failed'): void {
    if (this.isOver) return;
    this.finish();
    this.handlers.closed(cause, 'simulated');
  }

  end(): void {
    this.finish();
  }

  destroy(): void {
    this.finish();
  }

  private finish(): void {
    this.isOver = true;
    this.broker.forget(this);
    for (const reject of [...this.pending]) reject(new Error('the connection ended'));
    this.pending.clear();
  }

  private roundTrip(arrive: () => PublishResult): Promise<PublishResult> {
    const { scheduler, dice, weather, trace, nameOf } = this.deps;
    if (this.isOver) return Promise.reject(new Error('the connection is closed'));
    if (!this.isHalfOpen && dice.chance(weather().halfOpen)) {
      trace.add('network', `the connection of ${nameOf(this.device)} is half open`);
      this.isHalfOpen = true;
      scheduler.after(KEEP_ALIVE_MS, () => {
        this.cut('lost');
      });
    }
    const isDropped = dice.chance(weather().dropConnection);
    const isDroppedAfter = dice.chance(0.5);
    this.upClockMs = Math.max(this.upClockMs, scheduler.nowMs + this.broker.delayMs());
    return new Promise((resolve, reject) => {
      this.pending.add(reject);
      if (this.isHalfOpen) return;
      scheduler.after(this.upClockMs - scheduler.nowMs, () => {
        if (this.isOver) return;
        // A message on its way may have arrived or not.
        const result = isDropped && !isDroppedAfter ? null : arrive();
        if (isDropped || result === null) {
          trace.add('network', `the connection of ${nameOf(this.device)} is lost`);
          this.cut('lost');
          return;
        }
        scheduler.after(this.broker.delayMs(), () => {
          if (this.pending.delete(reject)) resolve(result);
        });
      });
    });
  }
}

function deviceOf(topic: string): string {
  return topic.split('/')[2] ?? '';
}
