import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import { fitsNotice, type Notice } from '../../protocol/transport/notice.js';
import type { ClaimRow } from '../store/store.js';
import { LookReader } from './look-reader.js';
import type { ReadRecord } from './record-reader.js';
import type { SealedObject } from '../../protocol/seal/seal.js';

/** Decides what may be pushed to whom. A push is a read: it passes the same gate, and is written into the access log. */
export class PushReader extends LookReader {
  /**
   * Returns the claim row of an epoch of which this key may be notified now: one that it may read, of a camera whose newest claim
   * names it too. A member who was removed, and an owner before the present one, may read what was theirs and are not notified.
   *
   * @throws SealcamError `not-found`, `reads-paused`, `account-marked`, `revocation-stale`, `store-unavailable`
   */
  async rowForPush(key: Uint8Array, device: Uint8Array, epoch: number): Promise<ClaimRow> {
    const row = await this.rowFor(key, device, epoch);
    const latest = await this.deps.store.claims.latest(device);
    const names = latest === undefined ? null : this.claimOf(latest);
    if (latest?.state === 'revoked' || names?.recipients.some(({ ed25519 }) => equal(ed25519, key)) !== true) {
      throw new SealcamError('not-found', 'no such camera');
    }
    return row;
  }

  /**
   * Returns what is pushed of a record: the record, verified again, and its object of role `mini` where both fit. The line in
   * the access log names the picture only where it is sent.
   *
   * @throws SealcamError `not-found`, `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async noticeOf(key: Uint8Array, row: ClaimRow, seq: number): Promise<Notice> {
    await this.requireReadsOpen(key, row.account);
    const stored = (await this.isRevoked(row))
      ? undefined
      : await this.deps.store.records.get(row.device, row.epoch, seq);
    const read = stored === undefined ? null : await this.verify(key, row, stored);
    if (read === null) throw new SealcamError('not-found', 'no such record');
    const { bytes } = read.record;
    const found = await this.miniOf(key, row, read);
    const mini = found !== null && fitsNotice(bytes, found.sealed) ? found : null;
    if (!fitsNotice(bytes, null)) return { type: 'summary', device: row.device, count: 1 };
    await this.logAccess(key, row, { what: 'push', fromSeq: seq, toSeq: seq, mediaId: mini?.id ?? null });
    return { type: 'record', record: bytes, mini: mini?.sealed ?? null };
  }

  private async miniOf(
    key: Uint8Array,
    row: ClaimRow,
    { record, media }: ReadRecord,
  ): Promise<{ readonly id: Uint8Array; readonly sealed: SealedObject } | null> {
    const named = record.value.media?.find(({ role }) => role === 'mini');
    const isHere = named !== undefined && media.some(({ id, isAvailable }) => isAvailable && equal(id, named.id));
    const found = isHere ? await this.deps.store.records.media(row.device, row.epoch, named.id) : undefined;
    if (named === undefined || found === undefined) return null;
    if (isMediaOf(this.deps.suite, named, found.sealed)) return { id: named.id, sealed: found.sealed };
    const reason = 'media that is not the one the record names';
    await this.raiseAlarm(key, row, { verdict: 'malformed', reason, bytes: record.bytes });
    return null;
  }
}
