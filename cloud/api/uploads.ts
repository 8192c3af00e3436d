import type { Readable } from 'node:stream';
import { equal, toHex } from '../../common/bytes.js';
import { addressShare } from '../../common/adapters/address-share.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { SealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { mediaReceiptKind, type MediaReceipt } from '../../protocol/objects/media-receipt.js';
import { epochKey } from '../../protocol/objects/ids.js';
import { signBytes } from '../../protocol/objects/signed-object.js';
import { FaultLog } from '../alarms/fault-log.js';
import { Refusals } from '../alarms/refusals.js';
import type { Media } from '../media/kinds.js';
import { isSegmentAt } from '../store/segments.js';
import type { ClaimRow, CloudStore, Segment, SegmentKey, Upload } from '../store/store.js';
import type { MakerList } from '../trust/maker-list.js';
import type { ReceiptSigners } from '../trust/receipt-signers.js';
import { acquireAll, Share } from './shares.js';

type Result = MediaReceipt['entries'][number][1];

/** Bytes of stored bodies that one camera, and one account, may have. */
export interface Quota {
  readonly cameraBytes: number;
  readonly accountBytes: number;
}

export interface UploadDependencies {
  readonly store: CloudStore;
  readonly media: Media;
  readonly suite: CryptoSuite;
  readonly signers: ReceiptSigners;
  readonly makerList: MakerList;
  readonly quota: Quota;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

/** What somebody wants to upload. There is no credential: who knows the hash of a body that a camera named may bring it. */
export interface Offered {
  readonly key: SegmentKey;
  /** As the request announces it. */
  readonly length: number;
  readonly address: string;
  readonly body: Readable;
  /** Called before the body is read, and only if it is wanted. */
  readonly proceed: () => void;
}

/** A segment whose answer is a signed one. */
interface Admitted {
  readonly segment: Segment;
  readonly row: ClaimRow;
  readonly signer: Signer;
}

/** Uploads at once from one address, of one camera, and of one body: a stalled stranger leaves room for the camera itself. */
const PER_ADDRESS_MAX = 16;
const PER_CAMERA_MAX = 4;
const PER_BODY_MAX = 2;

/**
 * Takes the bodies of clips' segments and answers with signed media receipts. Doubt gets no receipt, and the
 * camera sends again: nothing else makes it delete a body.
 */
export class Uploads {
  private readonly deps: UploadDependencies;
  private readonly faults: FaultLog;
  private readonly refusals: Refusals;
  private readonly perAddress: Share;
  private readonly perCamera: Share;
  private readonly perBody: Share;

  constructor(deps: UploadDependencies) {
    this.deps = deps;
    this.faults = new FaultLog(deps.clock, deps.log);
    this.refusals = new Refusals(deps);
    this.perAddress = new Share('uploads-per-address', PER_ADDRESS_MAX, deps.counters);
    this.perCamera = new Share('uploads-per-camera', PER_CAMERA_MAX, deps.counters);
    this.perBody = new Share('uploads-per-body', PER_BODY_MAX, deps.counters);
  }

  /**
   * Takes a body that a verified clip record names, and returns the signed receipt.
   *
   * @throws SealcamError `not-found` for every reason alike, `rate-limited`, `upload-cut`, `malformed` for other bytes than those
   *   of this hash, `revocation-stale`, `store-unavailable`
   */
  async receive(offered: Offered): Promise<Uint8Array> {
    const { key, address } = offered;
    const release = acquireAll([{ share: this.perAddress, holder: addressShare(address) }]);
    try {
      const admitted = await this.admit(offered);
      const result = await this.resultFor(admitted, offered);
      this.deps.counters.add(`uploads.${result}`);
      return this.receipt(admitted, key, result);
    } finally {
      release();
    }
  }

  /** @throws SealcamError `not-found`, `revocation-stale`, `store-unavailable` */
  private async admit({ key, length }: Offered): Promise<Admitted & { readonly isFull: boolean }> {
    const { makerList, signers, quota, counters } = this.deps;
    const found = await this.uploadOf(key);
    if (found?.segment.length !== length) throw notFound();
    const { segment, cameraBytes, accountBytes } = found;
    const row = await this.rowOf(key);
    if (await makerList.isRevoked(key.device)) throw notFound();
    const signer = signers.forClaim(row.claimHash, row.claim);
    if (signer === null) {
      counters.add('media-receipts.no-key');
      const fields = { device: toHex(key.device), epoch: key.epoch };
      this.faults.error('media-receipts.no-key', fields, 'no media receipt: the claim names none of our receipt keys');
      throw notFound();
    }
    const isFull = cameraBytes + length > quota.cameraBytes || accountBytes + length > quota.accountBytes;
    return { segment, row, signer, isFull };
  }

  /** @throws SealcamError `not-found` where the store answers with the row of another segment */
  private async uploadOf(key: SegmentKey): Promise<Upload | undefined> {
    const found = await this.deps.store.segments.upload(key);
    if (found !== undefined && !isSegmentAt(found.segment, key))
      throw await this.misled(key, 'the row of another segment');
    return found;
  }

  /** @throws SealcamError `not-found`, also where the store answers with another row */
  private async rowOf(key: SegmentKey): Promise<ClaimRow> {
    const row = await this.deps.store.claims.row(key.device, key.epoch);
    if (row === undefined) throw notFound();
    if (!equal(row.device, key.device) || row.epoch !== key.epoch)
      throw await this.misled(key, 'the claim row of another epoch');
    return row;
  }

  /** Raises the alarm over a store that answered with something else; returns the error of an upload that nobody expects. */
  private async misled({ device, epoch }: SegmentKey, what: string): Promise<SealcamError> {
    const reason = `the store answered with ${what}`;
    await this.refusals.recordRefusal({
      place: 'ingest',
      verdict: 'foreign',
      device,
      epoch,
      reader: null,
      reason,
      bytes: null,
    });
    return notFound();
  }

  private async resultFor(
    { segment, row, isFull }: Admitted & { readonly isFull: boolean },
    offered: Offered,
  ): Promise<Result> {
    if (row.state === 'revoked') return 'revoked';
    if (segment.state === 'deleted' || segment.state === 'quota') return segment.state;
    if (isFull && segment.state === 'expected') {
      await this.deps.store.segments.refuseForQuota(segment);
      return this.resultNow(offered.key);
    }
    const release = acquireAll([
      { share: this.perCamera, holder: toHex(segment.device) },
      { share: this.perBody, holder: `${epochKey(segment.device, segment.epoch)}/${toHex(segment.bodyHash)}` },
    ]);
    try {
      if (segment.state === 'stored' && (await this.isThere(segment))) return 'stored';
      await this.receiveBody(segment, offered);
    } finally {
      release();
    }
    // False where another upload of it was faster, where it was lost and is there again, or where it was deleted meanwhile.
    return (await this.deps.store.segments.markStored(segment)) ? 'stored' : this.resultNow(offered.key);
  }

  /** Returns whether the body of a row is in the MediaStore, whole: a restored one may lack it, and the camera have it still. */
  private async isThere(segment: Segment): Promise<boolean> {
    const body = await this.deps.media.store.get(segment);
    return body !== undefined && equal(this.deps.suite.sha256(body), segment.bodyHash);
  }

  /** Receives a body and puts it into the MediaStore. Resolves only once what is stored there has the hash that was named. */
  private async receiveBody(segment: Segment, { body, length, proceed }: Offered): Promise<void> {
    const { store, staging } = this.deps.media;
    proceed();
    const staged = await staging.receive(body, length);
    try {
      if (!equal(staged.sha256, segment.bodyHash))
        throw new SealcamError('malformed', 'other bytes than those of this hash');
      const stored = await store.put(segment, staged);
      if (!equal(stored, segment.bodyHash)) {
        const fields = { device: toHex(segment.device), epoch: segment.epoch, body: toHex(segment.bodyHash) };
        this.deps.counters.add('uploads.altered');
        this.faults.error(
          'uploads.altered',
          fields,
          'no media receipt: the media store holds other bytes than it was given',
        );
        throw new SealcamError('store-unavailable', 'the media store holds other bytes than it was given');
      }
      this.deps.counters.add('uploads.bytes', length);
    } finally {
      await staging.discard(staged);
    }
  }

  /** @throws SealcamError `not-found` where the answer is not a signed one */
  private async resultNow(key: SegmentKey): Promise<Result> {
    const state = (await this.uploadOf(key))?.segment.state;
    if (state !== undefined && state !== 'expected') return state;
    if ((await this.rowOf(key)).state === 'revoked') return 'revoked';
    throw notFound();
  }

  private receipt({ row, signer }: Admitted, { device, epoch, bodyHash }: SegmentKey, result: Result): Uint8Array {
    const { suite, clock } = this.deps;
    return signBytes(mediaReceiptKind, suite, signer, {
      version: 2,
      device,
      epoch,
      claimHash: row.claimHash,
      entries: [[bodyHash, result]],
      issuedAtMs: Math.floor(clock.wallMs()),
    });
  }
}

function notFound(): SealcamError {
  return new SealcamError('not-found', 'no such body is expected');
}
