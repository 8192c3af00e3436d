import { realRandom } from '../../../../common/adapters/real-random.js';
import { toHex } from '../../../../common/bytes.js';
import { Sealer } from '../../../../agent/record/sealer.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import type { Claim } from '../../../../protocol/objects/claim.js';
import type { SealcamRecord } from '../../../../protocol/objects/record.js';
import type { Verified } from '../../../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../../../protocol/seal/seal.js';
import type { SentRecord, UpMessage } from '../../../../protocol/transport/messages.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import type { Household } from '../household.js';

/** One event with its picture, as the camera sends it. */
export interface Shot {
  readonly record: Verified<SealcamRecord>;
  readonly mediaId: Uint8Array;
  readonly sealed: SealedObject;
  readonly sent: SentRecord;
}

/** A minimal claimed camera with real signatures and real seals. */
export class FaultCamera {
  readonly owner: Household;
  readonly device: Uint8Array;
  readonly claim: Verified<Claim>;
  readonly shots: Shot[] = [];
  /**
   * The claim with the recipients that pictures are sealed to. More than the owner makes a camera that seals to people
   * its claim does not name.
   */
  private readonly sealedFor: Verified<Claim>;
  private readonly world: CameraWorld;
  private readonly first: Verified<SealcamRecord>;
  private readonly sealer = new Sealer(nodeSuite, realRandom, () => Promise.resolve());
  private last: Verified<SealcamRecord>;

  /** @param readers the owner first */
  constructor(owner: Household, readers: readonly Household[], cloud: Signer) {
    const { signer } = owner.keys;
    this.owner = owner;
    this.world = new CameraWorld({ owner: signer, cloud });
    this.device = this.world.deviceId;
    const recipients = readers.map(({ keys }) => ({
      x25519: keys.recipient.publicKey,
      ed25519: keys.signer.publicKey,
    }));
    this.claim = this.world.claim(1, null, { recipients: recipients.slice(0, 1) });
    this.sealedFor = { ...this.claim, value: { ...this.claim.value, recipients } };
    this.first = this.world.record(this.claim, 0, this.claim.hash, { kind: 'accept' });
    this.last = this.first;
  }

  get name(): string {
    return toHex(this.device);
  }

  /** All signed records, the accept included. */
  get records(): readonly Verified<SealcamRecord>[] {
    return [this.first, ...this.shots.map(({ record }) => record)];
  }

  accept(): UpMessage {
    return { type: 'accept', claim: this.claim.bytes, record: this.first.bytes };
  }

  async shoot(jpeg: Uint8Array): Promise<Shot> {
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const { media, sealed } = await this.sealer.seal(this.sealedFor, event.id, 'thumbnail', { detail: {}, jpeg });
    const { seq } = this.last.value;
    const record = this.world.record(this.claim, seq + 1, this.last.hash, { kind: 'motion', event, media: [media] });
    this.last = record;
    const shot = { record, mediaId: media.id, sealed, sent: { record: record.bytes, media: [sealed] } };
    this.shots.push(shot);
    return shot;
  }

  /** Returns a shot by its number. @throws Error where there is no such shot */
  shot(index: number): Shot {
    const shot = this.shots[index];
    if (shot === undefined) throw new Error(`no shot ${String(index)}`);
    return shot;
  }
}
