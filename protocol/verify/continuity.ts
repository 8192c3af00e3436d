import { equal } from '../../common/bytes.js';
import type { SealcamRecord } from '../objects/record.js';

/** What is known of the history before a record, from other verified records of the same epoch. */
export interface ChainFacts {
  /** Hash of the record with seq − 1, if it is there. */
  readonly predecessor: Uint8Array | undefined;
  /** Number of records missing in a row just before this one; 0 with a predecessor. */
  readonly missing: number;
  /** Whether signed losses cover all of them. */
  readonly missingSigned: boolean;
  /** Highest seq of a health record that reports an empty queue: nothing before it can still be on its way. */
  readonly drainedUpTo: number;
}

export type Continuity =
  | { readonly verdict: 'intact' | 'pending' | 'equivocation' }
  | { readonly verdict: 'gap'; readonly missing: number; readonly signed: boolean };

export function checkContinuity(record: SealcamRecord, facts: ChainFacts): Continuity {
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
