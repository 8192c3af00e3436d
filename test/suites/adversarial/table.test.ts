import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { partsOfThePage } from '../../support/attack.js';
import { repository } from '../../support/vectors.js';

const SUFFIX = '.test.ts';

it('docs/security.md has a place for every file of attacks, and no other', () => {
  const files = readdirSync(join(repository, 'test', 'suites', 'adversarial')).filter((name) => name.endsWith(SUFFIX));
  const groups = files.map((name) => name.slice(0, -SUFFIX.length)).filter((name) => name !== 'table');
  expect(partsOfThePage().sort()).toEqual(groups.sort());
});
