import { fromHex, toHex } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import type { Random } from '../../common/random.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import type { Look } from '../../protocol/objects/look.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import {
  decodeInitialisation,
  decodeUnit,
  type LiveInitialisation,
  type LiveUnit,
} from '../../protocol/transport/live-content.js';
import type { LiveArrival } from '../../protocol/transport/live-session.js';
import type { CloudClient } from './cloud-client.js';
import type { EpochName, HistoryKeeper } from './history-keeper.js';
import { LookClock } from './look-clock.js';
import { lookFrames } from './look-frames.js';
import { LookSession } from './look-session.js';
import { closingOf, frameAlarm, refusalOfLook, type LookEnding, type LookState } from './look-state.js';
import type { LookEnd } from './looks.js';
import type { OwnerSession } from './owner-session.js';

/** Shows the pictures of a look, as they come. */
export interface LookScreen {
  /** Before the first picture, and again after each change. */
  initialise(initialisation: LiveInitialisation): void;
  /** Each builds on the one before it, unless it is a key. */
  show(unit: LiveUnit, isKey: boolean): void;
}

export interface LookDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly random: Random;
  readonly signer: Signer;
  readonly client: Pick<CloudClient, 'openLook' | 'renewLook'>;
  readonly history: Pick<HistoryKeeper, 'claimOf' | 'headOf'>;
  readonly session: Pick<OwnerSession, 'looks' | 'raise' | 'refresh'>;
  /** Limits a wait for the cloud. */
  readonly within: <T>(wait: Promise<T>, limitMs: number) => Promise<T>;
  readonly screen: LookScreen;
}

/** How long to wait for the record that answers an order. Then its secret is forgotten: an answer that was held back opens nothing. */
const ANSWER_TIMEOUT_MS = 30_000;
/** How long after the session's end its last message may come. */
const LAST_MESSAGE_MS = 5000;
/** How long after the end the record of it is waited for, to be compared with what came. */
const END_RECORD_MS = 10 * 60_000;
/** The cloud sends a sign of life every 5 s. */
const SILENCE_MAX_MS = 15_000;
const TICK_MS = 500;
/** The newest records are asked for this often while an answer is due, in case the live stream missed it. */
const REFRESH_EVERY_MS = 3000;

type LookDetails = Extract<LookState, { type: 'live' }>;
type Answered = (record: Verified<AnyRecord>, order: Verified<Look> | null) => void;

/** A look through one camera: ordered here, answered in the camera's verified history, opened and counted here. */
export class LiveLook {
  private readonly deps: LookDependencies;
  private readonly about: EpochName;
  private readonly over = new AbortController();
  private readonly listeners = new Set<() => void>();
  private current: LookState = { type: 'asking' };
  private session: LookSession | null = null;
  private times: LookClock;
  /** Ends the session, once. */
  private finish: (ending: LookEnding) => void = () => undefined;
  /** By hex of an order's hash, what waits for the camera's answer. */
  private readonly awaited = new Map<string, Answered>();
  private isLastHere = false;
  private end: LookEnd | null = null;
  private isCompared = false;
  private ageMs: number | null = null;
  private extension: LookDetails['extension'] = 'none';
  private cancelTick: CancelTimer = () => undefined;
  private refreshedMs = 0;

  constructor(deps: LookDependencies, about: EpochName) {
    this.deps = deps;
    this.about = about;
    this.times = new LookClock(deps.clock.monotonicMs());
  }

  get state(): LookState {
    return this.current;
  }

  /** Calls `listener` after every change of the state. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Orders the look and resolves when it is over. Refused as too late, it is ordered once more over the newer record. */
  async run(): Promise<void> {
    let ending = await this.runOnce();
    if (ending.reason === 'refused' && ending.problem?.code === 'command-stale') ending = await this.runOnce();
    const { session } = this;
    const missing = session?.missing ?? 0;
    if (session !== null && ending.reason === 'closed' && this.isAnswered()) this.leave(session);
    session?.forget();
    this.over.abort();
    this.apply({ type: 'ended', missing, ...ending });
  }

  /** Ends the look here, and at the camera a second later; where that does not hear of it, when the ordered time is over. */
  close(): void {
    this.over.abort();
    this.finish({ reason: 'closed', problem: null });
  }

  /** Orders one minute more. What refuses it stands in the state. */
  async extend(): Promise<void> {
    const { session } = this;
    if (session === null || this.current.type !== 'live' || this.extension === 'asked') return;
    this.setExtension('asked');
    try {
      if ((await this.renew(session)) === 'stale' && (await this.renew(session)) === 'stale') {
        throw new SealcamError('command-stale', 'the camera refused twice to go on');
      }
      this.setExtension('none');
    } catch (error) {
      this.setExtension(asSealcamError(error));
    }
  }

  private setExtension(extension: LookDetails['extension']): void {
    this.extension = extension;
    if (this.session !== null && this.isAnswered()) this.showLive(this.session);
  }

  private leave(session: LookSession): void {
    const { value, bytes } = session.signLeave(this.place().head);
    // What was ordered ends by itself too.
    this.deps.client.renewLook(value.device, bytes).catch(() => undefined);
  }

  private async runOnce(): Promise<LookEnding> {
    const { clock, session: page } = this.deps;
    if (this.over.signal.aborted) return { reason: 'closed', problem: null };
    const reading = new AbortController();
    const finished = new Promise<LookEnding>((resolve) => {
      this.finish = resolve;
    });
    this.apply({ type: 'asking' });
    let stopObserving = (): void => undefined;
    let cancelAnswer: CancelTimer = () => undefined;
    try {
      const session = await LookSession.begin({ ...this.deps, ...this.place() });
      this.session?.forget();
      this.session = session;
      stopObserving = page.looks.observe((record, order) => {
        this.applyRecord(session, record, order);
      });
      this.awaited.set(toHex(session.order.hash), (record, order) => {
        cancelAnswer();
        this.applyAnswer(session, record, order);
      });
      this.times = new LookClock(clock.monotonicMs());
      cancelAnswer = clock.after(ANSWER_TIMEOUT_MS, () => {
        session.forget();
        this.finish({ reason: 'unanswered', problem: null });
      });
      this.tick();
      if (!this.isOver()) {
        this.read(session, reading.signal).catch((error: unknown) => {
          // Of an order that was given again, or of a look that is over, nothing counts any longer.
          if (!reading.signal.aborted) this.finish({ reason: 'failed', problem: asSealcamError(error) });
        });
      }
      return await finished;
    } catch (error) {
      return { reason: 'failed', problem: asSealcamError(error) };
    } finally {
      cancelAnswer();
      this.cancelTick();
      reading.abort();
      this.awaited.clear();
      if (this.end === null && this.isAnswered()) clock.after(END_RECORD_MS, stopObserving);
      else stopObserving();
    }
  }

  private isOver(): boolean {
    return this.over.signal.aborted;
  }

  private isAnswered(): boolean {
    return this.current.type === 'live';
  }

  /** @throws SealcamError `not-found` while nothing is known of the camera */
  private place(): Pick<Parameters<typeof LookSession.begin>[0], 'claim' | 'head'> {
    const { history } = this.deps;
    const device = fromHex(this.about.device, HASH_BYTES) ?? new Uint8Array(HASH_BYTES);
    const claim = history.claimOf(device, this.about.epoch);
    const head = history.headOf(device, this.about.epoch);
    if (claim === null || head === null) throw new SealcamError('not-found', 'nothing is known of this camera yet');
    return { claim, head };
  }

  private async read(session: LookSession, signal: AbortSignal): Promise<void> {
    const { client, within } = this.deps;
    const { value, bytes } = session.order;
    const body = await client.openLook(value.device, bytes, signal);
    if (this.current.type === 'asking') this.apply({ type: 'waiting' });
    const waiting = <T>(wait: Promise<T>): Promise<T> => within(wait, SILENCE_MAX_MS);
    for await (const frame of lookFrames(body, waiting, signal)) {
      if (signal.aborted) return;
      if (frame.type === 'message') this.applyMessage(session, frame.bytes);
      if (frame.type === 'closed') throw closingOf(frame.code, frame.message);
    }
    if (signal.aborted) return;
    if (!this.isAnswered()) throw new SealcamError('cloud-unreachable', 'the cloud passes the look on no longer');
    this.finish({ reason: 'cut-off', problem: null });
  }

  private applyRecord(session: LookSession, record: Verified<AnyRecord>, order: Verified<Look> | null): void {
    const { command } = record.value;
    // The record of the end names the order too, and may come before the one that answers it.
    const hash = order?.hash ?? (command?.lookEnd === undefined ? command?.object : undefined);
    if (hash !== undefined) this.awaited.get(toHex(hash))?.(record, order);
    const end = command?.lookEnd;
    if (end === undefined || this.end !== null || !session.isOf(end.session)) return;
    this.end = end;
    this.times.end(this.deps.clock.monotonicMs());
    this.compareEnd(session);
  }

  private applyAnswer(session: LookSession, record: Verified<AnyRecord>, order: Verified<Look> | null): void {
    const refusal = refusalOfLook(record.value);
    if (refusal !== null) {
      this.finish({ reason: 'refused', problem: refusal });
      return;
    }
    if (order === null || this.isAnswered()) return;
    try {
      session.applyAnswer(record);
    } catch (error) {
      this.finish({ reason: 'failed', problem: asSealcamError(error) });
      return;
    }
    this.times.applyAnswer(record.value, this.deps.clock.monotonicMs());
    this.showLive(session);
    for (const message of session.takeHeld()) this.applyMessage(session, message);
  }

  private applyMessage(session: LookSession, message: Uint8Array): void {
    if (this.current.type === 'ended') return;
    const { repeated } = session;
    try {
      const arrival = session.open(message);
      if (session.repeated > repeated) throw new SealcamError('foreign', 'a frame of a look came twice, or too late');
      if (arrival !== null) this.showArrival(session, arrival);
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      this.deps.session.raise(frameAlarm(error, this.about));
    }
  }

  private showArrival(session: LookSession, { kind, plaintext }: LiveArrival): void {
    const { screen, clock } = this.deps;
    if (kind === 'end') {
      this.isLastHere = true;
      this.finish({ reason: 'ended', problem: null });
    } else if (kind === 'initialisation') screen.initialise(decodeInitialisation(plaintext));
    else {
      const unit = decodeUnit(plaintext);
      this.ageMs = this.times.ageMs(unit.capturedMs, clock.monotonicMs());
      screen.show(unit, kind === 'key-unit');
    }
    if (this.isAnswered()) this.showLive(session);
  }

  private showLive({ missing }: LookSession): void {
    const { current, ageMs, extension } = this;
    const secondsLeft = Math.ceil(this.times.leftMs(this.deps.clock.monotonicMs()) / 1000);
    const state: LookDetails = { type: 'live', secondsLeft, missing, ageMs, extension };
    if (current.type === 'live' && isShown(current, state)) this.current = state;
    else this.apply(state);
  }

  /** Draws the time left, asks for what is due, and notices that the end did not come. */
  private tick(): void {
    const { clock, session: page } = this.deps;
    const nowMs = clock.monotonicMs();
    if (this.session !== null && this.isAnswered()) this.showLive(this.session);
    const overMs = this.times.overMs(nowMs);
    if (overMs >= LAST_MESSAGE_MS) {
      this.finish({ reason: 'cut-off', problem: null });
      return;
    }
    const isDue = this.awaited.size > 0 && this.current.type !== 'asking';
    if ((isDue && !this.isAnswered()) || this.extension === 'asked' || overMs >= 0) this.refresh(page, nowMs);
    this.cancelTick = clock.after(TICK_MS, () => {
      this.tick();
    });
  }

  private refresh(page: LookDependencies['session'], nowMs: number): void {
    if (nowMs - this.refreshedMs < REFRESH_EVERY_MS) return;
    // Not at once: the live stream is faster.
    const isFirst = this.refreshedMs === 0;
    this.refreshedMs = nowMs;
    // Without a connection the look ends for a reason of its own.
    if (!isFirst) page.refresh().catch(() => undefined);
  }

  private async renew(session: LookSession): Promise<'answered' | 'stale'> {
    const { client, clock } = this.deps;
    const order = session.signRenewal(this.place().head);
    const key = toHex(order.hash);
    const answered = new Promise<'answered' | 'stale'>((resolve, reject) => {
      const cancel = clock.after(ANSWER_TIMEOUT_MS, () => {
        reject(new SealcamError('command-unanswered', 'the camera did not answer'));
      });
      this.awaited.set(key, (record, given) => {
        cancel();
        const refusal = refusalOfLook(record.value);
        if (refusal?.code === 'command-stale') resolve('stale');
        else if (refusal !== null) reject(refusal);
        if (given === null || refusal !== null) return;
        session.applyRenewal(given);
        this.times.applyAnswer(record.value, clock.monotonicMs());
        resolve('answered');
      });
    });
    // It may be rejected while the cloud is asked.
    answered.catch(() => undefined);
    try {
      await client.renewLook(order.value.device, order.bytes);
      return await answered;
    } finally {
      this.awaited.delete(key);
    }
  }

  /** Compares the camera's word on how much it sent with what came, once both are known. */
  private compareEnd({ received, missing }: LookSession): void {
    const { current, end } = this;
    if (current.type !== 'ended' || end === null || this.isCompared) return;
    this.isCompared = true;
    const { framesSent, reason } = end;
    const counted = received + missing;
    // After a cut nobody here knows how many followed: they are missing, and that is shown.
    if (this.isLastHere ? counted !== framesSent : counted > framesSent) {
      const message = `the camera signed ${String(framesSent)} frames of a look, and ${String(counted)} came or are missing`;
      this.deps.session.raise({ verdict: 'equivocation', code: 'cloud-lied', message, about: this.about });
    }
    if (current.reason === 'ended') this.apply({ ...current, reason });
    if (current.reason === 'cut-off') this.apply({ ...current, missing: Math.max(missing, framesSent - received) });
  }

  private apply(state: LookState): void {
    this.current = state;
    this.notifyListeners();
    if (this.session !== null) this.compareEnd(this.session);
  }

  private notifyListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** The age alone changes with every picture: it is drawn with the time left. */
function isShown(a: LookDetails, b: LookDetails): boolean {
  return a.secondsLeft === b.secondsLeft && a.missing === b.missing && a.extension === b.extension;
}
