/** A short history of one camera with real seals, in either version, of which evidence is made. */
import { toHex } from '../../common/bytes.js';
import { hkdf } from '../../protocol/crypto/hkdf.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import type { EpochKeys } from '../../protocol/evidence/household-keys.js';
import type { EvidenceSource, StoredRecord } from '../../protocol/evidence/make.js';
import { anyClaimKind, type AnyClaim } from '../../protocol/objects/claim.js';
import type { ClipSegment } from '../../protocol/objects/clip.js';
import { accountId, deviceId } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { mediaReceiptKind } from '../../protocol/objects/media-receipt.js';
import { anyReceiptKind } from '../../protocol/objects/receipt.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { ownerSecrets } from '../../protocol/owner/secrets.js';
import { encodeContent, type SealedContent } from '../../protocol/seal/content.js';
import { periodCommit, periodContextHash, wrapKey } from '../../protocol/seal/key-record.js';
import type { SealRole } from '../../protocol/seal/object.js';
import { OpenedPeriod } from '../../protocol/seal/open-period.js';
import { Period } from '../../protocol/seal/period.js';
import { contentKey, seal, type SealedObject } from '../../protocol/seal/seal.js';
import { NAMES, seedOf, signerOf, vectorRandom } from './keyring.js';
import { kemKeysOf } from './seal2-shapes.js';
import { WALL_MS } from './signed.js';

type Rest = Partial<AnyRecord> & Pick<AnyRecord, 'kind'>;
interface ToSeal {
  readonly name: string;
  readonly role: Exclude<SealRole, 'segment'>;
  readonly content: SealedContent;
}

const picture = (byte: number): SealedContent => ({
  detail: { box: [1000, 2000, 30_000, 40_000], area: 123, reason: 'motion' },
  jpeg: new Uint8Array(300).fill(byte),
});
const DETAIL: SealedContent = { detail: { endedMs: 65_000 }, jpeg: null };

/** The camera, its owner and its cloud; the owner's keys are those of test/fixtures/recovery-file-0.1.json. */
export class EvidenceWorld {
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
  private readonly device: Signer;
  private readonly cloud: Signer;
  private readonly period: Period;

  constructor(suite: CryptoSuite, version: 1 | 2) {
    this.suite = suite;
    this.version = version;
    const { signer, x25519Secret, kemSeed } = ownerSecrets(suite, seedOf(suite, 'owner master'));
    this.device = signerOf(suite, NAMES.device);
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
    this.live();
  }

  id(name: string): Uint8Array {
    return seedOf(this.suite, name).slice(0, 16);
  }

  /** What `makeEvidence` takes. */
  get source(): EvidenceSource {
    const { claim, records, segments, keys } = this;
    const last = records.at(-1)?.record;
    const base = { device: claim.value.device, epoch: 1, claimHash: claim.hash };
    const two = this.version === 2 ? ({ version: 2 } as const) : {};
    const receipt = signObject(anyReceiptKind, this.suite, this.cloud, {
      ...two,
      ...base,
      ranges: [[0, last?.value.seq ?? 0, last?.hash ?? claim.hash]],
    });
    const entries = [...segments.values()].map((body) => [this.suite.sha256(body), 'stored'] as const);
    const stored = { ...base, version: 2, entries, issuedAtMs: WALL_MS + 60_000 } as const;
    const mediaReceipts = entries.length > 0 ? [signObject(mediaReceiptKind, this.suite, this.cloud, stored)] : [];
    return { claim, records, segments, receipts: [receipt], mediaReceipts, keys };
  }

  /** A motion event, with another one's snapshot in between and, in version 2, clips; then a single snapshot. */
  private live(): void {
    const [event, other, single] = [this.id('event'), this.id('event 2'), this.id('event 3')];
    this.event('motion', event, 'start', [{ name: 'picture 1', role: 'thumbnail', content: picture(0x51) }]);
    if (this.version === 2) this.clip('start', [0, 1]);
    this.event('snapshot', other, 'single', [{ name: 'picture 2', role: 'thumbnail', content: picture(0x52) }]);
    if (this.version === 2) this.clip('end', [2]);
    this.event('motion', event, 'end', [{ name: 'detail', role: 'detail', content: DETAIL }]);
    const role = this.version === 2 ? 'mini' : 'thumbnail';
    this.event('snapshot', single, 'single', [{ name: 'picture 3', role, content: picture(0x53) }]);
    this.add({ kind: 'scene', scene: { class: 'illumination', durationMs: 1200 } });
  }

  /** Signs the next record. */
  add(rest: Rest, media: readonly (SealedObject | null)[] = []): Verified<AnyRecord> {
    const before = this.records.at(-1)?.record;
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
    const record = signObject(anyRecordKind, this.suite, this.device, value);
    this.records.push({ record, media });
    return record;
  }

  private addKeyRecord(commit: Uint8Array, body: Uint8Array): void {
    const sealed = { header: new Uint8Array(0), body };
    const key = { periodId: this.periodId, commit };
    this.add({ kind: 'key', key, media: [this.mediaOf('key object', 'key', sealed)] }, [sealed]);
  }

  private mediaOf(
    name: string,
    role: 'key' | ToSeal['role'],
    { header, body }: SealedObject,
  ): NonNullable<AnyRecord['media']>[number] {
    const { suite } = this;
    const [bodyHash, headerHash] = [suite.sha256(body), suite.sha256(header)];
    return { id: this.id(name), role, length: body.length, bodyHash, headerHash };
  }

  private event(
    kind: 'motion' | 'snapshot',
    id: Uint8Array,
    phase: 'start' | 'end' | 'single',
    objects: readonly ToSeal[],
  ): void {
    const sealed = objects.map((object) => this.seal(id, object));
    const media = objects.map(({ name, role }, i) =>
      this.mediaOf(name, role, sealed[i] ?? { header: new Uint8Array(0), body: new Uint8Array(0) }),
    );
    this.add({ kind, event: { id, phase, revision: phase === 'end' ? 1 : 0 }, media }, sealed);
  }

  private seal(eventId: Uint8Array, { name, role, content }: ToSeal): SealedObject {
    const { suite } = this;
    const mediaId = this.id(name);
    if (this.version === 2) return this.period.seal({ eventId, mediaId, role }, encodeContent(content));
    const { device, account, epoch, recipients } = this.claim.value;
    const owner = { device, account, epoch, claimHash: this.claim.hash };
    const keys = recipients.map((recipient) => ('x25519' in recipient ? recipient.x25519 : new Uint8Array(0)));
    const context = { ...owner, eventId, mediaId };
    return seal({ suite, random: vectorRandom(suite, `seal of ${name}`), context, recipients: keys, content });
  }

  private clip(phase: 'start' | 'end', indices: readonly number[]): void {
    const eventId = this.id('event');
    const segments = indices.map((index): ClipSegment => {
      const mediaId = this.id(`segment ${String(index)}`);
      const content = new Uint8Array(200 + index).fill(index);
      const { header, body } = this.period.seal({ eventId, mediaId, role: 'segment' }, content);
      const bodyHash = this.suite.sha256(body);
      this.segments.set(toHex(bodyHash), body);
      return [index, mediaId, body.length, bodyHash, header, index < 2, index && 2000];
    });
    this.add({ kind: 'clip', clip: { eventId, number: 0, phase, segments } });
  }
}
