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
import { anyClaimKind, checkClaimSuccession, type AnyClaim, type ClaimV2 } from '../../protocol/objects/claim.js';
import { checkKemKeys } from '../../protocol/objects/kem-keys.js';
import { anyOfferKind, type Offer } from '../../protocol/objects/offer.js';
import type { RecordTime } from '../../protocol/objects/record.js';
import {
  openSigned,
  signBytes,
  versionOf,
  type ProtocolVersion,
  type Verified,
} from '../../protocol/objects/signed-object.js';
import type { WrapKey } from '../../protocol/seal/key-record.js';
import { isVersionTwo } from '../../protocol/wire/codec.js';
import type { Mirror } from '../outbox/mirror.js';
import type { Outbox } from '../outbox/outbox.js';
import { noteOwnership } from '../outbox/published.js';
import { ClaimWindow, type ClaimAttempt, type OwnershipFacts } from './claim-window.js';

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
  /** Wraps a key, in a process that ends: each KEM key is tried before its claim is taken. */
  readonly wrap: WrapKey;
  /** The version that the cloud of this connection takes. Version 2 only where it said so. */
  readonly version: () => ProtocolVersion;
  /** Publishes an offer, beside it the same one in version 2 where the camera takes a claim of either; its window is open from now on. */
  readonly onOffer: (offer: Uint8Array, offerV2?: Uint8Array) => void;
  readonly onWindow: (open: boolean) => void;
  /** What the indicator shows while no window is open. */
  readonly restingState: () => IndicatorState;
  /** The ownership is about to end: what was counted and not recorded yet is recorded now, or nobody ever names it. */
  readonly onEnding: () => void;
  /** The epoch is about to end, by a tombstone or a new claim: nothing of it may be part of another. */
  readonly onEpochEnding?: () => void;
  /** An epoch was opened or ended. */
  readonly onChanged: () => void;
}

/** How long an offer on a new connection waits for the cloud's greeting. A busy cloud takes seconds; a claim window is open for minutes. */
const GREETING_TIMEOUT_MS = 5000;

/** Keeps the camera's ownership: claim window, claims, and the end of an ownership. */
export class OwnershipKeeper {
  private readonly deps: OwnershipDependencies;
  private readonly window = new ClaimWindow();
  private cancelClose: CancelTimer = () => undefined;
  /** An offer that waits for the cloud of a new connection to say which versions it takes. */
  private cancelOffer: CancelTimer = () => undefined;
  /** The KEM keys of a claim are being tried; one claim at a time. */
  private isTrying = false;

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
    const { clock, indicator, log, onWindow } = this.deps;
    this.makeOffer('physical');
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
    if (this.facts().ownerKey !== null) this.makeOffer('owner');
  }

  /**
   * Publishes the offer of the open window on a new connection, once its cloud said which versions it takes: an owner's page may
   * answer within a moment, and would make an epoch of version 1. An older cloud never says it.
   */
  connected(): void {
    const { clock, version } = this.deps;
    if (version() === 2) this.greeted();
    else {
      this.cancelOffer();
      this.cancelOffer = clock.after(GREETING_TIMEOUT_MS, () => {
        this.repeatOffer();
      });
    }
  }

  /** The cloud said that it takes another version than it was offered. */
  greeted(): void {
    this.cancelOffer();
    this.repeatOffer();
  }

  /**
   * Accepts or refuses a claim from the cloud: untrusted bytes. Refusals are counted and logged, never thrown. One of version 2 is
   * accepted once each of its KEM keys was tried.
   */
  handleClaim(bytes: Uint8Array, mac: Uint8Array | null, kemKeys: readonly Uint8Array[] = []): void {
    const { suite, outbox } = this.deps;
    try {
      const claim = openSigned(anyClaimKind, suite, bytes);
      // The cloud relays a pending claim on each offer, also the one that is in force already.
      const current = outbox.currentClaim();
      if (current !== null && equal(current.hash, claim.hash)) return;
      if (current !== null) checkClaimSuccession(current.value, claim.value);
      if (!isVersionTwo(claim.value)) this.accept(claim, mac);
      else {
        this.tryKeys({ ...claim, value: claim.value }, mac, kemKeys).catch((error: unknown) => {
          this.refuse(error);
        });
      }
    } catch (error) {
      this.refuse(error);
    }
  }

  /** Ends the ownership. The camera then records nothing until it is claimed again. */
  end(reason: 'release' | 'reset'): void {
    const { outbox, mirror, log, now, onEnding, onEpochEnding, onChanged } = this.deps;
    guard(log, 'what was withheld could not be recorded', onEnding);
    onEpochEnding?.();
    outbox.endEpoch(reason, now());
    noteOwnership(outbox, mirror);
    onChanged();
  }

  stop(): void {
    this.cancelClose();
    this.cancelOffer();
  }

  /** Accepts a claim if each of its KEM keys can be used. @throws SealcamError as it is refused, before and after the trial */
  private async tryKeys(
    claim: Verified<ClaimV2>,
    mac: Uint8Array | null,
    kemKeys: readonly Uint8Array[],
  ): Promise<void> {
    const { suite, random, wrap } = this.deps;
    this.window.check(this.attemptOf(claim, mac));
    checkKemKeys(suite, claim.value, kemKeys);
    if (this.isTrying) return;
    this.isTrying = true;
    try {
      // What is wrapped is a key for nothing.
      await wrap({ recipients: kemKeys, info: random.bytes(32), key: random.bytes(32) });
    } finally {
      this.isTrying = false;
    }
    this.accept(claim, mac, kemKeys);
  }

  /** Makes a claim the one in force. @throws SealcamError `claim-refused`, `store-full`, `store-unavailable` */
  private accept(claim: Verified<AnyClaim>, mac: Uint8Array | null, kemKeys: readonly Uint8Array[] = []): void {
    const { outbox, mirror, log, now, onEpochEnding, onChanged } = this.deps;
    this.window.admit(this.attemptOf(claim, mac));
    onEpochEnding?.();
    outbox.beginEpoch(claim, now(), kemKeys);
    noteOwnership(outbox, mirror);
    const { epoch, recipients } = claim.value;
    log.info({ epoch, recipients: recipients.length, version: versionOf(claim.value) }, 'the camera has an owner');
    this.closeWindow();
    onChanged();
  }

  private refuse(error: unknown): void {
    const { code, message } = asSealcamError(error);
    this.deps.counters.add(`claim.${code}`);
    this.deps.log.warn({ code }, message);
  }

  private attemptOf(claim: Verified<AnyClaim>, mac: Uint8Array | null): ClaimAttempt {
    const { suite, claimSecret, clock } = this.deps;
    return { suite, claim, mac, secret: claimSecret, facts: this.facts(), nowMs: clock.monotonicMs() };
  }

  private repeatOffer(): void {
    const offer = this.window.physicalOffer(this.deps.clock.monotonicMs());
    if (offer !== null) this.publish(offer);
  }

  private makeOffer(mode: Offer['mode']): void {
    const { random, clock } = this.deps;
    this.publish(this.window.open(mode, this.facts(), random.bytes(16), clock.monotonicMs()));
  }

  /** Publishes an offer in each version of which a claim may answer it. */
  private publish(offer: Offer): void {
    const { suite, signer, outbox, version, onOffer } = this.deps;
    const signed = signBytes(anyOfferKind, suite, signer, offer);
    if (version() === 1) {
      onOffer(signed);
      return;
    }
    const signedV2 = signBytes(anyOfferKind, suite, signer, this.window.inVersionTwo(offer));
    const current = outbox.currentClaim();
    // After a claim of version 2 one of version 1 would be refused.
    if (current !== null && isVersionTwo(current.value)) onOffer(signedV2);
    else onOffer(signed, signedV2);
  }

  private closeWindow(): void {
    this.cancelClose();
    this.window.close();
    this.deps.indicator.show(this.deps.restingState());
    this.deps.onWindow(false);
  }
}
