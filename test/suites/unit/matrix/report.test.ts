import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CellResult } from '../../../campaigns/matrix/ownership.js';
import { tableOf, violationsOf } from '../../../campaigns/matrix/report.js';
import type { UpgradeResult } from '../../../campaigns/matrix/upgrade.js';
import { checkout } from '../../../../scripts/checkout.js';

const allNew: CellResult = {
  camera: 'new',
  cloud: 'new',
  page: 'new',
  version: 2,
  records: 9,
  pictures: 3,
  opened: 3,
  isWarned: false,
  other: { pictures: 0, opened: 0, isWarned: false, says: 'unsupported' },
  failures: [],
};
const hidden: CellResult = { ...allNew, cloud: 'old', version: 1, isWarned: true, other: { ...allNew, says: '' } };
const oldPage: CellResult = {
  ...allNew,
  page: 'old',
  version: 1,
  other: { pictures: 3, opened: 3, isWarned: true, says: '' },
};
const upgrade: UpgradeResult = {
  order: ['cloud', 'camera', 'page'],
  opened: [1, 2, 3, 4],
  isWarned: true,
  version: 2,
  failures: [],
};

function faults(cell: CellResult, ...upgrades: readonly UpgradeResult[]): readonly string[] {
  return violationsOf({ old: 'abc', cells: [cell], upgrades });
}

describe('the report of the matrix', () => {
  it('finds nothing where every combination works as it must', () => {
    for (const cell of [allNew, hidden, oldPage]) expect(faults(cell, upgrade)).toEqual([]);
  });

  it.each([
    ['another version than that of the oldest end', { ...hidden, version: 2 }],
    ['version 1 though all of them know version 2', { ...allNew, version: 1 }],
    ['a camera that was not claimed', { ...allNew, version: null }],
    ['a picture that does not open', { ...allNew, opened: 2 }],
    ['no picture at all', { ...allNew, opened: 0, pictures: 0 }],
    ['a hidden version without a warning', { ...hidden, isWarned: false }],
    ['a warning where nothing is hidden', { ...allNew, isWarned: true }],
    ['an old browser that shows an epoch which it cannot read', { ...allNew, other: { ...allNew, says: '' } }],
    ['another browser that opens less', { ...hidden, other: { ...allNew, opened: 2, says: '' } }],
    ['a new browser that does not warn of what an old one claimed', { ...oldPage, other: { ...allNew, says: '' } }],
    ['anything that failed', { ...allNew, failures: ['record 3 is lost'] }],
  ] as const)('names %s', (_, cell) => {
    expect(faults(cell)).toHaveLength(1);
  });

  it('names an upgrade that does not end in version 2, or of which the page says nothing', () => {
    expect(faults(allNew, { ...upgrade, version: 1 })).toHaveLength(1);
    expect(faults(allNew, { ...upgrade, isWarned: false })).toHaveLength(1);
    expect(faults(allNew, { ...upgrade, failures: ['no answer'] })).toHaveLength(1);
  });

  it('has a line for each combination and each order', () => {
    const text = tableOf([{ old: 'abc', cells: [allNew, hidden], upgrades: [upgrade] }]);
    expect(text).toContain('3 of 3');
    expect(text).toContain('cloud, camera, page');
  });
});

describe('the command of the matrix', () => {
  it('says how to get a commit that is not here, with exit status 4', () => {
    const command = [join(checkout, 'dist', 'test', 'campaigns', 'matrix', 'matrix.js'), '--old', '0123456789abcdef'];
    const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
    expect(stderr).toContain('git fetch --unshallow');
    expect(status).toBe(4);
  });
});
