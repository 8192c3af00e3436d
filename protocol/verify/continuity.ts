import { equal } from '../../common/bytes.js';
import type { AnyRecord } from '../objects/record.js';

/** What other verified records of the same epoch show of the history before a record. */
export interface ChainFacts {
  /** Hash of the record with seq − 1, if it is known. */
  readonly predecessor: Uint8Array | undefined;
  /** Number of consecutive records missing just before this one; 0 with a predecessor. */
  readonly missing: number;
  /** Whether signed losses of the camera, deletions of the owner and floors of the cloud cover all the missing records. */
  readonly missingSigned: boolean;
  /** Highest seq of a health record that reports an empty outbox: no record before it can still arrive. */
  readonly drainedUpTo: number;
}

/** `signed`: somebody who may signed that the records are gone: camera, owner, or the cloud's retention. */
export type Continuity =
  | { readonly verdict: 'intact' | 'pending' | 'equivocation' }
  | { readonly verdict: 'gap'; readonly missing: number; readonly signed: boolean };

/** Returns whether a record follows the one before it. A record that is `pending` can still become anything else. */
export function checkContinuity(record: Pick<AnyRecord, 'seq' | 'prev'>, facts: ChainFacts): Continuity {
  if (record.seq === 0) return { verdict: 'intact' };
  const { prev } = record;
  if (facts.predecessor !== undefined && prev !== null) {
    return { verdict: equal(facts.predecessor, prev) ? 'intact' : 'equivocation' };
  }
  if (prev === null) return { verdict: 'gap', missing: facts.missing, signed: true };
  if (facts.missingSigned) return { verdict: 'gap', missing: facts.missing, signed: true };
  if (record.seq <= facts.drainedUpTo) return { verdict: 'gap', missing: facts.missing, signed: false };
  return { verdict: 'pending' };
}

/**
 * Returns whether signed losses cover every seq from `from` to `to`, both included. Ranges are [first, last] in any order,
 * and may overlap.
 */
export function isCovered(ranges: readonly (readonly [number, number])[], from: number, to: number): boolean {
  if (to < from) return false;
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  let next = from;
  for (const [first, last] of sorted) {
    if (first > next) return false;
    next = Math.max(next, last + 1);
    if (next > to) return true;
  }
  return false;
}
