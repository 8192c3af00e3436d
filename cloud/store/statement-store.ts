import type { Deletion } from '../../protocol/objects/deletion.js';
import type { Floor } from '../../protocol/objects/floor.js';
import type { Heads, HeadsV2 } from '../../protocol/objects/heads.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { EpochKey } from './epoch-key.js';

/** Heads of either version. */
export type AnyHeads = Heads | HeadsV2;

/** What browsers of a household verified, for the others to compare with. */
export interface HeadsStore {
  /**
   * Stores a verified statement in place of this browser's last. `rollback`: its counter is not above the last one. Of a
   * key with more browsers than the limit, the one heard of least recently goes.
   */
  put(heads: Verified<AnyHeads>, atMs: number): Promise<'stored' | 'rollback'>;
  /** Returns the newest statement of each browser of these keys. */
  ofKeys(keys: readonly Uint8Array[]): Promise<readonly StoredHeads[]>;
}

export interface StoredHeads {
  /** The key that the row names; the statement inside decides. */
  readonly key: Uint8Array;
  readonly statement: Uint8Array;
}

/** An owner's statement, as a row names it. A row can be mixed up: open the statement before acting on it. */
export interface StoredDeletion extends EpochKey {
  /** Hash of the statement. */
  readonly hash: Uint8Array;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** The signed statement, whole. */
  readonly statement: Uint8Array;
  /** `account`: it came with the deletion of an account, and goes if that is undone. */
  readonly scope: 'range' | 'account';
  /** `erasing`: begun, and no longer to be undone. */
  readonly state: 'marked' | 'erasing' | 'erased';
  readonly eraseAtMs: number;
}

/** `unknown-record`: the store has no record with the last seq and hash that a statement names. `full`: see the limit. */
export type MarkOutcome =
  { readonly outcome: 'marked'; readonly eraseAtMs: number } | { readonly outcome: 'unknown-record' | 'full' };

/**
 * Ranges of records that their owner deleted. From `mark` on no read of the record store returns them, whatever their
 * row says otherwise; their bytes go when they are erased. The statements stay, and explain the hole.
 */
export interface DeletionStore {
  /**
   * Marks the ranges of verified statements, all of them or none, in one transaction. A statement that is stored keeps
   * its time.
   */
  mark(statements: readonly Verified<Deletion>[], eraseAtMs: number): Promise<MarkOutcome>;
  /** Removes marks, all of them or none. Returns false unless each is stored and its erasing has neither begun nor is due. */
  undo(statements: readonly Verified<Deletion>[], nowMs: number): Promise<boolean>;
  /** Returns the statements of an epoch, erased or not, in the order of their ranges. */
  of(device: Uint8Array, epoch: number): Promise<readonly StoredDeletion[]>;
  /** Returns up to `limit` ranges that are due, the longest due first. */
  due(nowMs: number, limit: number): Promise<readonly StoredDeletion[]>;
  /**
   * Deletes up to `limit` records of a range with their media, in one transaction, and returns how many; null, and
   * nothing is deleted, where the range was undone meanwhile or its last record has another hash than the statement says.
   */
  erase(statement: Verified<Deletion>, limit: number): Promise<number | null>;
  /** Puts off the erasing of a range that is in doubt. */
  postpone(deletion: StoredDeletion, untilMs: number): Promise<void>;
  /** Returns up to `limit` ranges that are not erased yet, the next due first. */
  pending(limit: number): Promise<readonly StoredDeletion[]>;
  /** Returns whether a reader of an erased epoch has this token; see `readerToken`. */
  isReader(token: Uint8Array): Promise<boolean>;
}

/** An account that its owner deleted and that is not erased yet. */
export interface AccountMark {
  readonly account: Uint8Array;
  /** The key of the session that asked for it. */
  readonly ownerKey: Uint8Array;
  readonly eraseAtMs: number;
}

/** An epoch whose records and claim go for good. */
export interface ErasedEpoch extends EpochKey {
  /** Of the readers that its signed claim names; kept if there is a statement that they may go on reading. */
  readonly readerTokens: readonly Uint8Array[];
}

/** Where a search for expired records ended. */
export interface ExpiryCursor {
  readonly agedFromMs: number;
  readonly id: number;
}

/** An epoch from which retention may delete. */
export interface Expirable extends EpochKey {
  /** Lowest seq above 0 that stays. */
  readonly belowSeq: number;
  /** Records below it that have expired. */
  readonly records: number;
}

/** What retention should have deleted by now. */
export interface Overdue {
  /** Counted up to the limit of the call. */
  readonly records: number;
  /** From when the retention of the oldest of them counts; null without any. */
  readonly oldestMs: number | null;
}

/** Retention: what goes by age, and the signed floor that explains the hole. */
export interface RetentionStore {
  /**
   * Looks at up to `limit` records received before `beforeMs`, in the order of their age from the cursor on, and returns
   * their epochs, that of the oldest first. `next` is null where the search reached the end.
   */
  aged(
    beforeMs: number,
    from: ExpiryCursor | null,
    limit: number,
  ): Promise<{ readonly epochs: readonly EpochKey[]; readonly next: ExpiryCursor | null }>;
  /**
   * Returns what may go of an epoch: see `expiryOf`; up to `limit` records, never record 0 and never the newest; null where
   * nothing may. Notes which records are younger than their receive time says.
   */
  expirable(at: EpochKey, beforeMs: number, limit: number, nowMs?: number): Promise<Expirable | null>;
  /**
   * Stores floors and deletes the records below them that have expired before `beforeMs`, with their media, in one
   * transaction; returns how many. A floor below the stored one of its epoch replaces nothing. A call that finds nothing
   * to delete puts the store in order after those that did.
   */
  expire(floors: readonly Verified<Floor>[], beforeMs: number): Promise<number>;
  /** Returns what counts from before `beforeMs` and is neither record 0 nor the newest of its epoch, up to `limit` records. */
  overdue(beforeMs: number, limit: number): Promise<Overdue>;
  /** Returns the newest signed floor of an epoch. */
  floor(device: Uint8Array, epoch: number): Promise<Uint8Array | undefined>;
}
