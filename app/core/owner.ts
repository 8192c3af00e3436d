import { equal } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimKind, claimMac } from '../../protocol/objects/claim.js';
import type { ClaimCode } from '../../protocol/objects/claim-code.js';
import { offerKind, type Offer } from '../../protocol/objects/offer.js';
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
    const { suite, clock, keys, client, history } = this.deps;
    const receiptKeys = await client.receiptKeys();
    onStep('waiting-for-camera');
    const giveUpMs = clock.monotonicMs() + CLAIM_PATIENCE_MS;
    let sentNonce: Uint8Array | null = null;
    while (!signal.aborted && clock.monotonicMs() < giveUpMs) {
      const offer = await this.openOffer(code.device);
      if (offer !== null && (sentNonce === null || !equal(sentNonce, offer.nonce))) {
        const claim = signObject(claimKind, suite, keys.signer, {
          device: code.device,
          epoch: offer.lastEpoch + 1,
          account: keys.account,
          ownerKey: keys.signer.publicKey,
          recipients: [{ x25519: keys.recipient.publicKey, ed25519: keys.signer.publicKey }],
          receiptKeys,
          previous: offer.lastClaimHash,
          nonce: offer.nonce,
          issuedAtMs: Math.round(clock.wallMs()),
        });
        await history.addClaim(claim.bytes);
        await client.sendClaim(claim.bytes, claimMac(suite, code.secret, claim));
        sentNonce = offer.nonce;
        onStep('claim-sent');
      }
      if (sentNonce !== null) {
        const epoch = await this.acceptedEpoch(code.device);
        if (epoch !== null) {
          onStep('accepted');
          return epoch;
        }
      }
      await sleep(clock, POLL_MS, signal);
    }
    throw new SealcamError('claim-refused', 'the camera did not accept in time');
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

  /** Looks for a record that proves the acceptance of our claim. */
  private async acceptedEpoch(device: Uint8Array): Promise<number | null> {
    const { client, history } = this.deps;
    for (const camera of await client.cameras()) {
      if (!equal(camera.device, device) || history.claimOf(device, camera.epoch) === null) continue;
      try {
        const { records } = await client.records(device, camera.epoch, 1, 1);
        for (const item of records) await history.take(item.record, item.receivedAtMs);
      } catch (error) {
        if (asSealcamError(error).code !== 'not-found') throw error;
      }
      if (history.isAccepted(device, camera.epoch)) return camera.epoch;
    }
    return null;
  }
}
