import type { Claim } from '../../protocol/objects/claim.js';
import type { Revocation } from '../../protocol/objects/revocation.js';
import type { SealcamRecord } from '../../protocol/objects/record.js';
import type { RecordKind } from '../../protocol/objects/record-kinds.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../protocol/seal/seal.js';
import type { ClaimBinding } from '../../protocol/verify/binding.js';
import type { ChainFacts } from '../../protocol/verify/continuity.js';

/**
 * Everything the cloud keeps. Keys are (device, epoch, …), never an id alone. Every call goes to the database itself:
 * there is no cache of whose camera is whose, here or above. All calls may fail with `store-unavailable`;
 * then nothing is receipted and nothing is shown.
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
  close(): Promise<void>;
}

export interface ClaimRow extends ClaimBinding {
  /** The signed claim; null after its account was deleted. */
  readonly claim: Uint8Array | null;
  readonly acceptedAtMs: number;
}

export interface PendingClaim {
  readonly claim: Uint8Array;
  readonly mac: Uint8Array | null;
  readonly nonce: Uint8Array;
  readonly atMs: number;
}

export interface ClaimStore {
  /** The authoritative row of one epoch. */
  row(device: Uint8Array, epoch: number): Promise<ClaimRow | undefined>;
  /** The row with the highest epoch. */
  latest(device: Uint8Array): Promise<ClaimRow | undefined>;
  /** Rows of which this Ed25519 key is the owner's or a member's. */
  readableBy(key: Uint8Array): Promise<readonly ClaimRow[]>;
  /** Rows whose cameras may still send, a piece at a time. */
  open(): AsyncIterable<ClaimRow>;
  /** Whether this key may read this epoch. */
  isMember(device: Uint8Array, epoch: number, key: Uint8Array): Promise<boolean>;
  /**
   * The row of a new epoch, from a claim and the camera's accept record that were verified, in one transaction with that
   * record. The epoch must exceed the last; another claim hash at the same or a lower epoch is `equivocation`.
   */
  accept(claim: Verified<Claim>, accept: Verified<SealcamRecord>, atMs: number): Promise<PutOutcome>;
  /** The epoch's tombstone was verified. */
  close(device: Uint8Array, epoch: number, seq: number): Promise<void>;
  putOffer(device: Uint8Array, offer: Uint8Array, atMs: number): Promise<void>;
  offer(device: Uint8Array): Promise<{ readonly offer: Uint8Array; readonly atMs: number } | undefined>;
  putPending(device: Uint8Array, pending: PendingClaim): Promise<void>;
  pending(device: Uint8Array): Promise<PendingClaim | undefined>;
  dropPending(device: Uint8Array): Promise<void>;
}

export interface StoredRecord {
  /** Order of arrival over all cameras, for streams. */
  readonly id: number;
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly receivedAtMs: number;
}

export type PutOutcome =
  | { readonly outcome: 'stored'; readonly id: number }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'equivocation' };

/** A place where something new is to be found. */
export interface Arrival extends Pick<StoredRecord, 'id' | 'device' | 'epoch' | 'seq'> {
  readonly kind: RecordKind;
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

export interface RecordStore {
  /** Record and media in one transaction; media of a duplicate that were missing are added. Durable when it resolves. */
  put(record: Verified<SealcamRecord>, media: readonly NewMedia[], atMs: number): Promise<PutOutcome>;
  get(device: Uint8Array, epoch: number, seq: number): Promise<StoredRecord | undefined>;
  /** Newest first, below `before`. */
  page(device: Uint8Array, epoch: number, before: number, limit: number): Promise<readonly StoredRecord[]>;
  /** In the order of arrival, above `id`, of these epochs. */
  since(
    id: number,
    epochs: readonly { readonly device: Uint8Array; readonly epoch: number }[],
    limit: number,
  ): Promise<readonly StoredRecord[]>;
  /**
   * What was stored above `id`, of all cameras, in the order of arrival: nothing that is stored later, by whatever
   * process, has a lower number than what this or `since` ever gave.
   */
  arrivals(id: number, limit: number): Promise<readonly Arrival[]>;
  lastId(): Promise<number>;
  chainFacts(device: Uint8Array, epoch: number, seq: number): Promise<ChainFacts>;
  bounds(
    device: Uint8Array,
    epoch: number,
  ): Promise<{ readonly lowest: number; readonly highest: number; readonly lastReceivedAtMs: number } | undefined>;
  /** The newest health record of an epoch. */
  latestHealth(device: Uint8Array, epoch: number): Promise<StoredRecord | undefined>;
  /** Which of these media are there. */
  mediaPresent(device: Uint8Array, epoch: number, ids: readonly Uint8Array[]): Promise<readonly boolean[]>;
  /** A sealed object with the record that brought it. */
  media(
    device: Uint8Array,
    epoch: number,
    id: Uint8Array,
  ): Promise<{ readonly sealed: SealedObject; readonly seq: number } | undefined>;
  /** Whether a stored, signed loss of this epoch names this media object. */
  isLossSigned(device: Uint8Array, epoch: number, mediaId: Uint8Array): Promise<boolean>;
  setStatus(device: Uint8Array, status: CameraStatus): Promise<void>;
  status(device: Uint8Array): Promise<CameraStatus | undefined>;
  /** How many cameras are online, as far as the broker hinted. */
  onlineCount(): Promise<number>;
  /** Deletes records and media received before a time; the newest record of each epoch stays. Returns how many. */
  expire(beforeMs: number, limit: number): Promise<number>;
}

/** One line of "who was shown what". */
export interface AccessEntry {
  readonly atMs: number;
  /** The Ed25519 key that opened the session. */
  readonly reader: Uint8Array;
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly what: 'records' | 'media' | 'stream' | 'export';
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  readonly mediaId: Uint8Array | null;
}

/** Append-only: no call changes or deletes a line, and the database refuses both. */
export interface AccessStore {
  append(entries: readonly AccessEntry[]): Promise<void>;
  /** Newest first, of the epochs that this key may read. */
  ofReadable(key: Uint8Array, limit: number): Promise<readonly AccessEntry[]>;
  /**
   * Who was shown what in [since, until), a line for each reader and epoch, those who should not have been first. `device`
   * and `account` narrow it down, null does not; the account is the camera's or the reader's. One query.
   */
  affected(
    device: Uint8Array | null,
    sinceMs: number,
    untilMs: number,
    account?: Uint8Array | null,
  ): Promise<readonly AccessSummary[]>;
}

export interface AccessSummary {
  /** The key that read, and its account. */
  readonly reader: Uint8Array;
  readonly readerAccount: Uint8Array;
  /** What the reader is by the claim of this epoch; `unknown` after its account was deleted, with its members. */
  readonly relation: 'owner' | 'member' | 'neither' | 'unknown';
  /** Whose camera it was; null without a claim of that epoch. */
  readonly account: Uint8Array | null;
  readonly device: Uint8Array;
  readonly epoch: number;
  /** Lines of the access log, in all and by kind. */
  readonly reads: number;
  readonly records: number;
  readonly stream: number;
  readonly media: number;
  readonly exports: number;
  /** Different sealed objects handed out, also in exports. */
  readonly mediaObjects: number;
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface QuarantineEntry {
  /** Given by the store. */
  readonly id?: number;
  readonly atMs: number;
  /** Device of the topic, if it was one. */
  readonly device: Uint8Array | null;
  readonly verdict: string;
  readonly reason: string;
  readonly bytes: Uint8Array;
}

/** What was refused, for an operator to look into. Bounded; no read path of an owner opens it. */
export interface QuarantineStore {
  /** Resolves with the number of the entry. */
  put(entry: QuarantineEntry): Promise<number>;
  count(): Promise<number>;
  newest(limit: number): Promise<readonly QuarantineEntry[]>;
}

/** Who noticed that something is not what it was said to be. */
export type AlarmPlace = 'ingest' | 'read' | 'app';

export interface Alarm {
  readonly atMs: number;
  readonly place: AlarmPlace;
  readonly verdict: string;
  /** Null where it is not known. */
  readonly device: Uint8Array | null;
  readonly epoch: number | null;
  /** Account of the reader, at a read and from the app. */
  readonly reader: Uint8Array | null;
  readonly reason: string;
  /** Number of the entry in the quarantine; null where nothing was kept. */
  readonly quarantineId: number | null;
}

/** Bounded for each place, so that a flood of one hides nothing of the others. */
export interface AlarmStore {
  put(alarm: Alarm): Promise<void>;
  /** Newest first. */
  since(sinceMs: number, limit: number): Promise<readonly (Alarm & { readonly id: number })[]>;
}

export interface StoredRevocation {
  /** The signed list, whole. */
  readonly list: Uint8Array;
  readonly storedAtMs: number;
}

/**
 * Lists by signer, the newest of each. What a list named stays revoked, also when a later list leaves it out: a list that
 * was cut short must not bring a stolen camera back.
 */
export interface RevocationStore {
  /**
   * A verified list with what follows from it, in one transaction: an owner's epochs become `revoked`, a maker's devices
   * too. `rollback`: its version is not above the last of this signer. `foreign`: an epoch that is not this owner's.
   */
  put(list: Verified<Revocation>, atMs: number): Promise<'stored' | 'duplicate' | 'rollback' | 'foreign'>;
  newest(signer: Uint8Array): Promise<StoredRevocation | undefined>;
  /** Whether a maker's list ever named this device. */
  isRevoked(device: Uint8Array): Promise<boolean>;
}

/** A stop of all reading, for one account or, with null, for everybody. */
export interface ReadsPause {
  readonly account: Uint8Array | null;
  /** What the owner is told. */
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

/** The kill switch of the events view. Who asks and gets no answer must show nothing. */
export interface ReadsStore {
  /** The pause that holds for one of these accounts, one for everybody first; undefined while reading is open. */
  pauseOf(accounts: readonly Uint8Array[]): Promise<ReadsPause | undefined>;
  /** A new sentence for what is paused already replaces the old one. */
  pause(pause: ReadsPause): Promise<void>;
  /** False if there was nothing to resume. */
  resume(account: Uint8Array | null, atMs: number): Promise<boolean>;
  /** What is paused now. */
  pauses(): Promise<readonly ReadsPause[]>;
  /** Newest first; append-only. */
  changes(limit: number): Promise<readonly ReadsChange[]>;
}

export type ExportItem =
  | { readonly type: 'claim'; readonly row: ClaimRow }
  | {
      readonly type: 'record';
      readonly record: StoredRecord;
      readonly media: readonly { readonly id: Uint8Array; readonly sealed: SealedObject }[];
    }
  | { readonly type: 'access'; readonly entry: AccessEntry };

export interface AccountStore {
  /** Everything of an account, a piece at a time. */
  export(account: Uint8Array): AsyncIterable<ExportItem>;
  /** Deletes records and media; claim rows stay as bare, revoked rows, so that an epoch never counts twice. Returns records. */
  delete(account: Uint8Array): Promise<number>;
}
