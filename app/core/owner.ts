import { equal } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKind, claimMac, type Recipient } from '../../protocol/objects/claim.js';
import type { ClaimCode } from '../../protocol/objects/claim-code.js';
import { offerKind, type Offer } from '../../protocol/objects/offer.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import { Opener } from './opener.js';
import { recipientOf, type OwnerKeys } from './owner-keys.js';
import type { ReceiptKeyPins } from './receipt-key-pins.js';
import type { EventPicture } from './timeline.js';

/** Progress of a claim. */
export type ClaimStep = 'waiting-for-camera' | 'claim-sent' | 'accepted';

export interface OwnerDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly keys: OwnerKeys;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly receiptKeys: ReceiptKeyPins;
  /** One without another thread if omitted. */
  readonly opener?: Opener;
}

const POLL_INTERVAL_MS = 1000;
/** How long to wait for a camera to accept a claim: as long as a claim window is open. */
const CLAIM_TIMEOUT_MS = 10 * 60_000;
const REVOKE_ATTEMPTS_MAX = 3;

export interface MemberChange {
  readonly device: Uint8Array;
  readonly epoch: number;
  /** All members from now on, without the owner. */
  readonly members: readonly Recipient[];
  readonly onStep: (step: ClaimStep) => void;
  readonly signal: AbortSignal;
}

interface ClaimTerms {
  /** From the claim code; null for a camera that is ours already. */
  readonly secret: Uint8Array | null;
  readonly members: readonly Recipient[];
  /** Returns whether this is the offer to answer. */
  readonly isExpected: (offer: Offer) => boolean;
}

/** Claims cameras, changes their members, revokes ownerships and opens pictures, with the owner's keys. */
export class Owner {
  private readonly deps: OwnerDependencies;
  private readonly opener: Opener;

  constructor(deps: OwnerDependencies) {
    this.deps = deps;
    const { suite, clock, keys } = deps;
    this.opener = deps.opener ?? new Opener({ suite, clock, keys: keys.recipient });
  }

  /**
   * Claims a camera with the code from its label: waits for its offer, signs the claim, and resolves with the new epoch
   * when a record signed by that camera proves that it accepted this claim.
   *
   * @throws SealcamError `claim-refused`, `receipt-keys-changed`, `cloud-unreachable`, `foreign`
   */
  async claim(code: ClaimCode, onStep: (step: ClaimStep) => void, signal: AbortSignal): Promise<number> {
    const terms: ClaimTerms = { secret: code.secret, members: [], isExpected: () => true };
    return this.claimOffered(code.device, terms, onStep, signal);
  }

  /**
   * Claims a camera of ours again, with these members, and resolves with the new epoch. It needs neither code nor
   * presence, because the camera accepts only its current owner's key.
   *
   * @throws SealcamError `claim-refused`, `receipt-keys-changed`, `cloud-unreachable`, `cloud-lied`
   */
  async changeMembers({ device, epoch, members, onStep, signal }: MemberChange): Promise<number> {
    const current = this.deps.history.claimOf(device, epoch);
    if (current === null) throw new SealcamError('not-found', 'this camera is not known here');
    await this.deps.client.requestOffer(device);
    // An offer after another claim is outdated, or the camera is no longer ours.
    const isExpected = ({ lastClaimHash }: Offer): boolean =>
      lastClaimHash !== null && equal(lastClaimHash, current.hash);
    return this.claimOffered(device, { secret: null, members, isExpected }, onStep, signal);
  }

  private async claimOffered(
    device: Uint8Array,
    { secret, members, isExpected }: ClaimTerms,
    onStep: (step: ClaimStep) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { suite, clock, keys, client, history } = this.deps;
    const receiptKeys = [...(await this.deps.receiptKeys.forClaim())];
    // What the cloud promises now, later floors are held to.
    await history.promise.note(await client.keepsForMs());
    onStep('waiting-for-camera');
    const giveUpMs = clock.monotonicMs() + CLAIM_TIMEOUT_MS;
    let sent: { readonly nonce: Uint8Array; readonly epoch: number } | null = null;
    while (!signal.aborted && clock.monotonicMs() < giveUpMs) {
      const offer = await this.openOffer(device);
      // An epoch that the camera accepted has its claim: an offer for it is an old one, given out again.
      const isOld = offer !== null && history.isAccepted(device, offer.lastEpoch + 1);
      if (offer !== null && !isOld && isExpected(offer) && (sent === null || !equal(sent.nonce, offer.nonce))) {
        const claim = signObject(claimKind, suite, keys.signer, {
          device,
          epoch: offer.lastEpoch + 1,
          account: keys.account,
          ownerKey: keys.signer.publicKey,
          recipients: [recipientOf(keys), ...members],
          receiptKeys,
          previous: offer.lastClaimHash,
          nonce: offer.nonce,
          issuedAtMs: Math.round(clock.wallMs()),
        });
        await history.addClaim(claim.bytes);
        await client.sendClaim(claim.bytes, secret === null ? null : claimMac(suite, secret, claim));
        sent = { nonce: offer.nonce, epoch: claim.value.epoch };
        onStep('claim-sent');
      }
      if (sent !== null && (await this.isAccepted(device, sent.epoch))) {
        onStep('accepted');
        return sent.epoch;
      }
      await sleep(clock, POLL_INTERVAL_MS, signal);
    }
    throw new SealcamError('claim-refused', 'the camera did not accept in time');
  }

  /**
   * Hands the claim of an epoch in again with the camera's signed accept, which together are all that a cloud needs: it may
   * have been restored from a back-up that is older than this epoch.
   * @throws SealcamError `not-found` if this device does not hold both; `cloud-unreachable`, `foreign`, `revoked`, …
   */
  async handInAgain(device: string, epoch: number): Promise<void> {
    const { client, history } = this.deps;
    const known = history.accepted().find((one) => one.device === device && one.epoch === epoch);
    if (known?.accept === undefined) {
      throw new SealcamError('not-found', 'this browser holds no answer of the camera to the claim', {
        hint: 'Another browser of yours may hold it. Else press the button on the camera and claim it again.',
      });
    }
    await client.sendAccept(known.claim, known.accept);
  }

  /**
   * Ends an ownership for good, after a camera or a key was stolen: the cloud no longer stores or shows anything of it.
   * @throws SealcamError `cloud-unreachable`, `cloud-lied`, `foreign`, `revocation-rollback`
   */
  async revoke(device: Uint8Array, epoch: number): Promise<void> {
    const { suite, clock, keys, client, history } = this.deps;
    for (let attempt = 1; ; attempt++) {
      const known = await client.revocation();
      if (known !== null) await history.addRevocations(known);
      // A counter and no time: after one list from a clock that was ahead, none from a right clock would be taken.
      const listVersion = history.revocationVersion + 1;
      // An epoch that a list once named stays revoked for the cloud. The list repeats the earlier ones for this owner's other
      // browsers, which would miss the cameras else.
      const entries = [...history.revocations(), { device, epoch }].slice(-LIMITS.revocationMaxEntries);
      const issuedAtMs = Math.round(clock.wallMs());
      const list = signObject(revocationKind, suite, keys.signer, { scope: 'owner', listVersion, issuedAtMs, entries });
      try {
        await client.sendRevocation(list.bytes);
      } catch (error) {
        // Another browser of this owner took the version meanwhile.
        const isTaken = isSealcamError(error) && error.code === 'revocation-rollback';
        if (isTaken && attempt < REVOKE_ATTEMPTS_MAX) continue;
        throw error;
      }
      await history.recordRevocation(device, epoch, listVersion);
      return;
    }
  }

  /**
   * Fetches and opens the picture of an event. Its hashes and its seal must both match the signed record.
   * @throws SealcamError `cloud-lied`, `seal-refused`, `malformed`, `not-found`, `cloud-unreachable`
   */
  async openPicture({ device, epoch, eventId, media, record }: EventPicture): Promise<SealedContent> {
    const { suite, client } = this.deps;
    const sealed = await client.media(device, epoch, media.id);
    if (!isMediaOf(suite, media, sealed)) {
      throw new SealcamError('cloud-lied', 'the cloud sent a sealed object that the record does not name');
    }
    const { account, claimHash } = record.value;
    const context = { device, account, epoch, claimHash, eventId, mediaId: media.id };
    return this.opener.open(context, sealed);
  }

  private async openOffer(device: Uint8Array): Promise<Offer | null> {
    const { suite, client } = this.deps;
    let bytes: Uint8Array;
    try {
      bytes = await client.offer(device);
    } catch (error) {
      if (isSealcamError(error) && error.code === 'not-found') return null;
      throw error;
    }
    const offer = openSigned(offerKind, suite, bytes).value;
    if (!equal(offer.device, device)) throw new SealcamError('cloud-lied', 'an offer from another camera');
    return offer;
  }

  /** Returns whether a record of the camera proves that it accepted our claim of this epoch. */
  private async isAccepted(device: Uint8Array, epoch: number): Promise<boolean> {
    const { client, history } = this.deps;
    try {
      const { records } = await client.records(device, epoch, 1, 1);
      for (const item of records) await history.verifyAndApply(item.record, item.receivedAtMs);
    } catch (error) {
      if (asSealcamError(error).code !== 'not-found') throw error;
    }
    return history.isAccepted(device, epoch);
  }
}
