import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { isSegmentAt, segmentsIn } from '../store/segments.js';
import type { ClaimRow, SegmentKey } from '../store/store.js';
import { NO_BYTES, RecordReader, type ReadRecord } from './record-reader.js';

const WRONG_BODY = 'the body of a segment that is not the one the record names';

/** Reads the bodies of clips' segments: by the record that names them, which is verified again. */
export class SegmentReader extends RecordReader {
  /**
   * Returns the sealed body of a segment. Its hash is compared, so that no other body is ever shown in its place.
   *
   * @throws SealcamError `not-found`, also before it has come; `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async segment(key: Uint8Array, row: ClaimRow, asked: SegmentKey): Promise<Uint8Array> {
    await this.requireReadsOpen(key, row.account);
    const { records, segments } = this.deps.store;
    const found = (await this.isRevoked(row)) ? undefined : await segments.find(asked);
    if (found !== undefined && !isSegmentAt(found, asked)) {
      const reason = 'the store answered with the row of another segment';
      await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: NO_BYTES });
      throw new SealcamError('not-found', 'no such body');
    }
    const stored = found === undefined ? undefined : await records.get(row.device, row.epoch, found.seq);
    const read = stored === undefined ? null : await this.verify(key, row, stored);
    const named =
      read === null ? undefined : segmentsIn(read.record.value).find(([, , , hash]) => equal(hash, asked.bodyHash));
    if (found?.state !== 'stored' || read === null || named === undefined)
      throw new SealcamError('not-found', 'no such body');
    const body = await this.bodyOf(key, row, asked.bodyHash);
    if (body === null) throw new SealcamError('not-found', 'no such body');
    const [, mediaId] = named;
    await this.logAccess(key, row, { what: 'media', fromSeq: found.seq, toSeq: found.seq, mediaId });
    return body;
  }

  /** Returns the bodies of a record that was just read, those that are there, for an export that was logged. */
  async *exportSegments(key: Uint8Array, row: ClaimRow, { record, segments }: ReadRecord): AsyncGenerator<Uint8Array> {
    for (const [i, [, , , bodyHash]] of segmentsIn(record.value).entries()) {
      if (segments[i]?.isAvailable !== true) continue;
      await this.requireReadsOpen(key, row.account);
      const body = await this.bodyOf(key, row, bodyHash);
      if (body !== null) yield body;
    }
  }

  /** Returns the body that a record names; null, after an alarm, where it is gone or another one. */
  private async bodyOf(key: Uint8Array, row: ClaimRow, bodyHash: Uint8Array): Promise<Uint8Array | null> {
    const { device, epoch } = row;
    const body = await this.deps.bodies.get({ device, epoch, bodyHash });
    if (body !== undefined && equal(this.deps.suite.sha256(body), bodyHash)) return body;
    const reason = body === undefined ? 'the body of a segment is gone from the media store' : WRONG_BODY;
    await this.raiseAlarm(key, row, { verdict: 'malformed', reason, bytes: NO_BYTES });
    return null;
  }
}
