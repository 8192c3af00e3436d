import { fromHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { asSealcamError, SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import { deletionKind } from '../../protocol/objects/deletion.js';
import { signObject } from '../../protocol/objects/signed-object.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper } from './history-keeper.js';
import type { OwnerKeys } from './owner-keys.js';
import type { CameraView } from './session-view.js';
import type { TimelineEvent } from './timeline.js';

export interface DeletionsDependencies {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly keys: OwnerKeys;
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
}

/** An event that was deleted while this page is open. */
export interface DeletedEvent {
  readonly event: TimelineEvent;
  /** When the cloud erases it for good, UTC by the cloud's clock. */
  readonly eraseAtMs: number;
  readonly statements: readonly Uint8Array[];
}

/** Consecutive records of one epoch. */
interface Run {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly lastHash: Uint8Array;
}

/** What the API takes at once. */
const STATEMENTS_MAX = 64;
const ACCOUNT_STATEMENTS_MAX = 1024;
/** With which the cloud refuses a statement; the page shows a code that it does not know as `request-invalid`. */
const REFUSED_STATEMENT: readonly string[] = ['statement-refused', 'request-invalid', 'not-found'];

/**
 * Deletes events and the account. What an owner deletes leaves a statement that the owner signed, so that the hole in the
 * history is explained; the cloud hides it at once and erases it later, and until then it can be undone.
 */
export class Deletions {
  private readonly deps: DeletionsDependencies;
  private readonly listeners = new Set<() => void>();
  private readonly deleted = new Map<string, DeletedEvent>();
  private accountEraseAtMs: number | null = null;

  constructor(deps: DeletionsDependencies) {
    this.deps = deps;
  }

  /** Calls `listener` after every change. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Returns the events that were deleted while this page is open. */
  list(): readonly DeletedEvent[] {
    return [...this.deleted.values()];
  }

  isDeleted({ key }: Pick<TimelineEvent, 'key'>): boolean {
    return this.deleted.has(key);
  }

  /**
   * Deletes the records and pictures of an event.
   * @throws SealcamError `cloud-unreachable`, `not-found`, `foreign`
   */
  async deleteEvent(event: TimelineEvent): Promise<void> {
    const device = deviceOf(event);
    const statements = runsOf(event).map((run) => this.statement(device, event.epoch, run));
    let eraseAtMs = Infinity;
    for (let at = 0; at < statements.length; at += STATEMENTS_MAX) {
      const answer = await this.deps.client.deleteRecords(statements.slice(at, at + STATEMENTS_MAX));
      eraseAtMs = Math.min(eraseAtMs, answer.eraseAtMs);
    }
    this.deleted.set(event.key, { event, eraseAtMs, statements });
    this.notifyListeners();
  }

  /** Takes a deletion back. @throws SealcamError `cloud-unreachable`, `not-found` once it is erased */
  async undo({ event, statements }: DeletedEvent): Promise<void> {
    for (let at = 0; at < statements.length; at += STATEMENTS_MAX) {
      await this.deps.client.undoDeletion(statements.slice(at, at + STATEMENTS_MAX));
    }
    this.deleted.delete(event.key);
    this.notifyListeners();
  }

  /** Returns when the cloud erases the account, UTC; null while it is not deleted. */
  get accountErasedAtMs(): number | null {
    return this.accountEraseAtMs;
  }

  /** Asks the cloud whether the account is deleted. A cloud that does not answer changes nothing. */
  async refreshAccount(): Promise<void> {
    try {
      const { deletion } = await this.deps.client.account();
      this.setAccount(deletion?.eraseAtMs ?? null);
    } catch {
      // The connection shows what is wrong.
    }
  }

  /**
   * Deletes the account, with a statement for each ownership of which records were verified here.
   * @throws SealcamError `cloud-unreachable`, `foreign`
   */
  async deleteAccount(cameras: readonly CameraView[]): Promise<void> {
    const { history } = this.deps;
    const statements: Uint8Array[] = [];
    for (const camera of cameras) {
      const device = deviceOf(camera);
      const head = history.headOf(device, camera.epoch);
      if (!camera.isOwned || head === null) continue;
      statements.push(this.statement(device, camera.epoch, { fromSeq: 0, toSeq: head.seq, lastHash: head.hash }));
    }
    const { eraseAtMs } = await this.sendDeletion(statements.slice(-ACCOUNT_STATEMENTS_MAX));
    this.setAccount(eraseAtMs);
    // An account of which the cloud holds nothing is not marked.
    await this.refreshAccount();
  }

  /** A statement that the cloud cannot match, as of records that were deleted before, keeps nobody from leaving. */
  private async sendDeletion(statements: readonly Uint8Array[]): Promise<{ readonly eraseAtMs: number }> {
    const { client } = this.deps;
    try {
      return await client.deleteAccount(statements);
    } catch (error) {
      const { code } = asSealcamError(error);
      if (statements.length === 0 || !REFUSED_STATEMENT.includes(code)) throw error;
      return client.deleteAccount([]);
    }
  }

  /** Takes the deletion of the account back. @throws SealcamError `cloud-unreachable`, `not-found` once it is erased */
  async restoreAccount(): Promise<void> {
    await this.deps.client.restoreAccount();
    this.setAccount(null);
  }

  private statement(device: Uint8Array, epoch: number, run: Run): Uint8Array {
    const { suite, clock, keys, history } = this.deps;
    const claim = history.claimOf(device, epoch);
    if (claim === null) throw new SealcamError('not-found', 'this camera is not known here');
    if (!history.isOwned(device, epoch)) {
      throw new SealcamError('foreign', 'only the owner of a camera can delete its records');
    }
    const issuedAtMs = Math.round(clock.wallMs());
    return signObject(deletionKind, suite, keys.signer, { device, epoch, claimHash: claim.hash, ...run, issuedAtMs })
      .bytes;
  }

  private setAccount(eraseAtMs: number | null): void {
    if (eraseAtMs === this.accountEraseAtMs) return;
    this.accountEraseAtMs = eraseAtMs;
    this.notifyListeners();
  }

  private notifyListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Returns the runs of consecutive records of an event; what the camera recorded between them is not the event's. */
function runsOf({ records }: Pick<TimelineEvent, 'records'>): readonly Run[] {
  const runs: Run[] = [];
  for (const { record } of records) {
    const { seq } = record.value;
    const last = runs.at(-1);
    if (last?.toSeq === seq - 1) runs[runs.length - 1] = { ...last, toSeq: seq, lastHash: record.hash };
    else runs.push({ fromSeq: seq, toSeq: seq, lastHash: record.hash });
  }
  return runs;
}

function deviceOf({ device }: { readonly device: string }): Uint8Array {
  return fromHex(device, 32) ?? new Uint8Array(32);
}
