import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { SealcamError } from '../../../common/errors.js';
import type { KemDependencies } from '../../../app/core/claim-maker.js';
import type { CloudClient } from '../../../app/core/cloud-client.js';
import { HistoryKeeper } from '../../../app/core/history-keeper.js';
import { MemberBook, type MemberKeys } from '../../../app/core/member-keys.js';
import { OwnKem } from '../../../app/core/own-kem.js';
import { Owner, type MemberChange } from '../../../app/core/owner.js';
import { ownerKeys, recipientOf, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { ReceiptKeyPins } from '../../../app/core/receipt-key-pins.js';
import { MemoryStorage } from '../../../app/core/storage.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyClaimKind, type AnyClaim, type Claim } from '../../../protocol/objects/claim.js';
import { anyOfferKind, type Offer, type OfferV2 } from '../../../protocol/objects/offer.js';
import { openSigned, signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { CameraWorld } from './camera-world.js';
import { asyncCodeOf } from '../codes.js';

/** Every wait is over at once, so that the page's patience passes in no time. */
class HastyClock implements Clock {
  private nowMs = 0;

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return Date.UTC(2026, 10, 21) + this.nowMs;
  }

  after = (delayMs: number, callback: () => void): (() => void) => {
    this.nowMs += delayMs;
    queueMicrotask(callback);
    return () => undefined;
  };
}

/** An owner's page that claims cameras over a cloud that answers what a test says. */
export class ClaimingPage {
  readonly keys: OwnerKeys;
  readonly camera: CameraWorld;
  readonly storage = new MemoryStorage();
  readonly history: HistoryKeeper;
  readonly receiptKeys: ReceiptKeyPins;
  readonly owner: Owner;
  /** What /v1/info answers. */
  named: readonly Uint8Array[] = [newKey(), newKey()];
  /** The offer that the cloud hands out; null for none. */
  offer: Uint8Array | null = null;
  /** Beside it, the one in version 2 of a camera that made it in both. */
  offerV2: Uint8Array | undefined;
  /** Claims that the page sent. */
  readonly sent: Verified<AnyClaim>[] = [];
  /** The KEM keys beside each of them. */
  readonly sentKeys: (readonly Uint8Array[] | null)[] = [];
  /** KEM keys that the cloud has, by hex of their hash. */
  readonly kemKeys = new Map<string, Uint8Array>();
  readonly kem: KemDependencies;
  private signatures = 0;
  /** The period that /v1/info names. */
  keepsForMs = 0;

  constructor() {
    const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    const sign = (message: Uint8Array): Uint8Array => {
      this.signatures++;
      return keys.signer.sign(message);
    };
    this.keys = { ...keys, signer: { publicKey: keys.signer.publicKey, sign } };
    this.camera = new CameraWorld({ owner: keys.signer });
    const client = {
      cloudOrigin: 'https://cloud.example',
      receiptKeys: () => Promise.resolve(this.named),
      keepsForMs: () => Promise.resolve(this.keepsForMs),
      requestOffer: () => Promise.resolve(),
      offer: () =>
        this.offer === null
          ? Promise.reject(new SealcamError('not-found', 'no offer'))
          : Promise.resolve({ offer: this.offer, offerV2: this.offerV2 }),
      sendClaim: (bytes: Uint8Array, _mac: Uint8Array | null, kemKeys: readonly Uint8Array[] | null) => {
        this.sent.push(openSigned(anyClaimKind, nodeSuite, bytes));
        this.sentKeys.push(kemKeys);
        return Promise.resolve('pending');
      },
      kemKey: (hash: Uint8Array) => {
        const found = this.kemKeys.get(toHex(hash));
        return found === undefined ? Promise.reject(new SealcamError('not-found', 'no key')) : Promise.resolve(found);
      },
      records: () => Promise.resolve({ records: [], lowestSeq: null, highestSeq: null }),
    } as unknown as CloudClient;
    const { storage } = this;
    const common = { suite: nodeSuite, clock: new HastyClock(), client };
    this.kem = { own: new OwnKem(nodeSuite, this.keys, storage), members: new MemberBook(storage) };
    const kemHash = (): Promise<Uint8Array> => this.kem.own.hash();
    this.history = new HistoryKeeper(nodeSuite, storage, recipientOf(this.keys), { kemHash });
    this.receiptKeys = new ReceiptKeyPins({ ...common, storage, ownerKey: this.keys.signer.publicKey });
    const { history, receiptKeys, kem } = this;
    this.owner = new Owner({ ...common, keys: this.keys, history, receiptKeys, kem });
  }

  /** Adds a claim that the camera accepted, as this page verified it. */
  async accepted(epoch: number, previous: Uint8Array | null, change: Partial<Claim> = {}): Promise<Verified<Claim>> {
    const recipients = [recipientOf(this.keys)];
    const claim = this.camera.claim(epoch, previous, { recipients, ...change });
    await this.history.addClaim(claim.bytes);
    await this.history.verifyAndApply(this.camera.record(claim, 0, claim.hash, { kind: 'accept' }).bytes, 1);
    return claim;
  }

  makeOffer(change: Partial<Offer> & Partial<Pick<OfferV2, 'version'>>, camera = this.camera): Uint8Array {
    return signObject(anyOfferKind, nodeSuite, camera.device, {
      device: camera.deviceId,
      lastEpoch: 0,
      lastClaimHash: null,
      mode: 'physical',
      nonce: realRandom.bytes(16),
      ...change,
    }).bytes;
  }

  /** Claims the camera with its code. Returns what came of it; without an accept the page gives up after its ten minutes. */
  claims(): Promise<string> {
    const code = { device: this.camera.deviceId, secret: realRandom.bytes(16) };
    return this.outcome(() => this.owner.claim(code, () => undefined, new AbortController().signal));
  }

  /** Changes the members of the camera's household. */
  changesMembers(
    epoch: number,
    members: readonly MemberKeys[] = [],
    rest: Partial<MemberChange> = {},
  ): Promise<string> {
    const device = this.camera.deviceId;
    const signal = new AbortController().signal;
    const change = { device, epoch, members, onStep: () => undefined, signal, ...rest };
    return this.outcome(() => this.owner.changeMembers(change));
  }

  private async outcome(work: () => Promise<unknown>): Promise<string> {
    const before = this.signatures;
    const code = await asyncCodeOf(work);
    const epochs = this.sent.map(({ value }) => String(value.epoch)).join(', ');
    if (epochs !== '') return `signed for epoch ${epochs}`;
    return `${code}, ${this.signatures === before ? 'nothing signed' : 'signed'}`;
  }
}

/** A public key that nothing else has. */
export function newKey(): Uint8Array {
  return nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey;
}
