import { equal, fromHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';
import type { Verified } from '../../protocol/objects/signed-object.js';
import type { OpenedPeriod } from '../../protocol/seal/open-period.js';
import type { CloudClient } from './cloud-client.js';
import type { HistoryKeeper, VerifiedRecord } from './history-keeper.js';
import type { Owner } from './owner.js';

export interface EvidenceDependencies {
  readonly suite: CryptoSuite;
  readonly client: Pick<CloudClient, 'records' | 'media' | 'segment' | 'call'>;
  readonly history: HistoryKeeper;
  readonly owner: Pick<Owner, 'openPeriod'>;
}

/** Records of one request. */
const PAGE_RECORDS = 200;

/** The records of one epoch as evidence is made of them: each is fetched once, and passes the checks of every record. */
export class EvidenceRecords {
  readonly claim: Verified<AnyClaim>;
  /** Opened periods of the epoch by the hex of their ids. */
  readonly periods = new Map<string, OpenedPeriod>();
  private readonly deps: Pick<EvidenceDependencies, 'client' | 'history'>;
  private readonly bySeq = new Map<number, VerifiedRecord>();

  /** @throws SealcamError `not-found` for an epoch that is not known here */
  constructor(deps: Pick<EvidenceDependencies, 'client' | 'history'>, deviceHex: string, epoch: number) {
    const device = fromHex(deviceHex, HASH_BYTES);
    const claim = device === undefined ? null : deps.history.claimOf(device, epoch);
    if (claim === null) throw new SealcamError('not-found', 'this event is not known here');
    this.deps = deps;
    this.claim = claim;
  }

  /** All that was fetched, oldest first. */
  all(): readonly VerifiedRecord[] {
    return [...this.bySeq.values()].sort((a, b) => a.record.value.seq - b.record.value.seq);
  }

  /** Returns the accept, and the records of a range of seqs; those that the cloud does not show are missing. */
  async range(from: number, to: number): Promise<readonly VerifiedRecord[]> {
    for (let seq = to; seq >= from; seq--) {
      if (this.bySeq.has(seq)) continue;
      await this.fetch(seq + 1, Math.min(PAGE_RECORDS, seq + 1 - from));
      // A hole within an event makes no evidence; the record after its last one may be missing.
      if (!this.bySeq.has(seq) && seq < to) break;
    }
    if (!this.bySeq.has(0)) await this.fetch(1, 1);
    return this.all().filter(({ record: { value } }) => value.seq === 0 || (value.seq >= from && value.seq <= to));
  }

  /**
   * Fetches the history from its newest record back to what the cloud received before a time (UTC). `goesOn` is asked after each
   * page, with the number of records so far.
   */
  async backTo(fromMs: number, goesOn: (records: number) => boolean): Promise<void> {
    for (let before: number | null = null; before === null || before > 1;) {
      const page = await this.fetch(before, PAGE_RECORDS);
      if (!goesOn(this.bySeq.size)) return;
      const lowest = Math.min(...page.map(({ record }) => record.value.seq));
      if (page.length === 0 || (before !== null && lowest >= before)) return;
      if (page.every(({ receivedAtMs }) => receivedAtMs < fromMs)) return;
      before = lowest;
    }
  }

  /** @throws SealcamError `cloud-lied` for a record that is refused */
  private async fetch(before: number | null, limit: number): Promise<readonly VerifiedRecord[]> {
    const { client, history } = this.deps;
    const { device, epoch } = this.claim.value;
    const { records } = await client.records(device, epoch, before, limit);
    const page: VerifiedRecord[] = [];
    for (const item of records) {
      const outcome = await history.verifyAndApply(item.record, item.receivedAtMs);
      if ('verdict' in outcome) throw new SealcamError('cloud-lied', `a record that is refused: ${outcome.message}`);
      const { value } = outcome.record;
      if (!equal(value.device, device) || value.epoch !== epoch) continue;
      this.bySeq.set(value.seq, outcome);
      page.push(outcome);
    }
    return page;
  }
}
