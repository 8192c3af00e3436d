import type { Deletion } from '../../protocol/objects/deletion.js';
import type { Revocation } from '../../protocol/objects/revocation.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import type { RecordKindV2 } from '../../protocol/objects/record-kinds.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { ChainFacts } from '../../protocol/verify/continuity.js';
import type { ClaimRow, ClaimStore } from './claim-store.js';
import type { EpochKey } from './epoch-key.js';
import type { PushStore } from './push-store.js';
import type { PutOutcome } from './put-outcome.js';
import type { SegmentStore } from './segment-store.js';
import type { SettingsStore } from './settings-store.js';
import type {
  AccountMark,
  DeletionStore,
  ErasedEpoch,
  HeadsStore,
  MarkOutcome,
  RetentionStore,
} from './statement-store.js';

/**
 * Everything the cloud keeps. Keys are (device, epoch, …), never an id alone. Every call reads the database: which account
 * a camera belongs to is cached neither here nor above. Every call may reject with `store-unavailable`; the caller then
 * sends no receipt and shows nothing.
 */
export interface CloudStore {
  readonly claims: ClaimStore;
  readonly records: RecordStore;
  readonly access: AccessStore;
  readonly quarantine: QuarantineStore;
  readonly alarms: AlarmStore;
  readonly revocations: RevocationStore;
  readonly reads: ReadsStore;
  readonly accounts: AccountStore;
  readonly heads: HeadsStore;
  readonly settings: SettingsStore;
  readonly deletions: DeletionStore;
  readonly retention: RetentionStore;
  readonly segments: SegmentStore;
  readonly times: TimeStore;
  readonly push: PushStore;
  /** Closes the database. Later calls reject with `store-unavailable`. */
  close(): Promise<void>;
}

export type { ClaimRow, ClaimStore, Household, OfferedKemKey, PendingClaim, StoredOffer } from './claim-store.js';
export type { EpochKey } from './epoch-key.js';
export type { NewPushSubscription, PushStore, PushSubscription } from './push-store.js';
export type { PutOutcome } from './put-outcome.js';
export type { DiscardedBody, Segment, SegmentKey, SegmentState, SegmentStore, Upload } from './segment-store.js';

export interface StoredRecord extends EpochKey {
  /** Arrival number, ascending over all cameras; streams resume from it. */
  readonly id: number;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly receivedAtMs: number;
}

/** What the store knows of a record's camera, read in the transaction that stores the record. */
export interface Standing {
  /** The row of the record's own epoch. */
  readonly row: ClaimRow | undefined;
  /** Whether a maker's list ever named the device. */
  readonly isRevoked: boolean;
}

/** Decides whether a record may be stored. Called in the transaction, so it may not wait; it is called again at a retry. */
export type Bind = (standing: Standing) => boolean;

/** Where a new record lies, without its bytes. */
export interface Arrival extends Pick<StoredRecord, 'id' | 'device' | 'epoch' | 'seq'> {
  readonly kind: RecordKindV2;
}

export interface NewMedia {
  readonly id: Uint8Array;
  readonly sealed: SealedObject;
}

export interface CameraStatus {
  readonly online: boolean;
  readonly agent: string;
  readonly atMs: number;
}

/** What an owner deleted is stored until it is erased, but no call that returns records or bounds shows it. */
export interface RecordStore {
  /**
   * Stores a record with its media in one transaction, durable when it resolves. A duplicate adds the media that were
   * missing. A media id belongs to the first record that brought an object under it. Records that wait for a transaction
   * share the next one, and one that fails fails alone. With `bind`, the record is stored only if that returns true. What
   * it needs of a period is noted: the period's key record then outlives it. The segments that it names are `expected`.
   */
  put(record: Verified<AnyRecord>, media: readonly NewMedia[], atMs: number, bind?: Bind): Promise<PutOutcome>;
  get(device: Uint8Array, epoch: number, seq: number): Promise<StoredRecord | undefined>;
  /** Returns up to `limit` records with a seq below `before`, newest first. */
  page(device: Uint8Array, epoch: number, before: number, limit: number): Promise<readonly StoredRecord[]>;
  /** Returns up to `limit` records of these epochs with an arrival number above `id`, in order of arrival. */
  since(id: number, epochs: readonly EpochKey[], limit: number): Promise<readonly StoredRecord[]>;
  /**
   * Returns up to `limit` arrivals of all cameras above `id`, in order. A record that any process stores later has a
   * higher number than everything that this or `since` has returned.
   */
  arrivals(id: number, limit: number): Promise<readonly Arrival[]>;
  /** Returns the last arrival number that a stream may start from. */
  lastId(): Promise<number>;
  /** Returns what the store knows about the history before this seq. */
  chainFacts(device: Uint8Array, epoch: number, seq: number): Promise<ChainFacts>;
  /** Returns the lowest and highest seq that is shown, and when the last record arrived, shown or not. */
  bounds(
    device: Uint8Array,
    epoch: number,
  ): Promise<{ readonly lowest: number; readonly highest: number; readonly lastReceivedAtMs: number } | undefined>;
  /** Returns the newest health record of an epoch. */
  latestHealth(device: Uint8Array, epoch: number): Promise<StoredRecord | undefined>;
  /** Returns, for each id, whether a sealed object is stored under it that this record brought. */
  mediaPresent(device: Uint8Array, epoch: number, seq: number, ids: readonly Uint8Array[]): Promise<readonly boolean[]>;
  /** Returns a sealed object and the seq of the record that brought it. */
  media(
    device: Uint8Array,
    epoch: number,
    id: Uint8Array,
  ): Promise<{ readonly sealed: SealedObject; readonly seq: number } | undefined>;
  /**
   * Returns the key record of a period; its object is null where it has not come. It is there as long as anything of its
   * period is shown, also where its owner deleted the range in which it lies.
   */
  keyRecord(
    device: Uint8Array,
    epoch: number,
    periodId: Uint8Array,
  ): Promise<{ readonly record: StoredRecord; readonly sealed: SealedObject | null } | undefined>;
  /** Returns whether a stored, signed loss of this epoch names this media object. */
  isLossSigned(device: Uint8Array, epoch: number, mediaId: Uint8Array): Promise<boolean>;
  setStatus(device: Uint8Array, status: CameraStatus): Promise<void>;
  status(device: Uint8Array): Promise<CameraStatus | undefined>;
  /** Returns how many cameras are online; a hint of the broker, unsigned. */
  onlineCount(): Promise<number>;
  /**
   * Sets the receive times after `laterThanMs` to `nowMs`, for up to `limit` records, and returns how many: a clock that was
   * ahead wrote them, and they would keep their records for too long.
   */
  correctTimes(laterThanMs: number, nowMs: number, limit: number): Promise<number>;
  /**
   * Keeps the records received from `fromMs` to `toMs` for `byMs` longer: a clock that was behind wrote those times. The
   * receive times stay.
   */
  keepLonger(fromMs: number, toMs: number, byMs: number): Promise<void>;
}

/** The newest time that the cloud ever trusted. It only rises, so that a restart with a wrong clock is noticed. */
export interface TimeStore {
  /** Returns the newest time; null in a store that was never used. */
  newest(): Promise<number | null>;
  /** Raises the newest time; does nothing where it is later already. */
  raise(atMs: number): Promise<void>;
}

/** One line of the access log: who was shown what. */
export interface AccessEntry extends EpochKey {
  readonly atMs: number;
  /** The Ed25519 key that opened the session. */
  readonly reader: Uint8Array;
  readonly what: 'records' | 'media' | 'stream' | 'export' | 'look' | 'push';
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  readonly mediaId: Uint8Array | null;
  /** Of a look, which has one line where it begins and one where it ends. */
  readonly look?: AccessLook;
}

export interface AccessLook {
  /** The session id of the order. */
  readonly session: Uint8Array;
  /** Of the live messages that were relayed; null where the look begins. */
  readonly end: { readonly bytes: number; readonly seconds: number } | null;
}

/** A line with the number that the store gave it. */
export interface AccessLine extends AccessEntry {
  readonly id: number;
}

/** A place in the access log, in the order of time. */
export type AccessCursor = Pick<AccessLine, 'atMs' | 'id'>;

/**
 * Append-only: no call changes a line. A line goes only once an operator archived its day, and the database refuses
 * anything else.
 */
export interface AccessStore {
  append(entries: readonly AccessEntry[]): Promise<void>;
  /** Returns the lines of the epochs that this key may read, of these accounts alone if given, newest first. */
  ofReadable(key: Uint8Array, limit: number, accounts?: readonly Uint8Array[]): Promise<readonly AccessEntry[]>;
  /**
   * Returns who was shown what in [sinceMs, untilMs), one line for each reader and epoch. Readers that the claim does not
   * name come first. `device` and `account` narrow the search, null does not; the account is the camera's or the reader's.
   */
  affected(
    device: Uint8Array | null,
    sinceMs: number,
    untilMs: number,
    account?: Uint8Array | null,
  ): Promise<readonly AccessSummary[]>;
  /** Returns up to `limit` lines of [fromMs, untilMs) after a place in the log, in the order of time. */
  lines(fromMs: number, untilMs: number, after: AccessCursor | null, limit: number): Promise<readonly AccessLine[]>;
  /** Returns the time of the oldest line; null without any. */
  oldestMs(): Promise<number | null>;
  /** Notes for good that lines of a UTC day (days since 1970) are in an archive, and may go from here. */
  noteArchived(day: number): Promise<void>;
  /** Deletes lines of a day that was noted, in one transaction. */
  removeArchived(day: number, ids: readonly number[]): Promise<void>;
  /** Returns the end of the last day that was noted: before it lines are missing here. Null where none was. */
  archivedUntilMs(): Promise<number | null>;
}

export interface AccessSummary {
  /** The key that read, and its account. */
  readonly reader: Uint8Array;
  readonly readerAccount: Uint8Array;
  /** The reader's role by the claim of this epoch; `unknown` after the account and its members were deleted. */
  readonly relation: 'owner' | 'member' | 'neither' | 'unknown';
  /** The camera's account; null where the epoch has no claim. */
  readonly account: Uint8Array | null;
  readonly device: Uint8Array;
  readonly epoch: number;
  /** Lines of the access log, in all and by kind. */
  readonly reads: number;
  readonly records: number;
  readonly stream: number;
  readonly media: number;
  readonly exports: number;
  /** Looks that began. */
  readonly looks: number;
  /** Records that were sent to a browser as a notification. */
  readonly pushes: number;
  /** Different sealed objects handed out, exports included. */
  readonly mediaObjects: number;
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface QuarantineEntry {
  /** Assigned by the store. */
  readonly id?: number;
  readonly atMs: number;
  /** The device that the topic names; null for any other topic. */
  readonly device: Uint8Array | null;
  readonly verdict: string;
  readonly reason: string;
  readonly bytes: Uint8Array;
}

/** Refused input, kept for an operator. Bounded; no owner's read opens it. */
export interface QuarantineStore {
  /** Stores an entry, drops the oldest above the limit, and returns the entry's number. */
  put(entry: QuarantineEntry): Promise<number>;
  count(): Promise<number>;
  newest(limit: number): Promise<readonly QuarantineEntry[]>;
}

/** Where the refusal behind an alarm happened; `clock`: the cloud's own clock is in doubt. */
export type AlarmPlace = 'ingest' | 'read' | 'app' | 'clock';

export interface Alarm {
  readonly atMs: number;
  readonly place: AlarmPlace;
  readonly verdict: string;
  /** Null where it is unknown. */
  readonly device: Uint8Array | null;
  readonly epoch: number | null;
  /** The reader's account, for alarms of a read or of the app. */
  readonly reader: Uint8Array | null;
  readonly reason: string;
  /** Number of the quarantine entry; null where no bytes were kept. */
  readonly quarantineId: number | null;
}

/**
 * Bounded for each place, so that a flood in one place does not push out the alarms of another, and in it for each camera or
 * reader, so that one that is flooded pushes out its own.
 */
export interface AlarmStore {
  put(alarm: Alarm): Promise<void>;
  /** Returns up to `limit` alarms, newest first. */
  since(sinceMs: number, limit: number): Promise<readonly (Alarm & { readonly id: number })[]>;
}

export interface StoredRevocation {
  /** The signed list, whole. */
  readonly list: Uint8Array;
  readonly storedAtMs: number;
}

/**
 * Revocation lists, the newest of each signer. What a list once named stays revoked even if a later list omits it: a
 * truncated list must not bring a stolen camera back.
 */
export interface RevocationStore {
  /**
   * Stores a verified list and applies it in one transaction: an owner's epochs become `revoked`, a maker's devices too.
   * `rollback`: its version is not above this signer's last. `foreign`: it names an epoch that is not this owner's.
   */
  put(list: Verified<Revocation>, atMs: number): Promise<'stored' | 'duplicate' | 'rollback' | 'foreign'>;
  newest(signer: Uint8Array): Promise<StoredRevocation | undefined>;
  /** Returns whether a maker's list ever named this device. */
  isRevoked(device: Uint8Array): Promise<boolean>;
}

/** A pause of all reading, for one account or, with null, for everybody. */
export interface ReadsPause {
  readonly account: Uint8Array | null;
  /** The sentence that owners see. */
  readonly sentence: string;
  readonly sinceMs: number;
}

export interface ReadsChange {
  readonly atMs: number;
  readonly action: 'pause' | 'resume';
  readonly account: Uint8Array | null;
  /** Null at a resume. */
  readonly sentence: string | null;
}

/** The kill switch of the events API. A caller that gets no answer must show nothing. */
export interface ReadsStore {
  /** Returns the pause that applies to one of these accounts, one for everybody first; undefined while reading is open. */
  pauseOf(accounts: readonly Uint8Array[]): Promise<ReadsPause | undefined>;
  /** Pauses reading. Where it is paused already, the new sentence replaces the old. */
  pause(pause: ReadsPause): Promise<void>;
  /** Resumes reading; returns false if it was not paused. */
  resume(account: Uint8Array | null, atMs: number): Promise<boolean>;
  /** Returns the pauses in force, one for everybody first. */
  pauses(): Promise<readonly ReadsPause[]>;
  /** Returns the append-only log of pauses and resumes, newest first. */
  changes(limit: number): Promise<readonly ReadsChange[]>;
}

export type ExportItem =
  | { readonly type: 'claim'; readonly row: ClaimRow }
  | { readonly type: 'record'; readonly record: StoredRecord; readonly media: readonly NewMedia[] }
  | { readonly type: 'access'; readonly entry: AccessEntry };

export interface AccountStore {
  /** Iterates over everything of an account, one page in memory; key records too that the rest needs. */
  export(account: Uint8Array): AsyncIterable<ExportItem>;
  /** Returns the claim rows that name this account. A row can be mixed up: ask the signed claim inside before acting on it. */
  claims(account: Uint8Array): Promise<readonly ClaimRow[]>;
  /**
   * Deletes the records and media of these epochs, in one transaction, and returns the number of records. Their claim rows
   * stay, revoked and without the claim, so that no epoch is used twice. Statements of deletion stay too.
   */
  delete(epochs: readonly ErasedEpoch[]): Promise<number>;
  /**
   * Marks the account of this key for deletion and stores the statements for its epochs, in one transaction. An account
   * that is marked keeps its time.
   */
  mark(ownerKey: Uint8Array, statements: readonly Verified<Deletion>[], eraseAtMs: number): Promise<MarkOutcome>;
  /** Returns those of the accounts that are marked for deletion. */
  marks(accounts: readonly Uint8Array[]): Promise<readonly AccountMark[]>;
  /** Removes a mark and its statements. Returns false unless there is one whose erasing has neither begun nor is due. */
  restore(account: Uint8Array, nowMs: number): Promise<boolean>;
  /** Returns up to `limit` marks that are due, the longest due first. */
  due(nowMs: number, limit: number): Promise<readonly AccountMark[]>;
  /** Begins to erase, after which nothing is undone. Returns false where the mark was removed meanwhile. */
  beginErasing(account: Uint8Array): Promise<boolean>;
  /** Removes the mark of an account of which everything is erased. */
  finishErasing(account: Uint8Array): Promise<void>;
  /** Puts off the erasing of an account in which something is in doubt. */
  postpone(account: Uint8Array, untilMs: number): Promise<void>;
  /** Returns up to `limit` marks, the next due first. */
  pending(limit: number): Promise<readonly AccountMark[]>;
}
