import type { StoreKind } from '../../../cloud/store/kinds.js';

/** What one store did, in records a second. */
export interface RetentionFigures {
  readonly store: StoreKind;
  /** Cameras that send, and as many silent ones whose records are old. */
  readonly cameras: number;
  /** Old records, the newest and the accept of each camera not counted. */
  readonly backlog: number;
  readonly ingested_alone_per_s: number;
  /** While retention deletes. */
  readonly ingested_beside_per_s: number;
  readonly deleted_alone_per_s: number;
  /** While cameras send as fast as they may. */
  readonly deleted_beside_per_s: number;
  /** Deleted to ingested, in the time in which both went on. */
  readonly ratio: number;
  readonly keeps_up: boolean;
  readonly faults: readonly string[];
}

export interface RetentionResult {
  readonly stores: readonly RetentionFigures[];
  /** Why a store could not be measured. */
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly command: string;
}

/** Counters of a cloud at one moment. */
export interface Sample {
  readonly atMs: number;
  readonly stored: number;
  readonly deleted: number;
  /** Counted up to a limit of the metric. */
  readonly overdue: number;
}

/** Returns how many a second went between two samples. */
function rate(from: Sample, to: Sample, what: 'stored' | 'deleted'): number {
  return Math.round((1000 * (to[what] - from[what])) / Math.max(1, to.atMs - from.atMs));
}

/** The pairs of samples between which a cloud did one thing or both. */
export interface Windows {
  readonly deletingAlone: readonly [Sample, Sample];
  readonly both: readonly [Sample, Sample];
  readonly ingestingAlone: readonly [Sample, Sample];
}

/** Judges the windows of one store. */
export function figuresOf(
  of: Pick<RetentionFigures, 'store' | 'cameras' | 'backlog' | 'faults'>,
  { deletingAlone, both, ingestingAlone }: Windows,
): RetentionFigures {
  const deleted = rate(...both, 'deleted');
  const ingested = rate(...both, 'stored');
  return {
    store: of.store,
    cameras: of.cameras,
    backlog: of.backlog,
    ingested_alone_per_s: rate(...ingestingAlone, 'stored'),
    ingested_beside_per_s: ingested,
    deleted_alone_per_s: rate(...deletingAlone, 'deleted'),
    deleted_beside_per_s: deleted,
    ratio: Number((deleted / Math.max(1, ingested)).toFixed(2)),
    keeps_up: deleted > 0 && deleted >= ingested,
    faults: of.faults,
  };
}

/** Returns every property that did not hold, as sentences. */
export function violationsOf({ stores, failures }: RetentionResult, ratioMin: number): readonly string[] {
  const found: string[] = [...failures];
  for (const { store, ratio, faults, deleted_beside_per_s: deleted, ingested_beside_per_s: ingested } of stores) {
    found.push(...new Set(faults.map((fault) => `${store}: ${fault}`)));
    if (deleted === 0) found.push(`${store}: the old records were gone before the cameras sent; raise --old`);
    if (ingested === 0) found.push(`${store}: nothing was ingested beside retention`);
    if (ratio < ratioMin) found.push(`${store}: deleted ${String(ratio)} of what came, less than ${String(ratioMin)}`);
  }
  return found;
}

/** Formats a result for a terminal. */
export function table({ stores }: RetentionResult): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(12) : String(cell).padStart(16))).join('');
  return [
    row(['records/s', 'ingested alone', 'beside', 'deleted alone', 'beside', 'ratio', 'keeps up']),
    ...stores.map((one) =>
      row([
        one.store,
        one.ingested_alone_per_s,
        one.ingested_beside_per_s,
        one.deleted_alone_per_s,
        one.deleted_beside_per_s,
        one.ratio,
        one.keeps_up ? 'yes' : 'no',
      ]),
    ),
  ].join('\n');
}

/** Formats a result for docs/operations.md. */
export function markdown({ stores, command }: RetentionResult): string {
  const number = (value: number): string => value.toLocaleString('en');
  const [first] = stores;
  return [
    `\`${command}\` ([result](results/retention.json)), ${number(first?.cameras ?? 0)} cameras that send as fast as they may beside ` +
      `${number(first?.backlog ?? 0)} records that are due, in records a second:`,
    '',
    '| store | ingested alone | ingested beside retention | deleted alone | deleted beside ingest | deleted to ingested |',
    '|---|---|---|---|---|---|',
    ...stores.map(
      (one) =>
        `| ${one.store === 'sqlite' ? 'SQLite' : 'PostgreSQL'} | ${number(one.ingested_alone_per_s)} ` +
        `| ${number(one.ingested_beside_per_s)} | ${number(one.deleted_alone_per_s)} ` +
        `| ${number(one.deleted_beside_per_s)} | ${String(one.ratio)} |`,
    ),
  ].join('\n');
}
