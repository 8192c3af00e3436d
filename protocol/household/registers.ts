/**
 * Registers of which the last writer wins: a state-based CRDT (Shapiro et al. 2011). Merging is commutative, associative and
 * idempotent, also with its limit, because the rank that decides what stays never falls when a register is written again.
 */

/** One value, and who wrote it when: "when" is a count and no time, so a wrong clock wins nothing. */
export interface Register<T> {
  readonly value: T;
  /** Above every counter that its writer knew. */
  readonly counter: number;
  /** Hex of the first {@link SIGNER_BYTES} bytes of the writer's key. It only decides between equal counters. */
  readonly signer: string;
}

export type Registers<T> = ReadonlyMap<string, Register<T>>;

/** Enough to tell the keys of one household apart; where it is not, the value decides. */
export const SIGNER_BYTES = 4;

/** Returns whether `a` was written after `b`, in an order that is the same in every browser. */
export function isLater<T>(a: Register<T>, b: Register<T>): boolean {
  return compare(a, b) > 0;
}

/** Merges two maps: of each key the later register, and of these the latest `max`. */
export function mergeRegisters<T>(a: Registers<T>, b: Registers<T>, max: number): Registers<T> {
  const merged = new Map(a);
  for (const [key, register] of b) {
    const known = merged.get(key);
    if (known === undefined || isLater(register, known)) merged.set(key, register);
  }
  return merged.size <= max ? merged : new Map(latestFirst(merged).slice(0, max));
}

/** Returns whether `known` has every register of `other`, or a later one. */
export function holdsAll<T>(known: Registers<T>, other: Registers<T>): boolean {
  return [...other].every(([key, register]) => {
    const mine = known.get(key);
    return mine !== undefined && !isLater(register, mine);
  });
}

/** Returns the registers in the order in which they stay where not all can. */
export function latestFirst<T>(registers: Registers<T>): readonly (readonly [string, Register<T>])[] {
  return [...registers].sort(([keyA, a], [keyB, b]) => compare(b, a) || textOrder(keyB, keyA));
}

/** Returns the highest counter; 0 without any. */
export function highestCounter(registers: Registers<unknown>): number {
  return Math.max(0, ...[...registers.values()].map(({ counter }) => counter));
}

function compare<T>(a: Register<T>, b: Register<T>): number {
  return (
    a.counter - b.counter ||
    textOrder(a.signer, b.signer) ||
    textOrder(JSON.stringify(a.value), JSON.stringify(b.value))
  );
}

function textOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
