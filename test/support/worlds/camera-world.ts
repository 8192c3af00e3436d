import { realRandom } from '../../../common/adapters/real-random.js';
import type { Random } from '../../../common/random.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { xwingKeys, type XWingKeys } from '../../../protocol/crypto/xwing.js';
import {
  anyClaimKind,
  claimKind,
  claimKindV2,
  type AnyClaim,
  type Claim,
  type ClaimV2,
  type Recipient,
} from '../../../protocol/objects/claim.js';
import { accountId, deviceId } from '../../../protocol/objects/ids.js';
import { kemHash } from '../../../protocol/objects/kem-keys.js';
import { mediaReceiptKind, type MediaReceipt } from '../../../protocol/objects/media-receipt.js';
import { memberKind, type Member } from '../../../protocol/objects/member.js';
import { anyReceiptKind, type AnyReceipt, type Receipt } from '../../../protocol/objects/receipt.js';
import {
  anyRecordKind,
  recordKind,
  recordKindV2,
  type RecordTime,
  type RecordV2,
  type SealcamRecord,
} from '../../../protocol/objects/record.js';
import { openSigned, signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../../protocol/wire/codec.js';
import type { OutboxSigner } from '../../../agent/outbox/outbox.js';

interface CameraWorldOptions {
  readonly owner?: Signer;
  /** The owner's X25519 secret. */
  readonly ownerSecret?: Uint8Array;
  readonly cloud?: Signer;
  readonly random?: Random;
}

/** The keys of one camera, its owner and its cloud, and the objects they sign. */
export class CameraWorld {
  readonly device: Signer;
  readonly deviceId: Uint8Array;
  readonly owner: Signer;
  readonly ownerSecret: Uint8Array;
  readonly cloud: Signer;
  readonly boot = realRandom.bytes(16);
  private kemSecret: XWingKeys | null = null;

  /** The same `random` gives the same keys, so that two processes can be the same camera. */
  constructor(options: CameraWorldOptions = {}) {
    const random = options.random ?? realRandom;
    this.device = nodeSuite.ed25519Signer(random.bytes(32));
    this.deviceId = deviceId(nodeSuite, this.device.publicKey);
    this.owner = options.owner ?? nodeSuite.ed25519Signer(random.bytes(32));
    this.ownerSecret = options.ownerSecret ?? random.bytes(32);
    this.cloud = options.cloud ?? nodeSuite.ed25519Signer(random.bytes(32));
  }

  get account(): Uint8Array {
    return accountId(nodeSuite, this.owner.publicKey);
  }

  /** The owner's public keys, as a claim names them. */
  get recipient(): Recipient {
    return { x25519: nodeSuite.x25519PublicKey(this.ownerSecret), ed25519: this.owner.publicKey };
  }

  /** The owner as a member of somebody else's household: both keys, signed. */
  get member(): Verified<Member> {
    return signObject(memberKind, nodeSuite, this.owner, this.recipient);
  }

  claim(epoch = 1, previous: Uint8Array | null = null, change: Partial<Claim> = {}): Verified<Claim> {
    return signObject(claimKind, nodeSuite, this.owner, {
      device: this.deviceId,
      epoch,
      account: this.account,
      ownerKey: this.owner.publicKey,
      recipients: [this.recipient],
      receiptKeys: [this.cloud.publicKey],
      previous,
      nonce: realRandom.bytes(16),
      issuedAtMs: 0,
      ...change,
    });
  }

  /** The owner's X-Wing keys, for claims of version 2. Made when they are first used: it takes a while. */
  get ownerKem(): XWingKeys {
    this.kemSecret ??= xwingKeys(nodeSuite, nodeSuite.sha256(this.ownerSecret));
    return this.kemSecret;
  }

  /** The KEM keys beside {@link claimV2}, in its order. */
  get kemKeys(): readonly Uint8Array[] {
    return [this.ownerKem.publicKey];
  }

  /** A claim of version 2: its epoch has period keys. */
  claimV2(epoch = 1, previous: Uint8Array | null = null, change: Partial<ClaimV2> = {}): Verified<ClaimV2> {
    const { recipients, ...rest } = change;
    return signObject(claimKindV2, nodeSuite, this.owner, {
      version: 2,
      device: this.deviceId,
      epoch,
      account: this.account,
      ownerKey: this.owner.publicKey,
      recipients: recipients ?? [this.recipientV2],
      receiptKeys: [this.cloud.publicKey],
      previous,
      nonce: realRandom.bytes(16),
      issuedAtMs: 0,
      ...rest,
    });
  }

  /** The owner as a claim of version 2 names it. */
  private get recipientV2(): ClaimV2['recipients'][number] {
    const kem = kemHash(nodeSuite, this.ownerKem.publicKey);
    return { ed25519: this.owner.publicKey, kem, role: 'owner' };
  }

  time(monotonicMs: number, wallMs: number | null = Date.UTC(2026, 10, 21) + monotonicMs): RecordTime {
    return { boot: this.boot, monotonicMs, wallMs, quality: wallMs === null ? 'unset' : 'ntp' };
  }

  sign(record: SealcamRecord): Verified<SealcamRecord> {
    return signObject(recordKind, nodeSuite, this.device, record);
  }

  /** Signs a record of this camera under a claim. */
  record(
    claim: Verified<Claim>,
    seq: number,
    prev: Uint8Array | null,
    rest: Partial<SealcamRecord> & Pick<SealcamRecord, 'kind'>,
  ): Verified<SealcamRecord> {
    return this.sign({
      device: this.deviceId,
      account: claim.value.account,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      seq,
      prev,
      time: this.time(1000 * seq),
      ...rest,
    });
  }

  /** The same under a claim of version 2. */
  recordV2(
    claim: Verified<ClaimV2>,
    seq: number,
    prev: Uint8Array | null,
    rest: Partial<RecordV2> & Pick<RecordV2, 'kind'>,
  ): Verified<RecordV2> {
    return signObject(recordKindV2, nodeSuite, this.device, {
      version: 2,
      device: this.deviceId,
      account: claim.value.account,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      seq,
      prev,
      time: this.time(1000 * seq),
      ...rest,
    });
  }

  /** Signs an accept and `count` scene records, chained. */
  chain(claim: Verified<Claim>, count: number): Verified<SealcamRecord>[] {
    const out = [this.record(claim, 0, claim.hash, { kind: 'accept' })];
    for (let seq = 1; seq <= count; seq++) {
      out.push(this.record(claim, seq, out[seq - 1]?.hash ?? null, { kind: 'scene', scene: { class: 'stall' } }));
    }
    return out;
  }

  /** Signs a receipt, of the version of the claim. */
  receipt(claim: Verified<AnyClaim>, ranges: AnyReceipt['ranges'], rest: Partial<Receipt> = {}): Verified<AnyReceipt> {
    return signObject(anyReceiptKind, nodeSuite, this.cloud, {
      ...(isVersionTwo(claim.value) ? { version: 2 as const } : {}),
      device: this.deviceId,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      ranges,
      ...rest,
    });
  }

  mediaReceipt(claim: Verified<AnyClaim>, entries: MediaReceipt['entries']): Verified<MediaReceipt> {
    return signObject(mediaReceiptKind, nodeSuite, this.cloud, {
      version: 2,
      device: this.deviceId,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      entries,
      issuedAtMs: 0,
    });
  }

  outboxSigner(): OutboxSigner {
    return {
      device: this.deviceId,
      sign: (record) => signObject(anyRecordKind, nodeSuite, this.device, record),
      openClaim: (bytes) => openSigned(anyClaimKind, nodeSuite, bytes),
      openRecord: (bytes) => openSigned(anyRecordKind, nodeSuite, bytes),
    };
  }
}
