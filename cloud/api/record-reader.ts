import { equal } from '../../common/bytes.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { accountId } from '../../protocol/objects/ids.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { checkContinuity, type Continuity } from '../../protocol/verify/continuity.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import { Refusals } from '../alarms/refusals.js';
import { segmentsIn } from '../store/segments.js';
import type { AccessEntry, AccessLook, ClaimRow, EpochKey, StoredRecord } from '../store/store.js';
import { AccessWriter } from './access-writer.js';
import { ReadGate, type ReaderDependencies } from './read-gate.js';

export const NO_BYTES = new Uint8Array(0);

/** A record that this read verified and that its reader may see. */
export interface ReadRecord {
  /** Arrival number. */
  readonly id: number;
  readonly record: Verified<AnyRecord>;
  readonly receivedAtMs: number;
  readonly continuity: Continuity;
  readonly media: readonly { readonly id: Uint8Array; readonly isAvailable: boolean }[];
  /** The segments that a clip record names. */
  readonly segments: readonly { readonly id: Uint8Array; readonly isAvailable: boolean }[];
}

export interface Mismatch {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly bytes: Uint8Array;
}

/** What a line of the access log adds to reader and epoch. */
interface Access {
  readonly what: AccessEntry['what'];
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  readonly mediaId: Uint8Array | null;
  readonly look?: AccessLook;
}

/** What every read shares: the claim decides, the record is verified again, the access log is written first. */
export class RecordReader extends ReadGate {
  private readonly refusals: Refusals;
  private readonly accessWriter: AccessWriter;

  constructor(deps: ReaderDependencies) {
    super(deps);
    this.refusals = new Refusals(deps);
    this.accessWriter = new AccessWriter(deps.store.access);
  }

  /**
   * Returns the claim row of an epoch that this key may read. A reader without the right to see a camera does not learn
   * whether it exists.
   *
   * @throws SealcamError `not-found`, `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  async rowFor(key: Uint8Array, device: Uint8Array, epoch: number): Promise<ClaimRow> {
    const { claims } = this.deps.store;
    const row = (await claims.isMember(device, epoch, key)) ? await claims.row(device, epoch) : undefined;
    if (row === undefined || (await this.isRevoked(row))) throw new SealcamError('not-found', 'no such camera');
    const isRequested = equal(row.device, device) && row.epoch === epoch;
    if (!isRequested) {
      const reason = 'the store answered with the row of another epoch';
      await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: row.claim ?? NO_BYTES });
    }
    if (!isRequested || !(await this.mayRead(key, row))) throw new SealcamError('not-found', 'no such camera');
    await this.requireReadsOpen(key, row.account);
    return row;
  }

  /**
   * Returns whether the signed claim inside the row is that of its epoch and names the key. The table of members only
   * finds rows: a mixed-up entry there grants nothing, and raises an alarm.
   */
  async mayRead(key: Uint8Array, row: ClaimRow): Promise<boolean> {
    const claim = this.claimOf(row);
    if (claim?.recipients.some(({ ed25519 }) => equal(ed25519, key)) === true) return true;
    const reason =
      claim !== null ? 'the claim of this epoch does not name the reader' : 'the claim does not belong to its row';
    await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: row.claim ?? NO_BYTES });
    return false;
  }

  /**
   * Returns whether this key signed the claim inside the row, for the row's own epoch. What cannot be undone asks this for
   * each row: a mixed-up row destroys nothing, and raises an alarm.
   */
  async isOwner(key: Uint8Array, row: ClaimRow): Promise<boolean> {
    const claim = this.claimOf(row);
    if (claim !== null && equal(claim.ownerKey, key)) return true;
    const reason =
      claim !== null ? 'the key did not sign the claim of this epoch' : 'the claim does not belong to its row';
    await this.raiseAlarm(key, row, { verdict: 'foreign', reason, bytes: row.claim ?? NO_BYTES });
    return false;
  }

  /** Returns the verified record; null, after an alarm, for one that must not be shown. */
  protected async verify(key: Uint8Array, row: ClaimRow, stored: StoredRecord): Promise<ReadRecord | null> {
    const { store, suite } = this.deps;
    let record: Verified<AnyRecord>;
    try {
      record = openSigned(anyRecordKind, suite, stored.bytes);
    } catch (error) {
      const { code, message } = asSealcamError(error);
      const verdict = code === 'foreign' || code === 'unsupported' ? code : 'malformed';
      await this.raiseAlarm(key, row, { verdict, reason: message, bytes: stored.bytes });
      return null;
    }
    const { value, hash } = record;
    const isKeyed = equal(value.device, stored.device) && value.epoch === stored.epoch && value.seq === stored.seq;
    const binding = isKeyed && equal(hash, stored.hash) ? checkBinding(value, row) : 'foreign';
    if (binding !== 'bound') {
      const reason = 'does not belong to the claim row of its epoch';
      await this.raiseAlarm(key, row, { verdict: binding, reason, bytes: stored.bytes });
      return null;
    }
    if (!(await this.mayRead(key, row))) return null;
    const continuity = checkContinuity(value, await store.records.chainFacts(value.device, value.epoch, value.seq));
    if (continuity.verdict === 'equivocation') {
      const reason = 'not the record that its successor names';
      await this.raiseAlarm(key, row, { verdict: 'equivocation', reason, bytes: stored.bytes });
      return null;
    }
    const ids = (value.media ?? []).map(({ id }) => id);
    const present = ids.length === 0 ? [] : await store.records.mediaPresent(value.device, value.epoch, value.seq, ids);
    const media = ids.map((id, i) => ({ id, isAvailable: present[i] === true }));
    const segments = await this.segmentsOf(value);
    return { id: stored.id, record, receivedAtMs: stored.receivedAtMs, continuity, media, segments };
  }

  /** Returns which of the segments that a record names are there. */
  private async segmentsOf(record: AnyRecord): Promise<ReadRecord['segments']> {
    const named = segmentsIn(record);
    if (named.length === 0) return [];
    const rows = await this.deps.store.segments.ofRecord(record.device, record.epoch, record.seq);
    const stored = rows.filter(({ state }) => state === 'stored');
    return named.map(([, id, , hash]) => ({ id, isAvailable: stored.some(({ bodyHash }) => equal(bodyHash, hash)) }));
  }

  /** Returns the signed claim inside a row; null unless it verifies and is that of the row's epoch. */
  claimOf(row: ClaimRow): AnyClaim | null {
    return this.claims.of(row);
  }

  /** Raises the alarm over something stored that disagrees with what is signed. `reader` is null where nobody asked for it. */
  reportMismatch(reader: Uint8Array | null, at: EpochKey | null, mismatch: Mismatch): Promise<void> {
    const { device, epoch } = at ?? { device: null, epoch: null };
    return this.refusals.recordRefusal({ place: 'read', device, epoch, reader, ...mismatch });
  }

  protected logAccess(reader: Uint8Array, { device, epoch }: ClaimRow, access: Access): Promise<void> {
    return this.accessWriter.append({ atMs: this.deps.clock.wallMs(), reader, device, epoch, ...access });
  }

  protected raiseAlarm(key: Uint8Array, row: ClaimRow, mismatch: Mismatch): Promise<void> {
    return this.reportMismatch(accountId(this.deps.suite, key), row, mismatch);
  }
}
