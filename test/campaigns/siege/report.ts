import type { StoreKind } from '../fleet/site.js';

export interface SiegeCase {
  readonly name: string;
  /** Keys, and addresses, of the attack. */
  readonly attackers: number;
  /** What the owner waits for, on a cloud of its own: of the pair with the median ratio. */
  readonly alone_ms: number;
  /** The same on a cloud under attack. */
  readonly beside_ms: number;
  readonly ratio: number;
  /** Whether all of it arrived, in every pair. */
  readonly honest_delivered: boolean;
  /** Attempts of the attackers that the cloud did not take. */
  readonly refused: number;
}

export interface SiegeResult {
  readonly cases: readonly SiegeCase[];
  readonly store: StoreKind;
  readonly pairs: number;
  /** Why an attack could not be measured. */
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly command: string;
}

export interface Pair {
  readonly aloneMs: number;
  readonly besideMs: number;
  readonly isDelivered: boolean;
}

function ratioOf({ aloneMs, besideMs }: Pair): number {
  return besideMs / aloneMs;
}

/** Returns the pair in the middle, by its ratio; of an even number, the slower of the two in the middle. */
export function medianPair(pairs: readonly Pair[]): Pair | undefined {
  return [...pairs].sort((a, b) => ratioOf(a) - ratioOf(b))[Math.floor(pairs.length / 2)];
}

/** Judges the pairs of one probe beside one attack. */
export function caseOf(name: string, attackers: number, refused: number, pairs: readonly Pair[]): SiegeCase {
  const middle = medianPair(pairs);
  if (middle === undefined) throw new Error(`${name}: no pair was measured`);
  return {
    name,
    attackers,
    alone_ms: round(middle.aloneMs),
    beside_ms: round(middle.besideMs),
    ratio: round(ratioOf(middle)),
    honest_delivered: pairs.every(({ isDelivered }) => isDelivered),
    refused,
  };
}

function round(value: number): number {
  return Number(value.toFixed(2));
}

/** Returns every property that did not hold, as sentences. */
export function violationsOf({ cases, failures }: SiegeResult, ratioMax: number): readonly string[] {
  const found: string[] = [...failures];
  for (const { name, ratio, honest_delivered } of cases) {
    if (!honest_delivered) found.push(`${name}: not all of it arrived`);
    if (ratio > ratioMax) found.push(`${name}: ${String(ratio)} times as long, more than ${String(ratioMax)}`);
  }
  return found;
}

/** Formats a result for a terminal. */
export function table({ cases }: SiegeResult): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(58) : String(cell).padStart(11))).join('');
  return [
    row(['', 'attackers', 'alone ms', 'beside ms', 'ratio', 'delivered', 'refused']),
    ...cases.map((one) =>
      row([
        one.name,
        one.attackers,
        one.alone_ms,
        one.beside_ms,
        one.ratio,
        one.honest_delivered ? 'yes' : 'no',
        one.refused,
      ]),
    ),
  ].join('\n');
}

/** Formats a result for docs/operations.md. */
export function markdown({ cases, store, pairs, command }: SiegeResult): string {
  return [
    `\`${command}\` ([result](results/siege.json)), ${store === 'sqlite' ? 'SQLite' : 'PostgreSQL'}, median of ${String(pairs)} pairs:`,
    '',
    '| beside | attackers | alone, ms | beside, ms | ratio | all arrived | refused |',
    '|---|---|---|---|---|---|---|',
    ...cases.map(
      (one) =>
        `| ${one.name} | ${String(one.attackers)} | ${String(one.alone_ms)} | ${String(one.beside_ms)} | ${String(one.ratio)} ` +
        `| ${one.honest_delivered ? 'yes' : 'no'} | ${String(one.refused)} |`,
    ),
  ].join('\n');
}
