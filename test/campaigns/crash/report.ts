import type { Costs } from './costs.js';
import type { Outcome } from './outcomes.js';

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)).join(' | ')} |`;
}

function controlled(found: number | undefined, cycles: number | undefined): string {
  if (found === undefined || cycles === undefined) return '';
  return `${found.toLocaleString('en')} in ${cycles.toLocaleString('en')} cycles`;
}

/** Formats outcomes for docs/outbox.md and the terminal. */
export function outcomesTable(outcomes: readonly Outcome[]): string {
  return [
    '| | cycles | reported as committed | lost | doubled | other violations | lost by the control |',
    '|---|---|---|---|---|---|---|',
    ...outcomes.map(({ title, sum, controls: { lost } }) => {
      const other = sum.wrong.length - sum.lost - sum.duplicated;
      const control = controlled(lost?.lost, lost?.cycles);
      return row([title, sum.cycles, sum.committed, sum.lost, sum.duplicated, other, control]);
    }),
    '',
    '| | periods | cuts right after a key record | pictures opened | that nobody can open | by the control |',
    '|---|---|---|---|---|---|',
    ...outcomes.map(({ title, sum, controls: { unopenable } }) => {
      const control = controlled(unopenable?.unopenable, unopenable?.cycles);
      return row([title, sum.periods.size, sum.between, sum.opened, sum.unopenable, control]);
    }),
  ].join('\n');
}

/** Returns an outcome for JSON. */
export function outcomeObject({ sum, controls, seed, seconds }: Outcome): Record<string, unknown> {
  const { cycles, committed, lost, duplicated, dropped, bound, wrong, periods, between, opened, unopenable } = sum;
  return {
    cycles,
    committed,
    lost,
    duplicated,
    ...(controls.lost === undefined ? {} : { control_lost: controls.lost.lost }),
    dropped,
    ...(bound === 0 ? {} : { segments_bound: bound }),
    periods: periods.size,
    between_key_record_and_object: between,
    pictures_opened: opened,
    unopenable,
    ...(controls.unopenable === undefined ? {} : { control_unopenable: controls.unopenable.unopenable }),
    wrong,
    seed,
    seconds,
  };
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
