import type { Costs } from './costs.js';
import type { Sum } from './kills.js';

export interface Outcome {
  readonly name: 'kills' | 'powercuts';
  readonly sum: Sum;
  readonly control: Sum;
  readonly seed: number;
  readonly seconds: number;
}

const NAMES = { kills: 'kill -9', powercuts: 'power cuts' } as const;

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)).join(' | ')} |`;
}

/** Formats outcomes for docs/outbox.md and the terminal. */
export function outcomesTable(outcomes: readonly Outcome[]): string {
  return [
    '| | cycles | reported as committed | lost | doubled | other violations | lost by the control |',
    '|---|---|---|---|---|---|---|',
    ...outcomes.map(({ name, sum, control }) => {
      const other = sum.wrong.length - sum.lost - sum.duplicated;
      const controlled = `${control.lost.toLocaleString('en')} in ${control.cycles.toLocaleString('en')} cycles`;
      return row([NAMES[name], sum.cycles, sum.committed, sum.lost, sum.duplicated, other, controlled]);
    }),
  ].join('\n');
}

/** Formats costs for docs/outbox.md and the terminal. */
export function costsTable({ phases, opening }: Costs): string {
  return [
    '| | writes | bytes written | syncs |',
    '|---|---|---|---|',
    ...phases.map(({ name, writes, bytes, syncs }) => row([name, writes, bytes, syncs])),
    '',
    '| opening the outbox | reads | bytes read | resident memory after it, MiB |',
    '|---|---|---|---|',
    ...opening.map(({ records, reads, bytes, rssMib }) =>
      row([`${records.toLocaleString('en')} records`, reads, bytes, rssMib]),
    ),
  ].join('\n');
}
