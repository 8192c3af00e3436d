import { equal, toHex } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { Frame } from '../../hal/camera.js';
import type { VideoInfo, VideoUnit } from '../../hal/video-source.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { Encapsulation } from '../../protocol/crypto/xwing.js';
import { mayOrder, type AnyClaim } from '../../protocol/objects/claim.js';
import { lookKind, type Look } from '../../protocol/objects/look.js';
import type { AnyRecord, RecordTime } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { liveKey } from '../../protocol/seal/live-key.js';
import { LiveSealer } from '../../protocol/transport/live-session.js';
import { checkLook } from '../../protocol/verify/orders.js';
import type { Outbox } from '../outbox/outbox.js';
import { LookBudget, type Use, type Viewer } from './budget.js';
import type { LookLight } from './look-light.js';
import { LookSession, type LiveLink } from './look-session.js';

export type LookEndReason = NonNullable<NonNullable<AnyRecord['command']>['lookEnd']>['reason'];

/** What a look is refused with, or ends with. */
const FORBIDDEN = {
  privacy: { code: 'privacy-mode', reason: 'privacy' },
  'off-schedule': { code: 'off-schedule', reason: 'schedule' },
} as const;

export interface LooksDependencies {
  readonly suite: CryptoSuite;
  readonly outbox: Pick<Outbox, 'currentClaim' | 'recordAgeMs' | 'append'>;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly now: () => RecordTime;
  readonly light: Pick<LookLight, 'turnOn' | 'turnOff'>;
  readonly link: LiveLink;
  /** Encapsulates to an X-Wing public key, in a process that ends. @throws SealcamError `kem-key`, `period-unavailable` */
  readonly encapsulate: (kemKey: Uint8Array) => Promise<Encapsulation>;
  /** Why nothing may be shown at this time; null where it may. */
  readonly forbidden: (monotonicMs: number) => keyof typeof FORBIDDEN | null;
  /** Whether the camera sees. */
  readonly isSeeing: () => boolean;
  /** Returns the frame as others may see it, under the masks in force; null where it cannot be masked. */
  readonly masked: (frame: Frame) => Promise<Uint8Array | null>;
}

/** One session that is shown. */
interface Shown extends Viewer {
  readonly id: Uint8Array;
  readonly order: Verified<Look>;
  readonly claimHash: Uint8Array;
  readonly session: LookSession;
  readonly use: Use;
  readonly startedMs: number;
  renewals: number;
  isLeaving: boolean;
  cancel: CancelTimer;
}

/** How the looks stand, for the console. */
export interface LooksStatus {
  readonly viewers: readonly {
    readonly signer: Uint8Array;
    readonly isOwner: boolean;
    readonly leftMs: number;
    readonly sent: number;
    readonly dropped: number;
  }[];
}

const VIEWERS_MAX = 2;
const GRANT_MIN_MS = 1000;

/**
 * Lets members of the household look through the camera. Nobody looks but by a signed order; the record that answers it stands in the
 * history, and the light is on, before anything is captured that is shown.
 */
export class Looks {
  private readonly deps: LooksDependencies;
  private readonly budget = new LookBudget();
  private readonly looks = new Map<string, Shown>();
  /** Hashes of orders, and ids of sessions that were used, and when: until long after the orders are stale. */
  private readonly used = new Map<string, number>();
  private starting = 0;
  /** Grows when looks are ended from outside: what was starting then does not start. */
  private generation = 0;
  private masking: Promise<void> | null = null;

  constructor(deps: LooksDependencies) {
    this.deps = deps;
  }

  /**
   * Takes an order from the cloud: untrusted bytes. What a member may not have now is answered with a record that says why.
   *
   * @throws SealcamError `malformed`, `bad-signature`, `command-refused` (nobody of this household), `command-replayed`,
   *   `rate-limited`, and the code with which it was answered
   */
  handleOrder(bytes: Uint8Array): void {
    const { suite, outbox, clock } = this.deps;
    const order = openSigned(lookKind, suite, bytes);
    const claim = outbox.currentClaim();
    if (claim === null) throw new SealcamError('command-refused', 'the camera has no owner');
    checkLook(order, claim);
    const nowMs = clock.monotonicMs();
    this.refuseReplay(order, nowMs);
    if (!this.budget.countOrder(order.kid, nowMs))
      throw new SealcamError('rate-limited', 'more than 60 orders to look within an hour, of one member');
    this.used.set(toHex(order.hash), nowMs);
    const viewer = { key: order.kid, isOwner: mayOrder(claim.value, order.kid) };
    try {
      this.checkRecent(order.value, nowMs);
      this.used.set(toHex(order.value.session), nowMs);
      this.checkAllowed(nowMs);
      if (order.value.kemKey === null) this.renew(order, viewer, nowMs);
      else void this.begin(order, order.value.kemKey, claim, viewer, nowMs);
    } catch (error) {
      this.refuse(order, viewer, asSealcamError(error).code);
      throw error;
    }
  }

  /** A frame of the camera, before anything else has it. */
  addFrame(frame: Frame): void {
    if (this.looks.size === 0 || this.endForbidden(frame.monotonicMs)) return;
    // One at a time: where masking takes longer than a frame lasts, frames are left out.
    if (this.masking !== null) return;
    const wanting = [...this.looks.values()].filter(({ session }) => session.wantsFrame(frame.monotonicMs));
    if (wanting.length > 0) this.masking = this.show(frame, wanting).finally(() => (this.masking = null));
  }

  /** A unit of the camera's own H.264, of which nothing needs to be masked. */
  addUnit(unit: VideoUnit, info: VideoInfo): void {
    if (info.codec !== 'h264' || this.looks.size === 0 || this.endForbidden(unit.monotonicMs)) return;
    for (const { session } of this.looks.values()) session.addUnit(unit, info);
  }

  /** Ends every look at once, and forgets its keys. */
  endAll(reason: LookEndReason): void {
    this.generation++;
    for (const look of [...this.looks.values()]) this.end(look, reason);
  }

  status(): LooksStatus {
    const nowMs = this.deps.clock.monotonicMs();
    return {
      viewers: [...this.looks.values()].map(({ key, isOwner, use, session: { sent, dropped } }) => ({
        signer: key,
        isOwner,
        leftMs: Math.max(0, use.toMs - nowMs),
        sent,
        dropped,
      })),
    };
  }

  /**
   * An order is answered once, a session id is good once, and each renewal has a higher number.
   * @throws SealcamError `command-replayed`
   */
  private refuseReplay({ value: { session, renewal }, hash }: Verified<Look>, nowMs: number): void {
    for (const [id, atMs] of this.used) if (nowMs - atMs > 2 * LIMITS.commandMaxAgeMs) this.used.delete(id);
    const look = this.looks.get(toHex(session));
    const isOld = renewal === 0 ? this.used.has(toHex(session)) : look !== undefined && renewal <= look.renewals;
    if (isOld || this.used.has(toHex(hash)))
      throw new SealcamError('command-replayed', 'an order to look that was taken before');
  }

  /** @throws SealcamError `command-stale` */
  private checkRecent({ epoch, recent: [seq, hash] }: Look, nowMs: number): void {
    const ageMs = this.deps.outbox.recordAgeMs({ epoch, seq }, hash, nowMs);
    if (ageMs === null || ageMs > LIMITS.commandMaxAgeMs)
      throw new SealcamError('command-stale', `record ${String(seq)} is not one of the last half hour`);
  }

  /** @throws SealcamError `privacy-mode`, `off-schedule`, `camera-unavailable` */
  private checkAllowed(nowMs: number): void {
    const why = this.deps.forbidden(nowMs);
    if (why !== null) throw new SealcamError(FORBIDDEN[why].code, `nothing may be shown: ${why}`);
    if (!this.deps.isSeeing()) throw new SealcamError('camera-unavailable', 'the camera sees nothing');
  }

  /** Starts a look, or answers why not. Never rejects. */
  private async begin(
    order: Verified<Look>,
    kemKey: Uint8Array,
    claim: Verified<AnyClaim>,
    viewer: Viewer,
    askedMs: number,
  ): Promise<void> {
    const { light, log, counters } = this.deps;
    const { generation } = this;
    let use: Use | null = null;
    try {
      // Before the first await, in the turn of the order.
      use = this.reserve(order.value, viewer, askedMs);
      const { enc, shared } = await this.deps.encapsulate(kemKey);
      try {
        if (!(await light.turnOn())) throw new SealcamError('gpio-unavailable', 'the light cannot be switched on');
        this.checkAllowed(this.deps.clock.monotonicMs());
        if (generation !== this.generation) throw new SealcamError('claim-changed', 'looks were ended meanwhile');
        this.open(order, claim, viewer, use, enc, shared);
      } finally {
        shared.fill(0);
      }
    } catch (error) {
      const { code, message } = asSealcamError(error);
      counters.add(`look.${code}`);
      log.warn({ code }, `an order to look was not carried out: ${message}`);
      if (use !== null) use.toMs = use.fromMs;
      if (generation === this.generation) this.refuse(order, viewer, code);
    } finally {
      if (use !== null) this.starting--;
      this.darken();
    }
  }

  /** Takes a place and time for a look. @throws SealcamError `look-busy`, `look-budget` */
  private reserve({ seconds }: Look, viewer: Viewer, nowMs: number): Use {
    if (this.looks.size + this.starting >= VIEWERS_MAX) throw new SealcamError('look-busy', 'two look already');
    const grantedMs = Math.min(1000 * seconds, this.budget.leftMs(viewer, nowMs));
    if (grantedMs < GRANT_MIN_MS) throw new SealcamError('look-budget', 'no time to look is left in this hour');
    this.starting++;
    return this.budget.charge(viewer, nowMs, nowMs + grantedMs);
  }

  /** The light is on: records who looks, and shows what comes from now on. */
  private open(
    order: Verified<Look>,
    claim: Verified<AnyClaim>,
    viewer: Viewer,
    use: Use,
    ciphertext: Uint8Array,
    shared: Uint8Array,
  ): void {
    const { suite, clock, counters, link, log } = this.deps;
    const startedMs = clock.monotonicMs();
    use.toMs = startedMs + (use.toMs - use.fromMs);
    const record = this.answer(order, viewer, claim.hash, ciphertext, use.toMs);
    if (record === null) throw new SealcamError('claim-changed', 'the owner changed meanwhile');
    const { epoch, seq } = record.value;
    const key = liveKey(suite, shared, { orderHash: order.hash, claimHash: claim.hash, answerHash: record.hash });
    const id = order.value.session;
    const session = new LookSession({
      sealer: new LiveSealer(suite, id, key),
      link,
      counters,
      answer: { epoch, seq },
      fromMs: startedMs,
    });
    const look: Shown = {
      ...viewer,
      id,
      order,
      claimHash: claim.hash,
      session,
      use,
      startedMs,
      renewals: 0,
      isLeaving: false,
      cancel: () => undefined,
    };
    this.looks.set(toHex(id), look);
    this.setExpiry(look);
    counters.add('look.started');
    log.info({ signer: toHex(viewer.key).slice(0, 16), source: sourceOf(viewer) }, 'a member of the household looks');
  }

  /** @throws SealcamError `command-refused` (another's), `command-stale` (it has ended), `look-budget` */
  private renew(order: Verified<Look>, viewer: Viewer, nowMs: number): void {
    const { session, renewal, seconds } = order.value;
    const look = this.looks.get(toHex(session));
    if (look === undefined) throw new SealcamError('command-stale', 'the look has ended');
    if (!equal(look.key, order.kid)) throw new SealcamError('command-refused', 'the look is of another member');
    const wantedMs = 1000 * seconds;
    const grantedMs = Math.min(wantedMs, this.budget.leftMs(viewer, nowMs, look.use));
    if (grantedMs < GRANT_MIN_MS) throw new SealcamError('look-budget', 'no time to look is left in this hour');
    if (this.answer(order, viewer, look.claimHash, null, nowMs + grantedMs) === null) return;
    look.renewals = renewal;
    // A viewer who leaves renews for a second.
    look.isLeaving = nowMs + wantedMs < look.use.toMs;
    look.use.toMs = nowMs + grantedMs;
    this.setExpiry(look);
  }

  private setExpiry(look: Shown): void {
    const { clock } = this.deps;
    look.cancel();
    look.cancel = clock.after(Math.max(0, look.use.toMs - clock.monotonicMs()), () => {
      this.end(look, look.isLeaving ? 'viewer-left' : 'expired');
    });
  }

  /** Ends the looks where nothing may be shown at this time. Returns whether it did. */
  private endForbidden(monotonicMs: number): boolean {
    const why = this.deps.forbidden(monotonicMs);
    if (why !== null) this.endAll(FORBIDDEN[why].reason);
    return why !== null;
  }

  private end(look: Shown, reason: LookEndReason): void {
    const { outbox, clock, log, now, counters } = this.deps;
    if (!this.looks.delete(toHex(look.id))) return;
    look.cancel();
    look.session.end();
    const nowMs = clock.monotonicMs();
    look.use.toMs = Math.min(look.use.toMs, nowMs);
    counters.add('look.ended');
    const { sent, dropped } = look.session;
    log.info({ reason, sent, dropped }, 'a look ended');
    guard(log, 'the end of a look could not be recorded', () => {
      const lookEnd = {
        session: look.id,
        framesSent: sent,
        framesDropped: dropped,
        seconds: Math.round((nowMs - look.startedMs) / 1000),
        reason,
      };
      const command = {
        source: sourceOf(look),
        action: 'look',
        result: 'done',
        object: look.order.hash,
        lookEnd,
      } as const;
      outbox.append({ kind: 'command', time: now(), command }, [], look.claimHash);
    });
    this.darken();
  }

  private async show(frame: Frame, wanting: readonly Shown[]): Promise<void> {
    const { masked, counters } = this.deps;
    const { generation } = this;
    try {
      const jpeg = await masked(frame);
      if (jpeg === null || generation !== this.generation) return;
      for (const { id, session } of wanting) if (this.looks.has(toHex(id))) session.addFrame(jpeg, frame.monotonicMs);
    } catch (error) {
      counters.add(`look.${asSealcamError(error).code}`);
    }
  }

  /** Returns null where the claim changed. @throws SealcamError `store-full`, `store-unavailable` */
  private answer(
    order: Verified<Look>,
    viewer: Viewer,
    claimHash: Uint8Array,
    ciphertext: Uint8Array | null,
    endMs: number,
  ): Verified<AnyRecord> | null {
    const look = { order: order.bytes, ciphertext, expiresMs: Math.round(endMs) };
    const command = { source: sourceOf(viewer), action: 'look', result: 'done', object: order.hash, look } as const;
    return this.deps.outbox.append({ kind: 'command', time: this.deps.now(), command }, [], claimHash);
  }

  private refuse(order: Verified<Look>, viewer: Viewer, code: string): void {
    const { outbox, log, now } = this.deps;
    guard(log, 'the answer to an order to look could not be recorded', () => {
      const command = {
        source: sourceOf(viewer),
        action: 'look',
        result: 'refused',
        object: order.hash,
        code,
      } as const;
      outbox.append({ kind: 'command', time: now(), command }, [], order.value.claimHash);
    });
  }

  private darken(): void {
    if (this.looks.size + this.starting === 0) this.deps.light.turnOff();
  }
}

function sourceOf({ isOwner }: Viewer): 'owner' | 'member' {
  return isOwner ? 'owner' : 'member';
}
