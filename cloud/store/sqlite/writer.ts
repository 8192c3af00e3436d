import { sleep, type Clock } from '../../../common/clock.js';
import { epochKey } from '../../../protocol/objects/ids.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { claimRow, type ClaimColumns } from '../rows.js';
import type { Bind, EpochKey, NewMedia, PutOutcome, Standing } from '../store.js';
import { isRefusedData, storeError, type Database } from './database.js';
import type { InsertRecord } from './insert.js';

interface Job {
  readonly record: Verified<AnyRecord>;
  readonly media: readonly NewMedia[];
  readonly atMs: number;
  readonly bind: Bind | undefined;
  readonly resolve: (outcome: PutOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const BATCH_RECORDS_MAX = 256;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** A commit holds up the whole process, so between two of them the process gets this many times as long for its work. */
const PAUSE_PER_COMMIT = 2;
const PAUSE_MAX_MS = 20;

export interface Pace {
  readonly clock: Clock;
  /** Resolves in a later turn of the event loop, after what arrived by then was read. */
  readonly nextTurn: () => Promise<void>;
}

/**
 * Groups commits: a commit waits for the disk, whatever it holds, so records that arrived while one ran share the next.
 * Nothing is reported as stored before the commit of its group.
 */
export class Writer {
  private readonly path: string;
  private readonly pace: Pace | undefined;
  private readonly commit: (jobs: readonly Job[]) => readonly PutOutcome[];
  private waitingJobs: Job[] = [];
  private isWriting = false;
  private nextCommitMs = -Infinity;

  constructor(db: Database, path: string, insertRecord: InsertRecord, pace: Pace | undefined) {
    this.path = path;
    this.pace = pace;
    const selectRow = db.prepare<EpochKey, ClaimColumns>(
      'SELECT * FROM claim WHERE device = @device AND epoch = @epoch',
    );
    const revoked = db.prepare<{ device: Uint8Array }>('SELECT 1 FROM revoked_device WHERE device = @device');
    const readStanding = ({ device, epoch }: EpochKey): Standing => {
      const columns = selectRow.get({ device, epoch });
      return {
        row: columns === undefined ? undefined : claimRow(columns),
        isRevoked: revoked.get({ device }) !== undefined,
      };
    };
    const transaction = db.transaction((jobs: readonly Job[]) => {
      // Of this transaction alone: the next one reads every row again.
      const standings = new Map<string, Standing>();
      return jobs.map(({ record, media, atMs, bind }): PutOutcome => {
        if (bind !== undefined) {
          const key = epochKey(record.value.device, record.value.epoch);
          const standing = standings.get(key) ?? readStanding(record.value);
          standings.set(key, standing);
          if (!bind(standing)) return { outcome: 'unbound' };
        }
        return insertRecord(record, media, atMs);
      });
    });
    this.commit = (jobs) => transaction.immediate(jobs);
  }

  /** Stores a record; resolves once its group is committed. */
  put(record: Verified<AnyRecord>, media: readonly NewMedia[], atMs: number, bind?: Bind): Promise<PutOutcome> {
    return new Promise((resolve, reject) => {
      this.waitingJobs.push({ record, media, atMs, bind, resolve, reject });
      if (!this.isWriting) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.isWriting = true;
    while (this.waitingJobs.length > 0) {
      const { pace } = this;
      await (pace === undefined ? Promise.resolve() : this.gather(pace));
      const startedMs = pace?.clock.monotonicMs() ?? 0;
      const jobs = this.nextBatch();
      this.write(jobs);
      if (pace === undefined) continue;
      const endedMs = pace.clock.monotonicMs();
      const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_PER_COMMIT * (endedMs - startedMs));
      // A record that came alone shares nothing: the next one must not wait for company.
      this.nextCommitMs = jobs.length === 1 ? -Infinity : endedMs + pauseMs;
    }
    this.isWriting = false;
  }

  /** Resolves when the next group may be committed: at once after a quiet time, and where a full one waits. */
  private async gather({ clock, nextTurn }: Pace): Promise<void> {
    const pauseMs = this.nextCommitMs - clock.monotonicMs();
    if (pauseMs > 0 && this.waitingJobs.length < BATCH_RECORDS_MAX) await sleep(clock, pauseMs);
    else await nextTurn();
  }

  private nextBatch(): readonly Job[] {
    let bytes = 0;
    const count = this.waitingJobs.findIndex(({ record, media }, i) => {
      if (i >= BATCH_RECORDS_MAX || bytes > BATCH_BYTES_MAX) return true;
      bytes += media.reduce((sum, { sealed }) => sum + sealed.body.length, record.bytes.length);
      return false;
    });
    return this.waitingJobs.splice(0, count === -1 ? this.waitingJobs.length : count);
  }

  private write(jobs: readonly Job[]): void {
    try {
      const outcomes = this.commit(jobs);
      for (const [i, { resolve, reject }] of jobs.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined) reject(new Error('a record without an outcome'));
        else resolve(outcome);
      }
    } catch (error) {
      // A record that the database refuses must not fail the others: each is written alone.
      if (jobs.length > 1 && isRefusedData(error)) for (const job of jobs) this.write([job]);
      else for (const { reject } of jobs) reject(storeError(error, this.path));
    }
  }
}
