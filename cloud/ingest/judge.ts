import { equal, toHex } from '../../common/bytes.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { deletionKind, type Deletion } from '../../protocol/objects/deletion.js';
import { deviceId } from '../../protocol/objects/ids.js';
import { checkKemKeysBeside } from '../trust/kem-keys.js';
import { anyRecordKind, type AnyRecord } from '../../protocol/objects/record.js';
import { rulesOf } from '../../protocol/objects/record-kinds.js';
import {
  checkVersionOfEpoch,
  openSigned,
  signedButFaulty,
  versionOf,
  type Verified,
} from '../../protocol/objects/signed-object.js';
import type { SentRecord } from '../../protocol/transport/messages.js';
import { checkBinding } from '../../protocol/verify/binding.js';
import { isMediaOf } from '../../protocol/verify/media.js';
import type { Verdict } from '../../protocol/verify/verdict.js';
import type { ClaimRow, CloudStore, NewMedia, PutOutcome, Standing } from '../store/store.js';
import type { ReceiptedEpoch, ReceiptEntry, RejectCode } from '../trust/receipts.js';

/** The outcome for one record of a message. */
export type Judgement = StoredJudgement | RefusedJudgement;

export interface StoredJudgement {
  readonly type: 'stored';
  readonly record: Verified<AnyRecord>;
  /** Arrival number; null for a duplicate. */
  readonly id: number | null;
  /** The epoch that a receipt of it is for. */
  readonly epoch: ReceiptedEpoch;
  /** Null while media are missing that no signed loss names: such a record has no receipt yet. */
  readonly entry: ReceiptEntry | null;
  /** Sealed objects that came with the record but are not the ones it names. */
  readonly wrongMedia: number;
}

export interface RefusedJudgement {
  readonly type: 'refused';
  readonly verdict: Extract<Verdict, 'malformed' | 'unsupported' | 'foreign' | 'revoked' | 'equivocation'>;
  readonly reason: string;
  /** Set where the receipt rejects the record for good, so that the camera stops sending it. */
  readonly rejected: Rejected | null;
}

interface Rejected {
  readonly epoch: ReceiptedEpoch;
  readonly entry: ReceiptEntry;
}

function refused(
  verdict: RefusedJudgement['verdict'],
  reason: string,
  rejected: Rejected | null = null,
): RefusedJudgement {
  return { type: 'refused', verdict, reason, rejected };
}

export interface RecordInput {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  /** The device of the topic on which the message came. */
  readonly device: Uint8Array;
  readonly sent: SentRecord;
  readonly nowMs: number;
  /** Waits for a claim row that is missing, where another worker may be about to store it. */
  readonly waitForClaim?: ((epoch: number) => Promise<ClaimRow | undefined>) | undefined;
}

/** A record whose signature, encoding and fields were checked, not yet bound to its claim. */
export interface OpenedRecord {
  readonly type: 'opened';
  readonly record: Verified<AnyRecord>;
  /** What it names and was sent with it. */
  readonly media: readonly NewMedia[];
  readonly wrongMedia: number;
  /** Whether the message lists as many objects as the record names. */
  readonly hasMediaList: boolean;
}

interface UnreadableRecord {
  readonly type: 'unreadable';
  readonly error: unknown;
}

export type SentRecordState = OpenedRecord | UnreadableRecord | RefusedJudgement;

/** Verifies one record of a message with its media. Reads no store and never throws. */
export function openRecord({ suite, device, sent }: Pick<RecordInput, 'suite' | 'device' | 'sent'>): SentRecordState {
  let record: Verified<AnyRecord>;
  try {
    record = openSigned(anyRecordKind, suite, sent.record);
  } catch (error) {
    return { type: 'unreadable', error };
  }
  const { value } = record;
  if (!equal(value.device, device)) return refused('foreign', `signed by ${toHex(value.device)}`);
  const named = value.media ?? [];
  const hasMediaList = sent.media.length === named.length;
  const media: NewMedia[] = [];
  let wrongMedia = 0;
  for (const [i, meta] of named.entries()) {
    const sealed = sent.media[i] ?? null;
    if (sealed === null || !hasMediaList) continue;
    if (isMediaOf(suite, meta, sealed)) media.push({ id: meta.id, sealed });
    else wrongMedia++;
  }
  return { type: 'opened', record, media, wrongMedia, hasMediaList };
}

/** Whether the record may be stored, and the row that decides it. */
interface Bound {
  readonly verdict: ReturnType<typeof checkBinding>;
  readonly row: ClaimRow | undefined;
  readonly isRevoked: boolean;
}

function bindBy(record: AnyRecord, { row, isRevoked }: Standing): Bound {
  return { verdict: isRevoked ? 'revoked' : checkBinding(record, row), row, isRevoked };
}

/**
 * Judges one record of a message and stores it, in the order of §10 of the protocol: verify, bind by the authoritative
 * row of the record's own epoch, store. The row is read in the transaction that stores the record.
 *
 * @throws SealcamError `store-unavailable`; nothing is receipted then
 */
export async function judgeRecord(input: RecordInput): Promise<Judgement> {
  return storeRecord(input, openRecord(input));
}

/** The second half of {@link judgeRecord}: binds and stores what `openRecord` made of the record. */
export async function storeRecord(input: RecordInput, opened: SentRecordState): Promise<Judgement> {
  if (opened.type === 'refused') return opened;
  if (opened.type === 'unreadable') return refuseUnreadable(input, opened.error);
  const { store, nowMs, waitForClaim } = input;
  const { record, media, wrongMedia } = opened;
  const { value, hash } = record;
  let bound: Bound = { verdict: 'foreign', row: undefined, isRevoked: false };
  const attempt = async (): Promise<PutOutcome> => {
    if (opened.hasMediaList) {
      return store.records.put(record, media, nowMs, (standing) => {
        bound = bindBy(value, standing);
        return bound.verdict === 'bound';
      });
    }
    const row = await store.claims.row(value.device, value.epoch);
    bound = bindBy(value, { row, isRevoked: await store.revocations.isRevoked(value.device) });
    return { outcome: 'unbound' };
  };
  let put = await attempt();
  const isMissing = put.outcome === 'unbound' && bound.row === undefined && !bound.isRevoked;
  if (isMissing && (await waitForClaim?.(value.epoch)) !== undefined) put = await attempt();
  const { row, verdict } = bound;
  if (verdict !== 'bound') {
    const reason = bound.isRevoked ? REVOKED_BY_MAKER : bindingReason(row, value);
    // Nothing can make it an object of its epoch's version. A revoked epoch gets no answer.
    const isFinal = verdict === 'malformed' && row !== undefined && row.state !== 'revoked';
    return refused(verdict, reason, isFinal ? rejectedFor(row, value.seq, hash, 'malformed') : null);
  }
  if (put.outcome === 'unbound') return refused('malformed', 'a media list of another length');

  // Without a row nothing is bound.
  if (row === undefined) return refused('foreign', bindingReason(row, value));
  const rejected = (code: RejectCode): Rejected => rejectedFor(row, value.seq, hash, code);
  if (put.outcome === 'equivocation') {
    return refused('equivocation', `another record for seq ${String(value.seq)}`, rejected('equivocation'));
  }
  if (put.outcome === 'period-taken') {
    return refused('equivocation', 'another key record of its period', rejected('equivocation'));
  }
  if (put.outcome === 'media-taken') {
    return refused('malformed', 'a media id under which another record has its object', rejected('malformed'));
  }
  if (isLastOfEpoch(value)) await store.claims.close(value.device, value.epoch, value.seq);
  // What came with it is stored now; only what did not come has to be asked for.
  const isComplete = media.length === (value.media ?? []).length || (await hasMediaOrLoss(store, value));
  return {
    type: 'stored',
    record,
    epoch: receiptedEpoch(row),
    id: put.outcome === 'stored' ? put.id : null,
    entry: isComplete ? { type: 'stored', seq: value.seq, hash } : null,
    wrongMedia,
  };
}

function receiptedEpoch({ device, epoch, claimHash, version, claim }: ClaimRow): ReceiptedEpoch {
  return { device, epoch, claimHash, version, claim };
}

function rejectedFor(row: ClaimRow, seq: number, hash: Uint8Array, code: RejectCode): Rejected {
  return { epoch: receiptedEpoch(row), entry: { type: 'rejected', seq, hash, code } };
}

/** Returns whether the record closes its epoch: what follows it is judged by the closed row. */
export function isLastOfEpoch({ kind }: AnyRecord): boolean {
  return rulesOf(kind).isLast;
}

/** How many of the newest records are tried for one that is stored whole. */
const HEAD_RECORDS_MAX = 64;

export const REVOKED_BY_MAKER = 'the maker revoked this camera';

/** Judges a record of a camera that the maker revoked: it is neither stored, receipted nor rejected for good. */
export function judgeRevoked(suite: CryptoSuite, device: Uint8Array, sent: SentRecord): RefusedJudgement {
  try {
    const { value } = openSigned(anyRecordKind, suite, sent.record);
    if (!equal(value.device, device)) return refused('foreign', `signed by ${toHex(value.device)}`);
    return refused('revoked', REVOKED_BY_MAKER);
  } catch (error) {
    const { code, message } = asSealcamError(error);
    return refused(code === 'foreign' || code === 'unsupported' ? code : 'malformed', message);
  }
}

/**
 * Returns the newest record of an epoch that a receipt may name: stored with its media, or with the signed loss of them.
 * Beside an `equivocation` it tells a camera that was restored from an old image where to go on.
 */
export async function headOf(
  { store, suite }: Pick<RecordInput, 'store' | 'suite'>,
  { device, epoch }: Pick<ReceiptedEpoch, 'device' | 'epoch'>,
): Promise<ReceiptEntry | undefined> {
  const newest = await store.records.page(device, epoch, Number.MAX_SAFE_INTEGER, HEAD_RECORDS_MAX);
  // What its owner deleted was stored once: the camera must go on after that too.
  const deleted = (await store.deletions.of(device, epoch)).map(({ statement }) => {
    return openSigned(deletionKind, suite, statement).value;
  });
  const last = deleted.reduce<Deletion | undefined>(
    (a, b) => (a !== undefined && a.toSeq >= b.toSeq ? a : b),
    undefined,
  );
  for (const { seq, hash, bytes } of newest) {
    if (last !== undefined && last.toSeq > seq) break;
    if (await hasMediaOrLoss(store, openSigned(anyRecordKind, suite, bytes).value)) return { type: 'head', seq, hash };
  }
  return last === undefined ? undefined : { type: 'head', seq: last.toSeq, hash: last.lastHash };
}

/** Returns whether each media object that the record names is stored, or named by a stored, signed loss. */
async function hasMediaOrLoss(store: CloudStore, { device, epoch, seq, media }: AnyRecord): Promise<boolean> {
  if (media === undefined) return true;
  const present = await store.records.mediaPresent(
    device,
    epoch,
    seq,
    media.map(({ id }) => id),
  );
  for (const [i, { id }] of media.entries()) {
    if (present[i] !== true && !(await store.records.isLossSigned(device, epoch, id))) return false;
  }
  return true;
}

function bindingReason(row: ClaimRow | undefined, record: AnyRecord): string {
  if (row === undefined) return `no claim of epoch ${String(record.epoch)}`;
  if (!equal(row.account, record.account)) return 'the row names another account';
  if (!equal(row.claimHash, record.claimHash)) return 'the row names another claim';
  if (versionOf(record) !== row.version) {
    return `an object of version ${String(versionOf(record))} in an epoch of version ${String(row.version)}`;
  }
  return `the epoch is ${row.state}`;
}

/**
 * Refuses a record that cannot be read. It is rejected for good only if this very camera signed it and it matches the
 * claim row: a reject of anything else could name the hash of a good record.
 */
async function refuseUnreadable({ store, suite, device, sent }: RecordInput, error: unknown): Promise<Judgement> {
  if (!isSealcamError(error)) throw error;
  if (error.code === 'foreign' || error.code === 'unsupported') return refused(error.code, error.message);
  if (error.code !== 'malformed' && error.code !== 'bad-signature') throw error;
  const faulty = signedButFaulty(anyRecordKind, suite, sent.record);
  if (faulty === undefined || !equal(deviceId(suite, faulty.kid), device)) {
    return refused('malformed', `${error.code}: ${error.message}`);
  }
  // Keys of a record in docs/protocol.cddl.
  const [named, epoch, claimHash, seq] = [2, 4, 5, 6].map((key) => faulty.fields.get(key));
  const isNamed =
    named instanceof Uint8Array &&
    equal(named, device) &&
    typeof epoch === 'number' &&
    typeof seq === 'number' &&
    seq >= 0;
  const row = isNamed && epoch >= 1 ? await store.claims.row(device, epoch) : undefined;
  if (row === undefined || !isNamed || !(claimHash instanceof Uint8Array) || !equal(row.claimHash, claimHash)) {
    return refused('malformed', error.message);
  }
  // A camera that the maker revoked gets no answer.
  if (await store.revocations.isRevoked(device)) return refused('malformed', error.message);
  return refused('malformed', error.message, rejectedFor(row, seq, faulty.hash, 'malformed'));
}

export interface AcceptInput {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  readonly device: Uint8Array;
  /** The signed claim. */
  readonly claim: Uint8Array;
  /** The camera's signed accept record. */
  readonly record: Uint8Array;
  /** KEM keys beside a claim of version 2, where they were handed in with it. Checked here. */
  readonly kemKeys?: readonly Uint8Array[] | undefined;
  readonly nowMs: number;
}

/**
 * Judges a claim with its accept record and stores both: the only way in which a claim row comes to exist.
 *
 * @throws SealcamError `foreign` for an accept of another claim, `kem-key`, `malformed`, `bad-signature`, `store-unavailable`, …
 */
export async function judgeAccept(input: AcceptInput): Promise<Judgement> {
  const { store, suite, device, nowMs } = input;
  const claim = openSigned(anyClaimKind, suite, input.claim);
  const accept = openSigned(anyRecordKind, suite, input.record);
  const { value } = accept;
  const agrees =
    rulesOf(value.kind).isFirst &&
    equal(claim.value.device, device) &&
    checkBinding(value, {
      device: claim.value.device,
      account: claim.value.account,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      version: versionOf(value),
      state: 'open',
      closedAtSeq: null,
    }) === 'bound';
  if (!agrees) throw new SealcamError('foreign', 'an accept that does not belong to its claim');
  checkVersionOfEpoch(value, claim.value);
  if (input.kemKeys !== undefined) checkKemKeysBeside(suite, claim.value, input.kemKeys);
  // The row of a revoked epoch stays. Its camera gets no answer, however often it repeats its accept.
  const row = await store.claims.row(value.device, value.epoch);
  if (row?.state === 'revoked') return refused('revoked', `epoch ${String(value.epoch)} is revoked`);
  const put = await store.claims.accept(claim, accept, nowMs, input.kemKeys);
  const epoch: ReceiptedEpoch = {
    device,
    epoch: value.epoch,
    claimHash: claim.hash,
    version: versionOf(claim.value),
    claim: claim.bytes,
  };
  if (put.outcome === 'equivocation') {
    if (row === undefined || !equal(row.claimHash, claim.hash)) {
      return refused('equivocation', `another claim for epoch ${String(value.epoch)}`);
    }
    // The same claim: a camera that was restored from an image of the moment at which it was claimed.
    const entry = { type: 'rejected', seq: 0, hash: accept.hash, code: 'equivocation' } as const;
    return refused('equivocation', `another accept for epoch ${String(value.epoch)}`, { epoch, entry });
  }
  return {
    type: 'stored',
    record: accept,
    epoch,
    id: put.outcome === 'stored' ? put.id : null,
    entry: { type: 'stored', seq: 0, hash: accept.hash },
    wrongMedia: 0,
  };
}
