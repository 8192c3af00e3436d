import { equal, fromHex } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { claimMac } from '../../protocol/objects/claim.js';
import type { ClaimCode } from '../../protocol/objects/claim-code.js';
import { HASH_BYTES, NO_EVENT } from '../../protocol/objects/ids.js';
import { anyOfferKind, type Offer, type OfferV2 } from '../../protocol/objects/offer.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { RecordMediaV2 } from '../../protocol/objects/record-fields-v2.js';
import { revocationKind } from '../../protocol/objects/revocation.js';
import { openSigned, signObject } from '../../protocol/objects/signed-object.js';
import type { SealedContent } from '../../protocol/seal/content.js';
import { decodeObjectHeader, type ObjectContext } from '../../protocol/seal/object.js';
import type { OpenedPeriod } from '../../protocol/seal/open-period.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { PeriodState } from '../../protocol/verify/history.js';
import { isMediaOf, isSegmentOf } from '../../protocol/verify/media.js';
import type { ClaimMaker, KemDependencies } from './claim-maker.js';
import type { OfferAnswer } from './cloud-answers.js';
import type { NamedSegment } from './clips.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { MemberKeys } from './member-keys.js';
import { Opener, type Opening } from './opener.js';
import type { OwnerKeys } from './owner-keys.js';
import { isOfVersionTwo, PeriodKeys } from './period-keys.js';
import type { ReceiptKeyPins } from './receipt-key-pins.js';
import type { SealedAnswer } from './standing-orders.js';
import { pictureKey, type EventPicture, type SealedName } from './timeline.js';

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
  /** Omitted by tools that claim at version 1 only. */
  readonly kem?: KemDependencies;
}

const POLL_INTERVAL_MS = 1000;
/** How long to wait for a camera to accept a claim: as long as a claim window is open. */
const CLAIM_TIMEOUT_MS = 10 * 60_000;
const REVOKE_ATTEMPTS_MAX = 3;

export interface MemberChange {
  readonly device: Uint8Array;
  readonly epoch: number;
  /** All members from now on, without the owner. */
  readonly members: readonly MemberKeys[];
  /** Whether to sign nothing unless the claim is of version 2. */
  readonly needsVersionTwo?: boolean;
  readonly onStep: (step: ClaimStep) => void;
  /** Called with the members for whose sake a claim is of version 1, where the camera offered version 2. */
  readonly onKeptBack?: (members: readonly MemberKeys[]) => void;
  readonly signal: AbortSignal;
}

interface ClaimTerms {
  /** From the claim code; null for a camera that is ours already. */
  readonly secret: Uint8Array | null;
  readonly members: readonly MemberKeys[];
  readonly needsVersionTwo: boolean;
  readonly onKeptBack: (members: readonly MemberKeys[]) => void;
  /** Returns whether this is the offer to answer. */
  readonly isExpected: (offer: Offer | OfferV2) => boolean;
}

/** Objects whose period is remembered. */
const PERIODS_NOTED_MAX = 10_000;

/** Claims cameras, changes their members, revokes ownerships and opens pictures, with the owner's keys. */
export class Owner {
  private readonly deps: OwnerDependencies;
  private readonly opener: Opener;
  private readonly periods: PeriodKeys;
  /** By key of an object, the period in which it was sealed. */
  private readonly periodOf = new Map<string, Uint8Array>();

  constructor(deps: OwnerDependencies) {
    this.deps = deps;
    const { suite, clock, keys, client, history } = deps;
    this.opener = deps.opener ?? new Opener({ suite, clock, keys });
    this.periods = new PeriodKeys({ suite, clock, client, history, ownKey: keys.signer.publicKey });
  }

  /**
   * Claims a camera with the code from its label: waits for its offer, signs the claim, and resolves with the new epoch
   * when a record signed by that camera proves that it accepted this claim. `browsers` are further browsers of this owner, which
   * the claim names too; it is of version 2 then.
   *
   * @throws SealcamError `claim-refused`, `receipt-keys-changed`, `cloud-unreachable`, `foreign`
   */
  async claim(
    code: ClaimCode,
    onStep: (step: ClaimStep) => void,
    signal: AbortSignal,
    browsers: readonly MemberKeys[] = [],
  ): Promise<number> {
    const terms: ClaimTerms = {
      secret: code.secret,
      members: browsers,
      needsVersionTwo: false,
      onKeptBack: () => undefined,
      isExpected: () => true,
    };
    return this.claimOffered(code.device, terms, onStep, signal);
  }

  /**
   * Claims a camera of ours again, with these members, and resolves with the new epoch. It needs neither code nor
   * presence, because the camera accepts only its current owner's key.
   *
   * @throws SealcamError `claim-refused`, `claim-downgrade`, `receipt-keys-changed`, `cloud-unreachable`, `cloud-lied`
   */
  async changeMembers({ device, epoch, members, onStep, signal, ...change }: MemberChange): Promise<number> {
    const current = this.deps.history.claimOf(device, epoch);
    if (current === null) throw new SealcamError('not-found', 'this camera is not known here');
    await this.deps.client.requestOffer(device);
    // An offer after another claim is outdated, or the camera is no longer ours.
    const isExpected = ({ lastClaimHash }: Offer | OfferV2): boolean =>
      lastClaimHash !== null && equal(lastClaimHash, current.hash);
    const { needsVersionTwo = false, onKeptBack = () => undefined } = change;
    const terms = { secret: null, members, needsVersionTwo, onKeptBack, isExpected };
    return this.claimOffered(device, terms, onStep, signal);
  }

  private async claimOffered(
    device: Uint8Array,
    { secret, isExpected, onKeptBack, ...terms }: ClaimTerms,
    onStep: (step: ClaimStep) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { suite, clock, client, history } = this.deps;
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
        const { claim, kemKeys, keptBackBy } = await (await this.maker()).make({ offer, receiptKeys, ...terms });
        if (keptBackBy.length > 0) onKeptBack(keptBackBy);
        await history.addClaim(claim.bytes);
        await client.sendClaim(claim.bytes, secret === null ? null : claimMac(suite, secret, claim), kemKeys);
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
    const id = fromHex(device, HASH_BYTES);
    const claim = id === undefined ? null : history.claimOf(id, epoch);
    const kemKeys = claim === null ? null : await (await this.maker()).kemKeysBeside(claim.value);
    await client.sendAccept(known.claim, known.accept, kemKeys);
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
   * @throws SealcamError `cloud-lied`, `seal-refused`, `not-sealed-to-you`, `malformed`, `key-pending`, `not-found`,
   *   `cloud-unreachable`
   */
  async openPicture({ eventId, media, record }: EventPicture): Promise<SealedContent> {
    const role = media.role === 'mini' ? 'mini' : 'thumbnail';
    return this.opener.open(await this.openingOf(record.value, media, { eventId, role }));
  }

  /**
   * Fetches and opens what is in force, as it is encoded, from the answer to an order that carries it.
   * @throws SealcamError as {@link openPicture}
   */
  async openAnswer({ record, media }: SealedAnswer): Promise<Uint8Array> {
    return this.opener.openHere(await this.openingOf(record, media, { eventId: NO_EVENT, role: 'detail' }));
  }

  /**
   * Fetches and opens a segment of a clip. Length, hash and seal must match the signed record that names it.
   * @throws SealcamError as {@link openPicture}; `not-found` also before the body has come
   */
  async openSegment({ record, entry }: NamedSegment): Promise<Uint8Array> {
    const { suite, client } = this.deps;
    const { device, account, epoch, claimHash, clip } = record.value;
    const [, mediaId, , bodyHash, header] = entry;
    if (clip === undefined) throw new SealcamError('malformed', 'a record that names no segments');
    const body = await client.segment(device, epoch, bodyHash);
    if (!isSegmentOf(suite, entry, body)) {
      throw new SealcamError('cloud-lied', 'the cloud sent a segment that the record does not name');
    }
    const sealed = { header, body };
    const { eventId } = clip;
    const context = { device, account, epoch, claimHash, eventId, mediaId, role: 'segment' } as const;
    const period = await this.periodKeyOf({ device, epoch, media: { id: mediaId } }, sealed);
    return this.opener.openSegment({ context, sealed, period });
  }

  /**
   * Returns what is known now of the key record on which an object depends that was asked for; null without one. Where it
   * is `equivocation`, the object must not be shown any longer.
   */
  periodStateOf(object: SealedName): PeriodState['state'] | null {
    const { device, epoch } = object;
    const periodId = this.periodOf.get(pictureKey(object));
    return periodId === undefined ? null : this.deps.history.periodOf(device, epoch, periodId).state;
  }

  /** Returns the same for a segment. */
  keyStateOfSegment({ record, entry: [, id] }: NamedSegment): PeriodState['state'] | null {
    const { device, epoch } = record.value;
    return this.periodStateOf({ device, epoch, media: { id } });
  }

  /**
   * Opens a period in this thread.
   * @throws SealcamError `malformed` in an epoch of version 1, which has none; as {@link openPicture}
   */
  async openPeriod(device: Uint8Array, epoch: number, periodId: Uint8Array): Promise<OpenedPeriod> {
    const claim = this.deps.history.claimOf(device, epoch);
    if (claim === null || !isOfVersionTwo(claim)) throw new SealcamError('malformed', 'an epoch without periods');
    return this.opener.openPeriod(await this.periods.of(claim, periodId));
  }

  /** Makes claims; loaded with the first one, since most visits make none. */
  private async maker(): Promise<ClaimMaker> {
    const { ClaimMaker } = await import('./claim-maker.js');
    return new ClaimMaker(this.deps);
  }

  /** Fetches a sealed object that a record names, with the key of its period. */
  private async openingOf(
    { device, account, epoch, claimHash }: AnyRecord,
    media: RecordMediaV2,
    place: Pick<ObjectContext, 'eventId' | 'role'>,
  ): Promise<Opening> {
    const { suite, client } = this.deps;
    const sealed = await client.media(device, epoch, media.id);
    if (!isMediaOf(suite, media, sealed)) {
      throw new SealcamError('cloud-lied', 'the cloud sent a sealed object that the record does not name');
    }
    const context = { device, account, epoch, claimHash, mediaId: media.id, ...place };
    return { context, sealed, period: await this.periodKeyOf({ device, epoch, media }, sealed) };
  }

  private async periodKeyOf(object: SealedName, { header }: SealedObject): Promise<Opening['period']> {
    const { device, epoch } = object;
    const claim = this.deps.history.claimOf(device, epoch);
    // The claim decides, and not the header: nobody can choose the weaker suite.
    if (claim === null || !isOfVersionTwo(claim)) return null;
    const { periodId } = decodeObjectHeader(header);
    this.periodOf.set(pictureKey(object), periodId);
    if (this.periodOf.size > PERIODS_NOTED_MAX) this.periodOf.delete(this.periodOf.keys().next().value ?? '');
    return this.periods.of(claim, periodId);
  }

  private async openOffer(device: Uint8Array): Promise<Offer | OfferV2 | null> {
    const { suite, client, kem } = this.deps;
    let answer: OfferAnswer;
    try {
      answer = await client.offer(device);
    } catch (error) {
      if (isSealcamError(error) && error.code === 'not-found') return null;
      throw error;
    }
    const highest = kem === undefined ? answer.offer : (answer.offerV2 ?? answer.offer);
    const offer = openSigned(anyOfferKind, suite, highest).value;
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
