/** The history of one camera with real seals, in either version, up to where its events begin. */
import { toHex } from '../../common/bytes.js';
import { hkdf } from '../../protocol/crypto/hkdf.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import type { EpochKeys } from '../../protocol/evidence/household-keys.js';
import type { StoredRecord } from '../../protocol/evidence/make.js';
import { anyClaimKind, type AnyClaim } from '../../protocol/objects/claim.js';
import type { ClipSegment } from '../../protocol/objects/clip.js';
import { accountId, deviceId } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { ownerSecrets } from '../../protocol/owner/secrets.js';
import { periodCommit, periodContextHash, wrapKey } from '../../protocol/seal/key-record.js';
import type { SealRole } from '../../protocol/seal/object.js';
import { OpenedPeriod } from '../../protocol/seal/open-period.js';
import { Period } from '../../protocol/seal/period.js';
import { contentKey, type SealedObject } from '../../protocol/seal/seal.js';
import { NAMES, seedOf, signerOf, vectorRandom } from './keyring.js';
import { kemKeysOf } from './seal2-shapes.js';
import { WALL_MS } from './signed.js';

type Rest = Partial<AnyRecord> & Pick<AnyRecord, 'kind'>;

/** A segment of a clip as the camera made it, and what its entry says of it. */
export interface SegmentToSeal {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly isSync: boolean;
  readonly durationMs: number;
}

/** The camera, its owner and its cloud; the owner's keys are those of test/fixtures/recovery-file-0.1.json. */
export class SealedHistory {
  readonly suite: CryptoSuite;
  readonly version: 1 | 2;
  readonly claim: Verified<AnyClaim>;
  readonly records: StoredRecord[] = [];
  readonly segments = new Map<string, Uint8Array>();
  /** K or E of what the camera sealed. */
  readonly keys: EpochKeys;
  /** K of the period, for tests that look for it. */
  readonly periodKey: Uint8Array;
  readonly periodId: Uint8Array;
  /** CK_0. */
  readonly chainStart: Uint8Array;
  protected readonly device: Signer;
  protected readonly cloud: Signer;
  protected readonly period: Period;

  constructor(suite: CryptoSuite, version: 1 | 2, camera: string = NAMES.device) {
    this.suite = suite;
    this.version = version;
    const { signer, x25519Secret, kemSeed } = ownerSecrets(suite, seedOf(suite, 'owner master'));
    this.device = signerOf(suite, camera);
    this.cloud = signerOf(suite, NAMES.receipt);
    const member = signerOf(suite, NAMES.member).publicKey;
    const kemKeys = [xwingKeys(suite, kemSeed).publicKey, kemKeysOf(suite, 'member').publicKey];
    const memberX25519 = suite.x25519PublicKey(seedOf(suite, 'member x25519'));
    const common = {
      device: deviceId(suite, this.device.publicKey),
      epoch: 1,
      account: accountId(suite, signer.publicKey),
      ownerKey: signer.publicKey,
      receiptKeys: [this.cloud.publicKey],
      previous: null,
      nonce: this.id('nonce'),
      issuedAtMs: WALL_MS,
    };
    const [ownKem, memberKem] = kemKeys.map((key) => kemHash(suite, key));
    const claim: AnyClaim =
      version === 1
        ? {
            ...common,
            recipients: [
              { ed25519: signer.publicKey, x25519: suite.x25519PublicKey(x25519Secret) },
              { ed25519: member, x25519: memberX25519 },
            ],
          }
        : {
            ...common,
            version: 2,
            recipients: [
              { ed25519: signer.publicKey, kem: ownKem ?? new Uint8Array(0), role: 'owner' },
              { ed25519: member, kem: memberKem ?? new Uint8Array(0), role: 'member' },
            ],
          };
    this.claim = signObject(anyClaimKind, suite, signer, claim);
    this.add({ kind: 'accept' });

    this.periodKey = seedOf(suite, 'evidence K');
    this.periodId = this.id('evidence period');
    const { device, account, epoch } = claim;
    const context = { device, account, epoch, claimHash: this.claim.hash, periodId: this.periodId };
    this.chainStart = hkdf(suite, this.periodKey, 'chain');
    this.period = new Period(suite, context, this.chainStart.slice());
    const opened = new OpenedPeriod(suite, this.periodId, this.chainStart.slice());
    const own = { secret: x25519Secret, publicKey: suite.x25519PublicKey(x25519Secret) };
    this.keys = {
      keyOf: (place, sealed) =>
        version === 2 ? opened.keyOf(place, sealed.header) : contentKey(suite, place, own, sealed),
    };
    if (version === 2) {
      const info = periodContextHash(suite, context);
      const random = vectorRandom(suite, 'evidence wraps');
      const body = wrapKey(suite, random, { recipients: kemKeys, info, key: this.periodKey });
      this.addKeyRecord(periodCommit(suite, this.periodKey, info), body);
    } else this.add({ kind: 'scene', scene: { class: 'startup' } });
  }

  id(name: string): Uint8Array {
    return seedOf(this.suite, name).slice(0, 16);
  }

  /** Signs the record that would come next, or after another one. */
  sign(rest: Rest, before = this.records.at(-1)?.record): Verified<AnyRecord> {
    const seq = (before?.value.seq ?? -1) + 1;
    const { device, account, epoch } = this.claim.value;
    const wallMs = WALL_MS + 1000 * seq;
    const value: AnyRecord = {
      ...(this.version === 2 ? ({ version: 2 } as const) : {}),
      device,
      account,
      epoch,
      claimHash: this.claim.hash,
      seq,
      prev: before?.hash ?? this.claim.hash,
      time: { boot: this.id('boot'), monotonicMs: 60_000 + 1000 * seq, wallMs, quality: 'ntp' },
      ...rest,
    };
    return signObject(anyRecordKind, this.suite, this.device, value);
  }

  /** Signs the next record, and keeps it. */
  add(rest: Rest, media: readonly (SealedObject | null)[] = []): Verified<AnyRecord> {
    const record = this.sign(rest);
    this.records.push({ record, media });
    return record;
  }

  /** Seals a segment under a name, and keeps its body. Returns its entry for a record. */
  sealSegment(eventId: Uint8Array, name: string, segment: SegmentToSeal): ClipSegment {
    const { index, bytes, isSync, durationMs } = segment;
    const mediaId = this.id(name);
    const { header, body } = this.sealAs('segment', eventId, mediaId, bytes);
    const bodyHash = this.suite.sha256(body);
    this.segments.set(toHex(bodyHash), body);
    return [index, mediaId, body.length, bodyHash, header, isSync, durationMs];
  }

  /** Seals content in the period. */
  sealAs(role: SealRole, eventId: Uint8Array, mediaId: Uint8Array, content: Uint8Array): SealedObject {
    return this.period.seal({ eventId, mediaId, role }, content);
  }

  private addKeyRecord(commit: Uint8Array, body: Uint8Array): void {
    const sealed = { header: new Uint8Array(0), body };
    const key = { periodId: this.periodId, commit };
    this.add({ kind: 'key', key, media: [this.mediaOf('key object', 'key', sealed)] }, [sealed]);
  }

  protected mediaOf(
    name: string,
    role: 'key' | Exclude<SealRole, 'segment'>,
    { header, body }: SealedObject,
  ): NonNullable<AnyRecord['media']>[number] {
    const { suite } = this;
    const [bodyHash, headerHash] = [suite.sha256(body), suite.sha256(header)];
    return { id: this.id(name), role, length: body.length, bodyHash, headerHash };
  }
}
