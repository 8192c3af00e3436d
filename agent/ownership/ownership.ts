import { equal } from '../../common/bytes.js';
import type { CancelTimer, Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import { guard } from '../../common/guard.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { Indicator, IndicatorState } from '../../hal/peripherals.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { claimKind } from '../../protocol/objects/claim.js';
import { offerKind } from '../../protocol/objects/offer.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import type { Mirror } from '../outbox/mirror.js';
import type { Outbox } from '../outbox/outbox.js';
import { noteOwnership } from '../outbox/published.js';
import { ClaimWindow, type OwnershipFacts } from './claim-window.js';

export interface OwnershipDependencies {
  readonly suite: CryptoSuite;
  readonly random: Random;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly device: Uint8Array;
  readonly claimSecret: Uint8Array;
  readonly outbox: Outbox;
  readonly mirror: Mirror;
  readonly indicator: Indicator;
  readonly counters: Counters;
  readonly log: Log;
  readonly now: () => RecordTime;
  /** Publishes an offer; its window is open from now on. */
  readonly onOffer: (offer: Uint8Array) => void;
  readonly onWindow: (open: boolean) => void;
  /** What the indicator shows while no window is open. */
  readonly restingState: () => IndicatorState;
  /** The ownership is about to end: what was counted and not recorded yet is recorded now, or nobody ever names it. */
  readonly onEnding: () => void;
  /** An epoch was opened or ended. */
  readonly onChanged: () => void;
}

/** Keeps the camera's ownership: claim window, claims, and the end of an ownership. */
export class OwnershipKeeper {
  private readonly deps: OwnershipDependencies;
  private readonly window = new ClaimWindow();
  private cancelClose: CancelTimer = () => undefined;

  constructor(deps: OwnershipDependencies) {
    this.deps = deps;
  }

  /** Returns what a claim is verified against. */
  facts(): OwnershipFacts {
    const { lastEpoch, lastClaimHash, claim } = this.deps.outbox.ownership();
    return {
      device: this.deps.device,
      lastEpoch,
      lastClaimHash,
      ownerKey: claim?.value.ownerKey ?? null,
    };
  }

  /** Returns the milliseconds until the physical window closes, null if it is closed. */
  windowLeftMs(): number | null {
    const nowMs = this.deps.clock.monotonicMs();
    const closesAtMs = this.window.closesAtMs(nowMs);
    return closesAtMs === null ? null : closesAtMs - nowMs;
  }

  /** Opens the claim window. A person is at the camera: button, console or first boot. */
  openWindow(): void {
    const { clock, indicator, log, onOffer, onWindow } = this.deps;
    onOffer(this.makeOffer('physical'));
    onWindow(true);
    indicator.show('claim-window');
    log.info({ minutes: LIMITS.claimWindowMs / 60_000 }, 'the claim window is open');
    this.cancelClose();
    this.cancelClose = clock.after(LIMITS.claimWindowMs, () => {
      this.closeWindow();
    });
  }

  /** Publishes an offer at the cloud's request. It admits only the current owner's claim. */
  offerToOwner(): void {
    if (this.facts().ownerKey !== null) this.deps.onOffer(this.makeOffer('owner'));
  }

  /** Publishes the offer of the open window again, for a new connection. */
  repeatOffer(): void {
    const offer = this.window.physicalOffer(this.deps.clock.monotonicMs());
    if (offer !== null) this.deps.onOffer(signObject(offerKind, this.deps.suite, this.deps.signer, offer).bytes);
  }

  /** Accepts or refuses a claim from the cloud: untrusted bytes. Refusals are counted and logged, never thrown. */
  handleClaim(bytes: Uint8Array, mac: Uint8Array | null): void {
    const { suite, clock, claimSecret, outbox, mirror, counters, log, now, onChanged } = this.deps;
    try {
      const claim = openSigned(claimKind, suite, bytes);
      // The cloud relays a pending claim on each offer, also the one that is in force already.
      const current = outbox.currentClaim();
      if (current !== null && equal(current.hash, claim.hash)) return;
      this.window.admit({ suite, claim, mac, secret: claimSecret, facts: this.facts(), nowMs: clock.monotonicMs() });
      outbox.beginEpoch(claim, now());
      noteOwnership(outbox, mirror);
      log.info({ epoch: claim.value.epoch, recipients: claim.value.recipients.length }, 'the camera has an owner');
    } catch (error) {
      const { code, message } = asSealcamError(error);
      counters.add(`claim.${code}`);
      log.warn({ code }, message);
      return;
    }
    this.closeWindow();
    onChanged();
  }

  /** Ends the ownership. The camera then records nothing until it is claimed again. */
  end(reason: 'release' | 'reset'): void {
    const { outbox, mirror, log, now, onEnding, onChanged } = this.deps;
    guard(log, 'what was withheld could not be recorded', onEnding);
    outbox.endEpoch(reason, now());
    noteOwnership(outbox, mirror);
    onChanged();
  }

  stop(): void {
    this.cancelClose();
  }

  private makeOffer(mode: 'physical' | 'owner'): Uint8Array {
    const { suite, signer, random, clock } = this.deps;
    const offer = this.window.open(mode, this.facts(), random.bytes(16), clock.monotonicMs());
    return signObject(offerKind, suite, signer, offer).bytes;
  }

  private closeWindow(): void {
    this.cancelClose();
    this.window.close();
    this.deps.indicator.show(this.deps.restingState());
    this.deps.onWindow(false);
  }
}
