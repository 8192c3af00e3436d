import { equal } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import type { Look } from '../../protocol/objects/look.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { checkLook } from '../../protocol/verify/orders.js';
import type { AccessLook, ClaimRow } from '../store/store.js';
import { NO_BYTES } from './record-reader.js';
import { SegmentReader } from './segment-reader.js';

/** Decides who may look at a camera now, and writes looks into the access log. */
export class LookReader extends SegmentReader {
  /**
   * Returns the claim row under which an order to look may be relayed now: that of the camera's newest epoch, still open, whose
   * signed claim names the key of the session, which signed the order.
   *
   * @throws SealcamError `not-found` for every reason alike; `reads-paused`, `account-marked`, `revocation-stale`,
   *   `store-unavailable`
   */
  async rowForLook(key: Uint8Array, order: Verified<Look>): Promise<ClaimRow> {
    const { device, epoch, claimHash } = order.value;
    if (!equal(key, order.kid)) throw notFound();
    const row = await this.rowFor(key, device, epoch);
    // A camera that changed hands is of the new claim at once, also before the tombstone of the old one has come.
    const latest = await this.deps.store.claims.latest(device);
    const isCurrent = row.state === 'open' && latest?.epoch === epoch && equal(row.claimHash, claimHash);
    if (!isCurrent || !this.isOrderOf(row, order)) throw notFound();
    const account = this.claimOf(row)?.account;
    if (account === undefined || !equal(account, row.account)) {
      const reason = 'the account of the row is not that of its claim';
      await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: row.claim ?? NO_BYTES });
      throw notFound();
    }
    return row;
  }

  /**
   * Writes the beginning or, with an end, the end of a look into the access log.
   *
   * @throws SealcamError `store-unavailable`
   */
  logLook(key: Uint8Array, row: ClaimRow, look: AccessLook): Promise<void> {
    return this.logAccess(key, row, { what: 'look', fromSeq: null, toSeq: null, mediaId: null, look });
  }

  /** Returns whether the signed claim inside the row names who signed the order. */
  private isOrderOf(row: ClaimRow, order: Verified<Look>): boolean {
    try {
      checkLook(order, openSigned(anyClaimKind, this.deps.suite, row.claim ?? NO_BYTES));
      return true;
    } catch {
      return false;
    }
  }
}

function notFound(): SealcamError {
  return new SealcamError('not-found', 'no such camera');
}
