import { realRandom } from '../../../../common/adapters/real-random.js';
import { equal, toHex } from '../../../../common/bytes.js';
import { Sealer } from '../../../../agent/record/sealer.js';
import type { OwnerKeys } from '../../../../app/core/owner-keys.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import type { Signer } from '../../../../protocol/crypto/suite.js';
import { anyClaimKind, type AnyClaim } from '../../../../protocol/objects/claim.js';
import { kemHash } from '../../../../protocol/objects/kem-keys.js';
import { anyRecordKind, type AnyRecord } from '../../../../protocol/objects/record.js';
import type { RecordMediaV2 } from '../../../../protocol/objects/record-fields-v2.js';
import { signObject, type Verified } from '../../../../protocol/objects/signed-object.js';
import { wrapKey } from '../../../../protocol/seal/key-record.js';
import { beginPeriod, type Period } from '../../../../protocol/seal/period.js';
import type { SealedObject } from '../../../../protocol/seal/seal.js';
import type { UpMessage } from '../../../../protocol/transport/messages.js';
import { isVersionTwo } from '../../../../protocol/wire/codec.js';
import type { ClipSegment } from '../../../../protocol/objects/clip.js';
import { CameraWorld } from '../../../support/worlds/camera-world.js';
import { kemKeyOf, type FilmedSegment } from '../../../support/worlds/sealing-camera.js';
import { segmentPlace } from '../segment-place.js';
import type { Household } from '../household.js';

/** A record with its sealed object, as the camera sends it: an event with its picture, or a key record. */
export interface Shot {
  readonly record: Verified<AnyRecord>;
  readonly media: RecordMediaV2;
  readonly sealed: SealedObject;
}

/** A segment of a clip: what it shows, and what of it travels. */
export interface FilmedBody {
  readonly record: Verified<AnyRecord>;
  readonly entry: ClipSegment;
  /** Where it belongs, as `segmentPlace` names it. */
  readonly place: string;
  readonly content: Uint8Array;
  readonly body: Uint8Array;
}

/** A clip: one record that names its segments, and one that ends it. */
export interface FilmedClip {
  readonly records: readonly Verified<AnyRecord>[];
  readonly segments: readonly FilmedBody[];
}

/** A minimal claimed camera with real signatures and real seals, of the version of its household. */
export class FaultCamera {
  readonly owner: Household;
  readonly device: Uint8Array;
  readonly claim: Verified<AnyClaim>;
  readonly shots: Shot[] = [];
  /** Key records; none in version 1. */
  readonly keys: Shot[] = [];
  /** None in version 1. */
  readonly clips: FilmedClip[] = [];
  /** All signed records, the accept first. */
  readonly records: Verified<AnyRecord>[] = [];
  /**
   * The claim with the recipients that pictures of version 1 are sealed to. More than the owner makes a camera that seals to
   * people its claim does not name.
   */
  private readonly sealedFor: Verified<AnyClaim>;
  private readonly world: CameraWorld;
  private readonly sealer: Sealer;
  private period: Period | null = null;

  /** @param readers the owner first */
  constructor(owner: Household, readers: readonly Household[], cloud: Signer) {
    const { signer } = owner.keys;
    this.owner = owner;
    this.world = new CameraWorld({ owner: signer, cloud });
    this.device = this.world.deviceId;
    const blank = owner.version === 2 ? this.world.claimV2() : this.world.claim();
    this.claim = signObject(anyClaimKind, nodeSuite, signer, ownedBy(blank.value, owner.keys));
    const { value } = this.claim;
    const recipients = readers.map(({ keys }) => ({
      x25519: keys.recipient.publicKey,
      ed25519: keys.signer.publicKey,
    }));
    this.sealedFor = isVersionTwo(value) ? this.claim : { ...this.claim, value: { ...value, recipients } };
    this.sealer = new Sealer(nodeSuite, realRandom, () => Promise.resolve(), {
      usable: () => this.period,
      ready: () => Promise.resolve(this.period),
    });
    this.add({ kind: 'accept' });
  }

  get name(): string {
    return toHex(this.device);
  }

  get isTwo(): boolean {
    return isVersionTwo(this.claim.value);
  }

  accept(): UpMessage {
    const [first] = this.records;
    if (first === undefined) throw new Error('no accept');
    return { type: 'accept', claim: this.claim.bytes, record: first.bytes };
  }

  /** Begins a period, and returns its key record. Under a claim of version 2 nothing is sealed before. */
  async begin(): Promise<Shot> {
    const { device, account, epoch } = this.claim.value;
    const { keyRecord, period } = await beginPeriod({
      suite: nodeSuite,
      random: realRandom,
      context: { device, account, epoch, claimHash: this.claim.hash },
      recipients: [kemKeyOf(this.owner.keys)],
      wrap: (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job)),
    });
    this.period = period;
    const { periodId, commit, sealed } = keyRecord;
    const media: RecordMediaV2 = {
      id: realRandom.bytes(16),
      role: 'key',
      length: sealed.body.length,
      bodyHash: nodeSuite.sha256(sealed.body),
      headerHash: nodeSuite.sha256(sealed.header),
    };
    const shot = this.addSealed({ kind: 'key', key: { periodId, commit } }, media, sealed);
    this.keys.push(shot);
    return shot;
  }

  async shoot(jpeg: Uint8Array): Promise<Shot> {
    const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
    const { media, sealed } = await this.sealer.seal(this.sealedFor, event.id, 'thumbnail', { detail: {}, jpeg });
    const shot = this.addSealed({ kind: 'motion', event }, media, sealed);
    this.shots.push(shot);
    return shot;
  }

  /** Films a clip of a shot's event, sealed in the period in use. */
  film({ record: { value } }: Shot, filmed: readonly FilmedSegment[]): FilmedClip {
    const { period } = this;
    const eventId = value.event?.id;
    if (period === null || eventId === undefined) throw new Error('no period, or no event');
    const number = this.clips.filter(({ records: [first] }) => {
      const clip = first?.value.clip;
      return clip !== undefined && equal(clip.eventId, eventId);
    }).length;
    const sealed = filmed.map(({ index, bytes, isSync, durationMs }) => {
      const mediaId = realRandom.bytes(16);
      const { header, body } = period.seal({ eventId, mediaId, role: 'segment' }, bytes);
      const entry = [index, mediaId, body.length, nodeSuite.sha256(body), header, isSync, durationMs] as const;
      return { entry, content: bytes, body };
    });
    const clip = { eventId, number };
    const segments = sealed.map(({ entry }) => entry);
    const record = this.add({ kind: 'clip', clip: { ...clip, phase: 'start', segments } });
    const end = this.add({ kind: 'clip', clip: { ...clip, phase: 'end', segments: [] } });
    const made = {
      records: [record, end],
      segments: sealed.map((one) => ({ ...one, record, place: segmentPlace(record.value, one.entry[0]) })),
    };
    this.clips.push(made);
    return made;
  }

  /** Returns a segment by the numbers of its clip and of itself. @throws Error where there is no such segment */
  segment(clip: number, index: number): FilmedBody {
    const found = this.clips[clip]?.segments[index];
    if (found === undefined) throw new Error(`no segment ${String(index)} of clip ${String(clip)}`);
    return found;
  }

  /** Returns a shot by its number. @throws Error where there is no such shot */
  shot(index: number): Shot {
    return numbered(this.shots, index);
  }

  /** Returns a key record by its number. @throws Error where there is no such key record */
  key(index: number): Shot {
    return numbered(this.keys, index);
  }

  private addSealed(rest: Parameters<FaultCamera['add']>[0], media: RecordMediaV2, sealed: SealedObject): Shot {
    const record = this.add({ ...rest, media: [media] });
    return { record, media, sealed };
  }

  private add(rest: Partial<AnyRecord> & Pick<AnyRecord, 'kind'>): Verified<AnyRecord> {
    const { claim, world, records } = this;
    const seq = records.length;
    const { device, account, epoch } = claim.value;
    const record = signObject(anyRecordKind, nodeSuite, world.device, {
      ...(this.isTwo ? { version: 2 as const } : {}),
      device,
      account,
      epoch,
      claimHash: claim.hash,
      seq,
      prev: records.at(-1)?.hash ?? claim.hash,
      time: world.time(1000 * seq),
      ...rest,
    });
    records.push(record);
    return record;
  }
}

/** Returns the claim as this owner would sign it, and nobody else in it. */
export function ownedBy(claim: AnyClaim, keys: OwnerKeys): AnyClaim {
  const { signer, account, recipient } = keys;
  const ed25519 = signer.publicKey;
  const owner = { account, ownerKey: ed25519 };
  if (!isVersionTwo(claim)) {
    return { ...claim, ...owner, recipients: [{ x25519: recipient.publicKey, ed25519 }] };
  }
  const kem = kemHash(nodeSuite, kemKeyOf(keys));
  return { ...claim, ...owner, recipients: [{ ed25519, kem, role: 'owner' }] };
}

function numbered(shots: readonly Shot[], index: number): Shot {
  const shot = shots[index];
  if (shot === undefined) throw new Error(`no number ${String(index)}`);
  return shot;
}
