import { equal, toHex } from '../../common/bytes.js';
import type { Deletion } from '../objects/deletion.js';
import type { Floor } from '../objects/floor.js';
import type { AnyRecord } from '../objects/record.js';
import type { Verified } from '../objects/signed-object.js';
import { checkContinuity, isCovered, type ChainFacts, type Continuity } from './continuity.js';
import { epochKey } from '../objects/ids.js';

/** Who signed that records are gone: the camera lost them, the owner deleted them, or the cloud's retention did. */
export type GapCause = 'camera' | 'owner' | 'retention';

/** Why records are gone, and when the owner or the cloud signed it, UTC by their clocks; a camera signs no time for it. */
export interface Explanation {
  readonly cause: GapCause;
  readonly signedAtMs: number | null;
}

interface Chain {
  /** Hash by seq of every verified record. */
  readonly hashes: Map<number, Uint8Array>;
  /** Ranges of seqs that signed losses cover. */
  readonly lost: Range[];
  /** What the owner deleted. */
  readonly deletions: Deletion[];
  /** The highest floor: retention deleted every record below it. */
  floor: Floor | null;
  /** Hash of the first key record of each period, by the period's id in hex; null once there were two. */
  readonly periods: Map<string, Uint8Array | null>;
  /** Highest seq of a health record with an empty outbox. */
  drainedUpTo: number;
  highest: number;
}

/**
 * What is known of a period's key record: its hash; `pending` while none has come; `equivocation` once there were two, and
 * then nothing of the period may be shown.
 */
export type PeriodState =
  { readonly state: 'known'; readonly record: Uint8Array } | { readonly state: 'pending' | 'equivocation' };

/**
 * The hashes of verified records of any devices and epochs, added in any order, and the continuity of each record.
 * The first record with a seq is kept; another record with the same seq is `equivocation`, and so is a second key record of
 * one period.
 */
export class History {
  private readonly chains = new Map<string, Chain>();

  /** Adds a record, unless another one has its seq, or its period. */
  add(record: Verified<AnyRecord>): 'added' | 'duplicate' | 'equivocation' {
    const { value, hash } = record;
    const chain = this.chainOf(value);
    const known = chain.hashes.get(value.seq);
    if (known !== undefined && equal(known, hash)) return 'duplicate';
    const period = periodKey(value);
    const isOther = !isKeyOfPeriod(chain, record);
    if (isOther && period !== undefined) chain.periods.set(period, null);
    if (isOther || known !== undefined) return 'equivocation';
    if (period !== undefined) chain.periods.set(period, hash);
    chain.hashes.set(value.seq, hash);
    chain.highest = Math.max(chain.highest, value.seq);
    for (const { seqs } of value.loss ?? []) if (seqs !== undefined) chain.lost.push(seqs);
    if (value.health?.queued === 0) chain.drainedUpTo = Math.max(chain.drainedUpTo, value.seq);
    return 'added';
  }

  /** Returns what is known of the key record of a period, on which everything sealed in the period depends. */
  periodOf(device: Uint8Array, epoch: number, periodId: Uint8Array): PeriodState {
    const record = this.chainOf({ device, epoch }).periods.get(toHex(periodId));
    if (record === null) return { state: 'equivocation' };
    return record === undefined ? { state: 'pending' } : { state: 'known', record };
  }

  /** Adds a record that was verified earlier, of which only seq and hash were kept. */
  remember(device: Uint8Array, epoch: number, seq: number, hash: Uint8Array): void {
    const chain = this.chainOf({ device, epoch });
    if (!chain.hashes.has(seq)) chain.hashes.set(seq, hash);
    chain.highest = Math.max(chain.highest, seq);
  }

  /** Adds an owner's statement of deletion. The caller has verified that the owner of the epoch's claim signed it. */
  addDeletion(deletion: Deletion): void {
    const { deletions } = this.chainOf(deletion);
    const isKnown = ({ fromSeq, toSeq, lastHash }: Deletion): boolean =>
      fromSeq === deletion.fromSeq && toSeq === deletion.toSeq && equal(lastHash, deletion.lastHash);
    if (!deletions.some(isKnown)) deletions.push(deletion);
  }

  /** Adds a cloud's floor. The caller has verified that a receipt key of the epoch's claim signed it. */
  addFloor(floor: Floor): void {
    const chain = this.chainOf(floor);
    if (floor.belowSeq > (chain.floor?.belowSeq ?? 0)) chain.floor = floor;
  }

  /** Returns who signed that all the records from one seq to another are gone; null if nobody did. */
  explain(device: Uint8Array, epoch: number, fromSeq: number, toSeq: number): Explanation | null {
    const chain = this.chainOf({ device, epoch });
    if (isCovered(chain.lost, fromSeq, toSeq)) return { cause: 'camera', signedAtMs: null };
    const deletions = deletionsOf(chain);
    if (isCovered([...chain.lost, ...deletions.map(rangeOf)], fromSeq, toSeq)) {
      const first = deletions.find((deletion) => deletion.toSeq >= fromSeq && deletion.fromSeq <= toSeq);
      return { cause: 'owner', signedAtMs: first?.issuedAtMs ?? null };
    }
    if (!isCovered(explainedIn(chain), fromSeq, toSeq)) return null;
    return { cause: 'retention', signedAtMs: chain.floor?.sinceMs ?? null };
  }

  /** Returns the highest seq of a health record with an empty queue: no record before it can still arrive. −1 without one. */
  drainedUpTo(device: Uint8Array, epoch: number): number {
    return this.chainOf({ device, epoch }).drainedUpTo;
  }

  /** Returns the hash of the record with this seq, if it is known. */
  hashOf(device: Uint8Array, epoch: number, seq: number): Uint8Array | undefined {
    return this.chainOf({ device, epoch }).hashes.get(seq);
  }

  /** Returns the continuity of a record by what is known now; it may change as more records arrive. */
  continuityOf(record: Verified<AnyRecord>): Continuity {
    const chain = this.chainOf(record.value);
    const known = chain.hashes.get(record.value.seq);
    if (known !== undefined && !equal(known, record.hash)) return { verdict: 'equivocation' };
    if (!isKeyOfPeriod(chain, record)) return { verdict: 'equivocation' };
    return checkContinuity(record.value, factsOf(chain, record.value.seq));
  }

  /** Returns the highest verified seq of an epoch with its hash, or null. */
  headOf(device: Uint8Array, epoch: number): { readonly seq: number; readonly hash: Uint8Array } | null {
    const chain = this.chains.get(epochKey(device, epoch));
    const hash = chain?.hashes.get(chain.highest);
    return chain === undefined || hash === undefined ? null : { seq: chain.highest, hash };
  }

  private chainOf({ device, epoch }: Pick<AnyRecord, 'device' | 'epoch'>): Chain {
    const key = epochKey(device, epoch);
    let chain = this.chains.get(key);
    if (chain === undefined) {
      chain = {
        hashes: new Map(),
        lost: [],
        deletions: [],
        floor: null,
        periods: new Map(),
        drainedUpTo: -1,
        highest: -1,
      };
      this.chains.set(key, chain);
    }
    return chain;
  }
}

/** Returns the period that a key record is of, as a key of a map; undefined for other kinds. */
function periodKey({ key }: AnyRecord): string | undefined {
  return key === undefined ? undefined : toHex(key.periodId);
}

/** Returns whether a record may be the only key record of its period, as far as is known; true for other kinds. */
function isKeyOfPeriod({ periods }: Chain, { value, hash }: Verified<AnyRecord>): boolean {
  const period = periodKey(value);
  const first = period === undefined ? undefined : periods.get(period);
  return first === undefined || (first !== null && equal(first, hash));
}

type Range = readonly [number, number];

/** Returns what the owner deleted of this history: a statement over another record than the one known there is of another. */
function deletionsOf({ deletions, hashes }: Chain): Deletion[] {
  return deletions.filter(({ toSeq, lastHash }) => equal(hashes.get(toSeq) ?? lastHash, lastHash));
}

function rangeOf({ fromSeq, toSeq }: Deletion): Range {
  return [fromSeq, toSeq];
}

/** Returns every range of seqs of which somebody who may signed that it is gone. */
function explainedIn(chain: Chain): Range[] {
  const expired: Range[] = chain.floor === null ? [] : [[0, chain.floor.belowSeq - 1]];
  return [...chain.lost, ...deletionsOf(chain).map(rangeOf), ...expired];
}

function factsOf(chain: Chain, seq: number): ChainFacts {
  const missing = seq - 1 - knownBelow(chain, seq);
  return {
    predecessor: chain.hashes.get(seq - 1),
    missing,
    missingSigned: isCovered(explainedIn(chain), seq - missing, seq - 1),
    drainedUpTo: chain.drainedUpTo,
  };
}

/**
 * Returns the highest known seq below this one, or −1. Most gaps are short, so it counts down; but a signed seq can be
 * 2^53, so after as many steps as there are records it searches the records instead.
 */
function knownBelow({ hashes }: Chain, seq: number): number {
  for (let below = seq - 1; below >= seq - 1 - hashes.size; below--) if (below < 0 || hashes.has(below)) return below;
  let highest = -1;
  for (const known of hashes.keys()) if (known < seq && known > highest) highest = known;
  return highest;
}
