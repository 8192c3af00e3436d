import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isUpdate, tablesOfThePage } from '../../support/attack.js';
import { repository } from '../../support/vectors.js';

const SUFFIX = '.test.ts';
const COUNT = /lists (\d+) attacks/;

it('docs/attacks.md has a table for every file of attacks, and no other', () => {
  const files = readdirSync(join(repository, 'test', 'suites', 'adversarial')).filter((name) => name.endsWith(SUFFIX));
  const groups = files.map((name) => name.slice(0, -SUFFIX.length)).filter((name) => name !== 'table');
  const tables = tablesOfThePage();
  expect([...tables.keys()].sort()).toEqual(groups.sort());
  expect([...tables].filter(([, attacks]) => attacks === 0)).toEqual([]);
});

it('docs/security.md has the number of attacks', () => {
  const path = join(repository, 'docs', 'security.md');
  const page = readFileSync(path, 'utf8');
  const total = [...tablesOfThePage().values()].reduce((sum, attacks) => sum + attacks, 0);
  // Another file may still write its table in this run; the next run corrects the number.
  if (isUpdate) writeFileSync(path, page.replace(COUNT, `lists ${String(total)} attacks`));
  else expect(Number(COUNT.exec(page)?.[1])).toBe(total);
});
