import { equal } from '../../common/bytes.js';
import type { SealcamRecord } from '../objects/record.js';
import type { Verified } from '../objects/signed-object.js';
import { checkContinuity, isCovered, type ChainFacts, type Continuity } from './continuity.js';
import { epochKey } from '../objects/ids.js';

interface Chain {
  /** Hash by seq of every verified record. */
  readonly hashes: Map<number, Uint8Array>;
  /** Ranges of seqs that signed losses cover. */
  readonly lost: (readonly [number, number])[];
  /** Highest seq of a health record with an empty outbox. */
  drainedUpTo: number;
  highest: number;
}

/**
 * The hashes of verified records of any devices and epochs, added in any order, and the continuity of each record.
 * The first record with a seq is kept; another record with the same seq is `equivocation`.
 */
export class History {
  private readonly chains = new Map<string, Chain>();

  /** Adds a record, unless another one has its seq. */
  add(record: Verified<SealcamRecord>): 'added' | 'duplicate' | 'equivocation' {
    const { value, hash } = record;
    const chain = this.chainOf(value);
    const known = chain.hashes.get(value.seq);
    if (known !== undefined) return equal(known, hash) ? 'duplicate' : 'equivocation';
    chain.hashes.set(value.seq, hash);
    chain.highest = Math.max(chain.highest, value.seq);
    for (const { seqs } of value.loss ?? []) if (seqs !== undefined) chain.lost.push(seqs);
    if (value.health?.queued === 0) chain.drainedUpTo = Math.max(chain.drainedUpTo, value.seq);
    return 'added';
  }

  /** Adds a record that was verified earlier, of which only seq and hash were kept. */
  remember(device: Uint8Array, epoch: number, seq: number, hash: Uint8Array): void {
    const chain = this.chainOf({ device, epoch });
    if (!chain.hashes.has(seq)) chain.hashes.set(seq, hash);
    chain.highest = Math.max(chain.highest, seq);
  }

  /** Returns the continuity of a record by what is known now; it may change as more records arrive. */
  continuityOf(record: Verified<SealcamRecord>): Continuity {
    const chain = this.chainOf(record.value);
    const known = chain.hashes.get(record.value.seq);
    if (known !== undefined && !equal(known, record.hash)) return { verdict: 'equivocation' };
    return checkContinuity(record.value, factsOf(chain, record.value.seq));
  }

  /** Returns the highest verified seq of an epoch with its hash, or null. */
  headOf(device: Uint8Array, epoch: number): { readonly seq: number; readonly hash: Uint8Array } | null {
    const chain = this.chains.get(epochKey(device, epoch));
    const hash = chain?.hashes.get(chain.highest);
    return chain === undefined || hash === undefined ? null : { seq: chain.highest, hash };
  }

  private chainOf({ device, epoch }: Pick<SealcamRecord, 'device' | 'epoch'>): Chain {
    const key = epochKey(device, epoch);
    let chain = this.chains.get(key);
    if (chain === undefined) {
      chain = { hashes: new Map(), lost: [], drainedUpTo: -1, highest: -1 };
      this.chains.set(key, chain);
    }
    return chain;
  }
}

function factsOf(chain: Chain, seq: number): ChainFacts {
  const missing = seq - 1 - knownBelow(chain, seq);
  return {
    predecessor: chain.hashes.get(seq - 1),
    missing,
    missingSigned: isCovered(chain.lost, seq - missing, seq - 1),
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
