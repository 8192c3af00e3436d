import { appendFileSync, writeFileSync } from 'node:fs';
import { realRandom } from '../../common/adapters/real-random.js';
import { toBase64 } from '../../common/bytes.js';
import { nodeSuite } from '../../protocol/crypto/node.js';
import { xwingKeys } from '../../protocol/crypto/xwing.js';
import { claimKindV2, type ClaimV2 } from '../../protocol/objects/claim.js';
import type { ClipSegment } from '../../protocol/objects/clip.js';
import { accountId, deviceId } from '../../protocol/objects/ids.js';
import { kemHash } from '../../protocol/objects/kem-keys.js';
import { recordKindV2, type RecordV2 } from '../../protocol/objects/record.js';
import { signObject, type Verified } from '../../protocol/objects/signed-object.js';
import { ownerSecrets, type MasterKey } from '../../protocol/owner/secrets.js';
import { wrapKey } from '../../protocol/seal/key-record.js';
import { PERIOD_OBJECTS_MAX } from '../../protocol/seal/object.js';
import { beginPeriod, type Period } from '../../protocol/seal/period.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { ClipPart } from '../clip/clip.js';

/**
 * Writes clips as a camera would leave them, into a file in the form of an account's export: `sealcam open` opens it with the owner's
 * key. The camera is made up for this file, and its keys come from the system.
 */
export class ClipExport {
  private readonly path: string;
  private readonly camera = nodeSuite.ed25519Signer(realRandom.bytes(32));
  private readonly boot = realRandom.bytes(16);
  private readonly claim: Verified<ClaimV2>;
  private readonly kemKey: Uint8Array;
  private period: Period | null = null;
  private last: Verified<RecordV2> | null = null;

  /** `master` is the owner's. */
  constructor(path: string, master: MasterKey) {
    this.path = path;
    const { signer, kemSeed } = ownerSecrets(nodeSuite, master);
    this.kemKey = xwingKeys(nodeSuite, kemSeed).publicKey;
    this.claim = signObject(claimKindV2, nodeSuite, signer, {
      version: 2,
      device: deviceId(nodeSuite, this.camera.publicKey),
      epoch: 1,
      account: accountId(nodeSuite, signer.publicKey),
      ownerKey: signer.publicKey,
      recipients: [{ ed25519: signer.publicKey, kem: kemHash(nodeSuite, this.kemKey), role: 'owner' }],
      // Of no cloud: nothing of this is ever sent.
      receiptKeys: [nodeSuite.ed25519Signer(realRandom.bytes(32)).publicKey],
      previous: null,
      nonce: realRandom.bytes(16),
      issuedAtMs: 0,
    });
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    this.write({ type: 'export', version: 1 });
    this.write({ type: 'claim', claim: toBase64(this.claim.bytes), state: 'open' });
    this.add({ kind: 'accept' }, 0);
  }

  /** Seals the segments of a part, and writes them with the record that names them. */
  async addPart({ eventId, number, phase, firstIndex, segments, atMs }: ClipPart): Promise<void> {
    const period = await this.periodFor(segments.length, atMs);
    const entries: ClipSegment[] = [];
    for (const [i, { bytes, isSync, durationMs }] of segments.entries()) {
      const mediaId = realRandom.bytes(16);
      const { header, body } = period.seal({ eventId, mediaId, role: 'segment' }, bytes);
      entries.push([firstIndex + i, mediaId, body.length, nodeSuite.sha256(body), header, isSync, durationMs]);
      this.write({ type: 'segment', body: toBase64(body) });
    }
    this.add({ kind: 'clip', clip: { eventId, number, phase, segments: entries } }, atMs);
  }

  /** Returns the period to seal in, with room for `count` objects. */
  private async periodFor(count: number, atMs: number): Promise<Period> {
    if (this.period !== null && this.period.taken + count <= PERIOD_OBJECTS_MAX) return this.period;
    const { device, account, epoch } = this.claim.value;
    const { keyRecord, period } = await beginPeriod({
      suite: nodeSuite,
      random: realRandom,
      context: { device, account, epoch, claimHash: this.claim.hash },
      recipients: [this.kemKey],
      wrap: (job) => Promise.resolve(wrapKey(nodeSuite, realRandom, job)),
    });
    const { periodId, commit, sealed } = keyRecord;
    const [bodyHash, headerHash] = [nodeSuite.sha256(sealed.body), nodeSuite.sha256(sealed.header)];
    const media = { id: realRandom.bytes(16), role: 'key', length: sealed.body.length, bodyHash, headerHash } as const;
    this.add({ kind: 'key', key: { periodId, commit }, media: [media] }, atMs, sealed);
    this.period = period;
    return period;
  }

  private add(rest: Partial<RecordV2> & Pick<RecordV2, 'kind'>, atMs: number, sealed?: SealedObject): void {
    const { claim, last } = this;
    const { device, account, epoch } = claim.value;
    this.last = signObject(recordKindV2, nodeSuite, this.camera, {
      version: 2,
      device,
      account,
      epoch,
      claimHash: claim.hash,
      seq: last === null ? 0 : last.value.seq + 1,
      prev: last?.hash ?? claim.hash,
      // A file has no time of day.
      time: { boot: this.boot, monotonicMs: Math.round(atMs), wallMs: null, quality: 'unset' },
      ...rest,
    });
    const media = sealed === undefined ? [] : [{ header: toBase64(sealed.header), body: toBase64(sealed.body) }];
    this.write({ type: 'record', record: toBase64(this.last.bytes), receivedAtMs: 0, media });
  }

  private write(line: object): void {
    appendFileSync(this.path, `${JSON.stringify(line)}\n`);
  }
}
