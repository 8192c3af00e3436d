import { equal, toHex } from '../../../common/bytes.js';
import { epochKey, recordKey } from '../../../protocol/objects/ids.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { claimRow, type ClaimColumns } from '../rows.js';
import type { Bind, EpochKey, NewMedia, PutOutcome, Standing } from '../store.js';
import { isRefusedData, type Database, type Session } from './database.js';
import { dayOf, type Partitions } from './partitions.js';
import type { NewRecord } from './new-record.js';
import { insertPeriodUses, withOtherKeyRecord } from './periods.js';
import { insertSegments } from './segments.js';
import { tuples } from './statements.js';

interface Job extends NewRecord {
  readonly key: string;
  readonly bind: Bind | undefined;
  readonly resolve: (outcome: PutOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** An arrival number is the transaction's number times 256 plus the place in it; see schema.ts. */
const BATCH_RECORDS_MAX = 256;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** While one batch waits for its disk, the next fills, and is sent beside it once it has this many records. */
const CONCURRENT_BATCHES_MAX = 2;
const CONCURRENT_RECORDS_MIN = 64;

/** Groups commits: records that arrive while a transaction runs share the next one. */
export class Writer {
  private readonly database: Database;
  private readonly partitions: Partitions;
  private waitingJobs: Job[] = [];
  private runningBatches = 0;

  constructor(database: Database, partitions: Partitions) {
    this.database = database;
    this.partitions = partitions;
  }

  /** Stores a record; resolves once its batch is committed. */
  put(record: Verified<AnyRecord>, media: readonly NewMedia[], atMs: number, bind?: Bind): Promise<PutOutcome> {
    const { device, epoch, seq } = record.value;
    const key = recordKey({ device, epoch, seq });
    return new Promise((resolve, reject) => {
      this.waitingJobs.push({ record, media, atMs, bind, key, resolve, reject });
      // What the caller puts in the same turn comes along.
      queueMicrotask(() => {
        this.startBatches();
      });
    });
  }

  private startBatches(): void {
    while (this.runningBatches < CONCURRENT_BATCHES_MAX && this.waitingJobs.length > 0) {
      if (this.runningBatches > 0 && this.waitingJobs.length < CONCURRENT_RECORDS_MIN) return;
      this.runningBatches++;
      void this.writeBatch(this.nextBatch()).finally(() => {
        this.runningBatches--;
        this.startBatches();
      });
    }
  }

  /** Fills a batch in order of arrival. Of two records with the same key, the second waits for the next batch. */
  private nextBatch(): readonly Job[] {
    const batch = new Map<string, Job>();
    const rest: Job[] = [];
    let bytes = 0;
    for (const job of this.waitingJobs) {
      const isFull = batch.size >= BATCH_RECORDS_MAX || (bytes > BATCH_BYTES_MAX && batch.size > 0);
      if (isFull || batch.has(job.key)) {
        rest.push(job);
        continue;
      }
      batch.set(job.key, job);
      bytes += job.media.reduce((sum, { sealed }) => sum + sealed.body.length, job.record.bytes.length);
    }
    this.waitingJobs = rest;
    return [...batch.values()];
  }

  private async writeBatch(jobs: readonly Job[]): Promise<void> {
    try {
      const outcomes = await this.commit(jobs);
      for (const [i, { resolve, reject }] of jobs.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined) reject(new Error('a record without an outcome'));
        else resolve(outcome);
      }
    } catch (error) {
      // A record that the database refuses must not fail the others: each is written alone.
      if (jobs.length > 1 && isRefusedData(error)) for (const job of jobs) await this.writeBatch([job]);
      else for (const { reject } of jobs) reject(error);
    }
  }

  private async commit(jobs: readonly Job[]): Promise<readonly PutOutcome[]> {
    for (const atMs of new Set(jobs.map((job) => job.atMs))) await this.partitions.ensureForBodies(atMs);
    try {
      return await this.database.transaction('READ COMMITTED', async (session) => {
        const bound = await boundJobs(session, jobs);
        const outcomes = bound.size === 0 ? [] : await insertRecords(session, [...bound]);
        const stored = outcomes.values();
        return jobs.map((job) => (bound.has(job) ? stored.next().value : undefined) ?? { outcome: 'unbound' });
      });
    } catch (error) {
      if (isRefusedData(error)) this.partitions.forget();
      throw error;
    }
  }
}

/**
 * Returns the jobs that may be stored, in their order. The rows are read in this transaction, each once, and at READ
 * COMMITTED they show what is committed at this moment; the next transaction reads them again.
 */
async function boundJobs(session: Session, jobs: readonly Job[]): Promise<ReadonlySet<Job>> {
  const epochs = new Map<string, EpochKey>();
  for (const { bind, record } of jobs) {
    const { device, epoch } = record.value;
    if (bind !== undefined) epochs.set(epochKey(device, epoch), { device, epoch });
  }
  if (epochs.size === 0) return new Set(jobs);
  const keys = [...epochs.values()];
  const rows = await session.rows<StandingColumns>(
    `SELECT claim.*, device, epoch, EXISTS (SELECT 1 FROM revoked_device WHERE device = asked.device) AS "isRevoked"
     FROM unnest(@devices::bytea[], @epochs::bigint[]) AS asked (device, epoch) LEFT JOIN claim USING (device, epoch)`,
    { devices: keys.map(({ device }) => Buffer.from(device)), epochs: keys.map(({ epoch }) => epoch) },
  );
  const standings = new Map(
    rows.map(({ isRevoked, ...columns }): [string, Standing] => [
      epochKey(columns.device, columns.epoch),
      { row: columns.claim_hash === null ? undefined : claimRow(columns), isRevoked },
    ]),
  );
  return new Set(
    jobs.filter(({ bind, record }) => {
      const standing = standings.get(epochKey(record.value.device, record.value.epoch));
      return bind === undefined || (standing !== undefined && bind(standing));
    }),
  );
}

/** Without a claim only the key is set. */
type StandingColumns = (ClaimColumns | (EpochKey & { readonly claim_hash: null })) & { readonly isRevoked: boolean };

interface KeyColumns {
  readonly device: Uint8Array;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * Stores records, their media and their signed losses. The caller holds the transaction, and no two records have the same
 * key. Uniqueness of the key decides between workers: the second waits for the first to commit, then reads its hash.
 */
export async function insertRecords(session: Session, jobs: readonly NewRecord[]): Promise<readonly PutOutcome[]> {
  const ids = await insertKeys(session, jobs);
  const others = jobs.filter(({ record }) => !ids.has(recordKey(record.value)));
  const hashes = await storedHashes(session, others);
  const outcomes = jobs.map(({ record }): PutOutcome => {
    const key = recordKey(record.value);
    const id = ids.get(key);
    if (id !== undefined) return { outcome: 'stored', id };
    const hash = hashes.get(key);
    return { outcome: hash !== undefined && equal(hash, record.hash) ? 'duplicate' : 'equivocation' };
  });
  const ours = jobs.filter((_, i) => outcomes[i]?.outcome !== 'equivocation');
  const rivals = await withOtherKeyRecord(session, ours);
  const rest = ours.filter((job) => !rivals.has(job));
  await insertMedia(session, rest);
  const taken = await withTakenMedia(session, rest);
  const isFresh = (_: NewRecord, i: number): boolean => outcomes[i]?.outcome === 'stored';
  const isRefused = (job: NewRecord): boolean => rivals.has(job) || taken.has(job);
  await deleteRecords(session, jobs.filter(isFresh).filter(isRefused));
  const kept = rest.filter((job) => !taken.has(job));
  await insertPeriodUses(session, kept);
  await insertSegments(session, kept);
  await insertLosses(
    session,
    jobs.filter(isFresh).filter((job) => !isRefused(job)),
  );
  return outcomes.map((outcome, i) => {
    const job = jobs[i];
    if (job === undefined || outcome.outcome === 'equivocation') return outcome;
    if (rivals.has(job)) return { outcome: 'period-taken' };
    return taken.has(job) ? { outcome: 'media-taken' } : outcome;
  });
}

/**
 * Returns the records that name a media id under which another record has its object. Asked after the media were inserted:
 * the unique key has decided by then, also between workers.
 */
async function withTakenMedia(session: Session, jobs: readonly NewRecord[]): Promise<ReadonlySet<NewRecord>> {
  const named = jobs.flatMap((job) => {
    const { device, epoch, seq, media = [] } = job.record.value;
    return media.map(({ id }) => ({ job, seq, id, name: `${epochKey(device, epoch)}/${toHex(id)}` }));
  });
  if (named.length === 0) return new Set();
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bytea'],
    named.map(({ job, id }) => [job.record.value.device, job.record.value.epoch, id]),
  );
  const rows = await session.rows<KeyColumns & { readonly media_id: Uint8Array }>(
    `SELECT device, epoch, media_id, seq FROM media_key WHERE (device, epoch, media_id) IN (VALUES ${text})`,
    values,
  );
  const owners = new Map(
    rows.map(({ device, epoch, media_id, seq }) => [`${epochKey(device, epoch)}/${toHex(media_id)}`, seq]),
  );
  return new Set(named.filter(({ name, seq }) => (owners.get(name) ?? seq) !== seq).map(({ job }) => job));
}

/** Deletes records that this transaction inserted, with the media that they brought. */
async function deleteRecords(session: Session, jobs: readonly NewRecord[]): Promise<void> {
  for (const { record } of jobs) {
    const { device, epoch, seq } = record.value;
    for (const table of ['media_body', 'media_key']) {
      const own = 'SELECT media_id FROM media_key WHERE device = @device AND epoch = @epoch AND seq = @seq';
      await session.execute(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch AND media_id IN (${own})`, {
        device,
        epoch,
        seq,
      });
    }
    for (const table of ['record_body', 'record_key']) {
      await session.execute(`DELETE FROM ${table} WHERE device = @device AND epoch = @epoch AND seq = @seq`, {
        device,
        epoch,
        seq,
      });
    }
    await session.execute(
      'DELETE FROM period WHERE device = @device AND epoch = @epoch AND seq = @seq AND hash = @hash',
      { device, epoch, seq, hash: record.hash },
    );
  }
}

async function insertKeys(session: Session, jobs: readonly NewRecord[]): Promise<ReadonlyMap<string, number>> {
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bigint', 'bytea', 'text', 'bytea', 'bigint', 'integer', 'integer'],
    jobs.map(({ record: { value, hash, bytes }, atMs }, i) => [
      value.device,
      value.epoch,
      value.seq,
      hash,
      value.kind,
      bytes,
      atMs,
      dayOf(atMs),
      i,
    ]),
  );
  // Ordered by key, so that two workers with the same records cannot deadlock.
  const rows = await session.rows<KeyColumns & { readonly id: number }>(
    `WITH input (device, epoch, seq, hash, kind, bytes, at_ms, day, place) AS (VALUES ${text}), fresh AS (
       INSERT INTO record_key (device, epoch, seq, hash, kind, id, received_at_ms, day)
       SELECT device, epoch, seq, hash, kind, arrival_id(place), at_ms, day FROM input ORDER BY device, epoch, seq
       ON CONFLICT (device, epoch, seq) DO NOTHING RETURNING device, epoch, seq, id
     ), body AS (
       INSERT INTO record_body (day, device, epoch, seq, bytes)
       SELECT day, device, epoch, seq, bytes FROM input JOIN fresh USING (device, epoch, seq)
     ), again AS (
       -- A camera sent a record of an erased range again: that range is erased again.
       UPDATE deletion_statement AS d SET state = 'erasing' FROM fresh WHERE d.device = fresh.device
         AND d.epoch = fresh.epoch AND fresh.seq BETWEEN d.from_seq AND d.to_seq
         AND d.scope = 'range' AND d.state = 'erased'
     )
     SELECT * FROM fresh`,
    values,
  );
  return new Map(rows.map((row) => [recordKey(row), row.id]));
}

async function storedHashes(session: Session, jobs: readonly NewRecord[]): Promise<ReadonlyMap<string, Uint8Array>> {
  if (jobs.length === 0) return new Map();
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bigint'],
    jobs.map(({ record: { value } }) => [value.device, value.epoch, value.seq]),
  );
  const rows = await session.rows<KeyColumns & { readonly hash: Uint8Array }>(
    `SELECT device, epoch, seq, hash FROM record_key WHERE (device, epoch, seq) IN (VALUES ${text})`,
    values,
  );
  return new Map(rows.map((row) => [recordKey(row), row.hash]));
}

async function insertMedia(session: Session, jobs: readonly NewRecord[]): Promise<void> {
  const rows = new Map<string, readonly unknown[]>();
  for (const { record, media, atMs } of jobs) {
    const { device, epoch, seq } = record.value;
    for (const { id, sealed } of media) {
      const name = `${epochKey(device, epoch)}/${toHex(id)}`;
      if (!rows.has(name)) rows.set(name, [device, epoch, id, seq, dayOf(atMs), sealed.header, sealed.body]);
    }
  }
  if (rows.size === 0) return;
  const { text, values } = tuples(
    ['bytea', 'bigint', 'bytea', 'bigint', 'integer', 'bytea', 'bytea'],
    [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
  );
  await session.execute(
    `WITH input (device, epoch, media_id, seq, day, header, body) AS (VALUES ${text}), fresh AS (
       INSERT INTO media_key (device, epoch, media_id, seq, day)
       SELECT device, epoch, media_id, seq, day FROM input
       ON CONFLICT DO NOTHING RETURNING device, epoch, media_id
     )
     INSERT INTO media_body (day, device, epoch, media_id, header, body)
     SELECT day, device, epoch, media_id, header, body FROM input JOIN fresh USING (device, epoch, media_id)`,
    values,
  );
}

async function insertLosses(session: Session, jobs: readonly NewRecord[]): Promise<void> {
  for (const { record } of jobs) {
    const { device, epoch, seq, loss = [], health } = record.value;
    for (const { seqs, media = [] } of loss) {
      if (seqs !== undefined) {
        const [from, to] = seqs;
        await session.execute(
          `INSERT INTO loss (device, epoch, from_seq, to_seq) VALUES (@device, @epoch, @from, @to)
           ON CONFLICT DO NOTHING`,
          { device, epoch, from, to },
        );
      }
      for (const mediaId of media) {
        await session.execute(
          'INSERT INTO media_loss (device, epoch, media_id) VALUES (@device, @epoch, @mediaId) ON CONFLICT DO NOTHING',
          { device, epoch, mediaId },
        );
      }
    }
    if (health?.queued === 0) {
      await session.execute(
        `INSERT INTO drained (device, epoch, up_to) VALUES (@device, @epoch, @seq)
         ON CONFLICT (device, epoch) DO UPDATE SET up_to = greatest(drained.up_to, excluded.up_to)`,
        { device, epoch, seq },
      );
    }
  }
}
