import type { CellResult } from './ownership.js';
import type { UpgradeResult } from './upgrade.js';

/** The matrix of one older commit. */
export interface MatrixResult {
  readonly old: string;
  readonly cells: readonly CellResult[];
  readonly upgrades: readonly UpgradeResult[];
}

const PARTS = ['camera', 'cloud', 'page'] as const;

/** Returns what did not go as it must: nothing where every pair of programs works together. */
export function violationsOf({ old, cells, upgrades }: MatrixResult): readonly string[] {
  const found = cells.flatMap((cell) => cellFaults(cell).map((fault) => `${nameOf(cell)}: ${fault}`));
  const after = upgrades.flatMap((upgrade) =>
    upgradeFaults(upgrade).map((fault) => `upgrade ${upgrade.order.join(', ')}: ${fault}`),
  );
  return [...found, ...after].map((text) => `${old}: ${text}`);
}

function cellFaults(cell: CellResult): readonly string[] {
  const faults = [...cell.failures];
  const expected = PARTS.every((part) => cell[part] === 'new') ? 2 : 1;
  if (cell.version !== expected)
    faults.push(`the epoch is of version ${String(cell.version)}, not ${String(expected)}`);
  if (!opensAll(cell)) faults.push(`${countOf(cell)} pictures opened`);
  const isHidden = cell.camera === 'new' && expected === 1;
  if (cell.isWarned !== (isHidden && cell.page === 'new'))
    faults.push(cell.isWarned ? 'a warning where nothing is hidden' : 'no warning');
  const { other, page } = cell;
  if (other === null) return faults;
  // An old browser cannot read an epoch of version 2, and shows nothing of it.
  const mayShow = page === 'old' || expected === 1;
  if (mayShow ? !opensAll(other) : other.pictures > 0) {
    faults.push(`the owner's other browser opened ${countOf(other)} pictures`);
  }
  if (page === 'old' && other.isWarned !== isHidden) faults.push("the owner's other browser warns wrongly");
  return faults;
}

function upgradeFaults({ failures, isWarned, version }: UpgradeResult): readonly string[] {
  const faults = [...failures];
  if (!isWarned) faults.push('the page did not say that the camera could do more');
  if (version !== 2) faults.push(`the camera was not claimed again in version 2 but in ${String(version)}`);
  return faults;
}

/** Returns the results as text. */
export function tableOf(results: readonly MatrixResult[]): string {
  return results
    .map((result) => [`old: ${result.old}`, ...cellRows(result), '', ...upgradeRows(result), ''].join('\n'))
    .join('\n');
}

function cellRows({ cells }: MatrixResult): readonly string[] {
  const head = ['camera', 'cloud', 'page', 'version', 'records', 'opened', 'warned', 'other browser', 'says'];
  const rows = cells.map((cell) => [
    ...PARTS.map((part) => cell[part]),
    String(cell.version ?? '-'),
    String(cell.records),
    countOf(cell),
    cell.isWarned ? 'yes' : 'no',
    cell.other === null ? '-' : `${countOf(cell.other)}${cell.other.isWarned ? ', warned' : ''}`,
    cell.other?.says ?? '',
  ]);
  return aligned([head, ...rows]);
}

function upgradeRows({ upgrades }: MatrixResult): readonly string[] {
  if (upgrades.length === 0) return [];
  const rows = upgrades.map(({ order, opened, isWarned, version }) => [
    order.join(', '),
    opened.join(', '),
    isWarned ? 'yes' : 'no',
    String(version ?? '-'),
  ]);
  return aligned([['upgraded in this order', 'opened after each', 'warned', 'claimed again in version'], ...rows]);
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function nameOf(cell: CellResult): string {
  return PARTS.map((part) => `${part} ${cell[part]}`).join(', ');
}

function opensAll({ opened, pictures }: Pick<CellResult, 'opened' | 'pictures'>): boolean {
  return opened > 0 && opened === pictures;
}

function countOf({ opened, pictures }: Pick<CellResult, 'opened' | 'pictures'>): string {
  return `${String(opened)} of ${String(pictures)}`;
}
