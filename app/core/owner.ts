import { equal } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKind, claimMac, type Recipient } from '../../protocol/objects/claim.js';
import type { ClaimCode } from '../../protocol/objects/claim-code.js';
import { offerKind, type Offer } from '../../protocol/objects/offer.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import { unseal } from '../../protocol/seal/seal.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { OwnerKeys } from './owner-keys.js';
import type { EventPicture } from './timeline.js';

export type ClaimStep = 'waiting-for-camera' | 'claim-sent' | 'accepted';

export interface OwnerDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly keys: OwnerKeys;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
}

const POLL_MS = 1000;
const CLAIM_PATIENCE_MS = 10 * 60_000;

export interface MemberChange {
  readonly device: Uint8Array;
  readonly epoch: number;
  /** All members from now on, without the owner. */
  readonly members: readonly Recipient[];
  readonly onStep: (step: ClaimStep) => void;
  readonly signal: AbortSignal;
}

interface ClaimTerms {
  /** Of the claim code; null where the camera is ours already. */
  readonly secret: Uint8Array | null;
  readonly members: readonly Recipient[];
  /** Whether an offer is the one that is meant. */
  readonly follows: (offer: Offer) => boolean;
}

/** What an owner does: claims cameras and opens pictures. */
export class Owner {
  private readonly deps: OwnerDependencies;

  constructor(deps: OwnerDependencies) {
    this.deps = deps;
  }

  /**
   * Claims a camera by the code of its label: waits for its offer, signs, and trusts the result only when a record
   * of that very camera says that it accepted this very claim.
   *
   * @throws SealcamError `claim-refused`, `cloud-unreachable`, `foreign`
   */
  async claim(code: ClaimCode, onStep: (step: ClaimStep) => void, signal: AbortSignal): Promise<number> {
    const terms: ClaimTerms = { secret: code.secret, members: [], follows: () => true };
    return this.claimOffered(code.device, terms, onStep, signal);
  }

  /**
   * Another epoch of a camera that is ours already, with these members beside us. The camera asks for neither code nor
   * presence, since only the owner's key can sign it. Also what starts a camera again that stopped signing.
   *
   * @throws SealcamError `claim-refused`, `cloud-unreachable`, `cloud-lied`
   */
  async changeMembers({ device, epoch, members, onStep, signal }: MemberChange): Promise<number> {
    const current = this.deps.history.claimOf(device, epoch);
    if (current === null) throw new SealcamError('not-found', 'this camera is not known here');
    await this.deps.client.requestOffer(device);
    // An offer of another ownership means that the camera is not ours any more; an older one is still lying about.
    const follows = ({ lastClaimHash }: Offer): boolean => lastClaimHash !== null && equal(lastClaimHash, current.hash);
    return this.claimOffered(device, { secret: null, members, follows }, onStep, signal);
  }

  private async claimOffered(
    device: Uint8Array,
    { secret, members, follows }: ClaimTerms,
    onStep: (step: ClaimStep) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { suite, clock, keys, client, history } = this.deps;
    const receiptKeys = await client.receiptKeys();
    onStep('waiting-for-camera');
    const giveUpMs = clock.monotonicMs() + CLAIM_PATIENCE_MS;
    let sent: { readonly nonce: Uint8Array; readonly epoch: number } | null = null;
    while (!signal.aborted && clock.monotonicMs() < giveUpMs) {
      const offer = await this.openOffer(device);
      if (offer !== null && follows(offer) && (sent === null || !equal(sent.nonce, offer.nonce))) {
        const own = { x25519: keys.recipient.publicKey, ed25519: keys.signer.publicKey };
        const claim = signObject(claimKind, suite, keys.signer, {
          device,
          epoch: offer.lastEpoch + 1,
          account: keys.account,
          ownerKey: keys.signer.publicKey,
          recipients: [own, ...members],
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
      await sleep(clock, POLL_MS, signal);
    }
    throw new SealcamError('claim-refused', 'the camera did not accept in time');
  }

  /**
   * Ends an ownership for good, for a camera or a key that was stolen: the cloud takes and shows nothing of it any more.
   * @throws SealcamError `cloud-unreachable`, `foreign`
   */
  async revoke(device: Uint8Array, epoch: number): Promise<void> {
    const { suite, clock, keys, client, history } = this.deps;
    const issuedAtMs = Math.round(clock.wallMs());
    // The cloud keeps every epoch revoked that a list named once, so a list need not repeat the ones before.
    const list = signObject(revocationKind, suite, keys.signer, {
      scope: 'owner',
      listVersion: issuedAtMs,
      issuedAtMs,
      entries: [{ device, epoch }],
    });
    await client.sendRevocation(list.bytes);
    await history.noteRevoked(device, epoch);
  }

  /** Opens the picture of an event in this page: bytes, hashes and seal must all belong to the signed record. */
  async openPicture({ device, epoch, eventId, media, record }: EventPicture): Promise<SealedContent> {
    const { suite, keys, client } = this.deps;
    const sealed = await client.media(device, epoch, media.id);
    if (!isMediaOf(suite, media, sealed)) {
      throw new SealcamError('cloud-lied', 'the cloud sent a sealed object that the record does not name');
    }
    const { account, claimHash } = record.value;
    const context = { device, account, epoch, claimHash, eventId, mediaId: media.id };
    return unseal(suite, context, keys.recipient, sealed);
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
    if (!equal(offer.device, device)) throw new SealcamError('cloud-lied', 'the offer of another camera');
    return offer;
  }

  /** Whether a record of the camera proves that it accepted our claim of this epoch. */
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
