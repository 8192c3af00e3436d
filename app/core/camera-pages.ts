import { toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import { isSealcamError } from '../../common/errors.js';
import type { Alarms } from './alarms.js';
import { applyPageRecord, hasOlder, type CameraState } from './camera-state.js';
import type { RecordItem, RecordsAnswer } from './cloud-answers.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper, VerifiedRecord } from './history-keeper.js';
import type { KnownHead } from './storage.js';

/** A screen of events of one camera; what is scrolled to is loaded then. */
const FIRST_PAGE_RECORDS = 24;
/** Of each camera with the session: together a screen, and on a slow line half the wait for it. */
export const FIRST_ANSWER_RECORDS = 12;
const OLDER_PAGE_RECORDS = 100;

export interface CameraPagesDependencies {
  readonly client: CloudClient;
  readonly history: HistoryKeeper;
  readonly alarms: Alarms;
  readonly clock: Clock;
  /** Verifies one record and shows it; returns null if it must not be shown. */
  readonly apply: (item: RecordItem) => Promise<VerifiedRecord | null>;
}

/** Fetches cameras' histories page by page, and holds the cloud to what this device had verified before. */
export class CameraPages {
  private readonly deps: CameraPagesDependencies;

  constructor(deps: CameraPagesDependencies) {
    this.deps = deps;
  }

  /**
   * Fetches the newest page, then older ones until they meet the records loaded before. `head` is the record up to which this
   * device, or another browser of the household, had verified the history before it asked. `newest` is the newest page, where
   * that came with the session.
   */
  async catchUp(camera: CameraState, head: KnownHead | null, newest: RecordsAnswer | null = null): Promise<void> {
    const { log, coveredUpTo } = camera;
    const covered = coveredUpTo === null ? null : log.unbrokenFrom(coveredUpTo);
    const seen = log.highest();
    camera.isInterrupted = true;
    camera.isExhausted = false;
    const shown = await this.fetch(camera, null, FIRST_PAGE_RECORDS, newest);
    let lowest = lowestOf(shown);
    while (covered !== null && lowest !== null && lowest > covered + 1) {
      const older = await this.fetch(camera, lowest, OLDER_PAGE_RECORDS);
      const next = lowestOf(older);
      if (next === null || next >= lowest) break;
      lowest = next;
      for (const seq of older) shown.add(seq);
    }
    camera.isInterrupted = false;
    const highest = Math.max(seen ?? -1, ...shown);
    camera.coveredUpTo = highest < 0 ? null : highest;
    if (head !== null) await this.holdTo(camera, head, 'here', shown);
  }

  /**
   * Asks for the owner's statements of deletion on a camera that the cloud does not name. A whole account that was deleted
   * leaves one from record 0 on. Returns when the owner signed it, UTC; null without one.
   */
  async deletedAtMs(camera: CameraState): Promise<number | null> {
    const { device, epoch } = camera;
    try {
      await this.applyStatements(camera, await this.deps.client.records(device, epoch, null, 1));
    } catch (error) {
      if (!isSealcamError(error)) throw error;
    }
    const explained = this.deps.history.explain(device, epoch, 0, 0);
    return explained?.cause === 'owner' ? explained.signedAtMs : null;
  }

  /** Fetches one more page of older records. */
  async loadOlder(camera: CameraState): Promise<void> {
    if (!hasOlder(camera) || camera.lowestSeq === null) return;
    const older = await this.fetch(camera, camera.lowestSeq, OLDER_PAGE_RECORDS);
    camera.isExhausted = older.size === 0;
  }

  /**
   * Raises the alarm unless the cloud shows a record that was verified before, whatever it says of its newest. A record far
   * below the newest page is asked for by its seq. What the owner deleted or retention removed need not be there.
   *
   * @param pages the seqs of pages that were just fetched; null where everything loaded so far counts
   */
  async holdTo(
    camera: CameraState,
    { seq, hash }: KnownHead,
    who: string,
    pages: ReadonlySet<number> | null = null,
  ): Promise<boolean> {
    const { history, alarms } = this.deps;
    const { device, epoch, log } = camera;
    const isThere = (): boolean => (pages === null ? log.has(seq) : isShown(camera, seq, pages));
    const isExplained = (): boolean => history.explain(device, epoch, seq, seq) !== null;
    if (!log.has(seq) && !isExplained()) {
      const isNewer = seq > (log.highest() ?? -1);
      if (!isNewer) await this.fetchOne(camera, seq);
      else if (pages === null) await this.catchUp(camera, null);
    }
    const about = { device: toHex(device), epoch };
    const known = history.hashOf(device, epoch, seq);
    if (known !== undefined && toHex(known) !== toHex(hash)) {
      const message = `record ${String(seq)} is another one than was verified ${who}`;
      alarms.raise({ verdict: 'equivocation', code: 'cloud-lied', message, about });
      return false;
    }
    if (isThere() || isExplained()) return true;
    const message = `record ${String(seq)} was verified ${who}, and the cloud no longer shows it`;
    alarms.raise({ verdict: 'older-history', code: 'cloud-lied', message, about });
    return false;
  }

  /** Asks for one record below those loaded. */
  private async fetchOne(camera: CameraState, seq: number): Promise<void> {
    const { client, apply } = this.deps;
    try {
      const answer = await client.records(camera.device, camera.epoch, seq + 1, 1);
      for (const item of answer.records) await apply(item);
      await this.applyStatements(camera, answer);
    } catch (error) {
      if (!isSealcamError(error) || error.code !== 'not-found') throw error;
    }
  }

  /** Fetches the records below `before`. Returns the seqs of those that may be shown. */
  private async fetch(
    camera: CameraState,
    before: number | null,
    limit: number,
    given: RecordsAnswer | null = null,
  ): Promise<Set<number>> {
    camera.fetching++;
    try {
      const answer = given ?? (await this.deps.client.records(camera.device, camera.epoch, before, limit));
      camera.lowestAvailable = answer.lowestSeq;
      await this.deps.history.verifyAhead(answer.records.map(({ record }) => record));
      const seqs = await this.applyPage(camera, answer.records);
      await this.applyStatements(camera, answer);
      return seqs;
    } finally {
      camera.fetching--;
    }
  }

  private async applyPage(camera: CameraState, items: readonly RecordItem[]): Promise<Set<number>> {
    const seqs: number[] = [];
    for (const item of items) {
      const verified = await this.deps.apply(item);
      if (verified === null) {
        // Its own seq cannot be trusted. Pages are newest first, so its place is below the record before it.
        camera.log.addRefused(seqs.at(-1) ?? null, item.receivedAtMs);
        continue;
      }
      seqs.push(verified.record.value.seq);
      applyPageRecord(camera, verified);
    }
    return new Set(seqs);
  }

  /** Adds what explains a hole. A statement that does not verify explains nothing and is an alarm. */
  private async applyStatements(camera: CameraState, { floor, deletions = [] }: RecordsAnswer): Promise<void> {
    const { history, clock } = this.deps;
    const { device, epoch, log } = camera;
    for (const deletion of deletions) this.verified(camera, () => history.addDeletion(deletion));
    if (floor === null || floor === undefined) return;
    const added = this.verified(camera, () => history.addFloor(floor));
    if (added === null) return;
    const witnesses = { log, head: history.headOf(device, epoch), nowMs: clock.wallMs() };
    const message = await history.promise.hold(added, witnesses);
    if (message === null) return;
    const about = { device: toHex(device), epoch };
    this.deps.alarms.raise({ verdict: 'older-history', code: 'floor-early', message, about });
  }

  private verified<T>({ device, epoch }: CameraState, add: () => T): T | null {
    try {
      return add();
    } catch (error) {
      if (!isSealcamError(error)) throw error;
      const { code, message } = error;
      const about = { device: toHex(device), epoch };
      this.deps.alarms.raise({ verdict: code === 'foreign' ? 'foreign' : 'malformed', code, message, about });
      return null;
    }
  }
}

function lowestOf(seqs: ReadonlySet<number>): number | null {
  return seqs.size === 0 ? null : Math.min(...seqs);
}

/** Returns whether these pages hold a record, or an earlier one did that they do not reach down to. */
function isShown({ log }: CameraState, seq: number, pages: ReadonlySet<number>): boolean {
  return pages.has(seq) || (seq < (lowestOf(pages) ?? 0) && log.has(seq));
}
