import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ACL } from '../../../support/engines/brokers.js';
import { repository } from '../../../support/vectors.js';

it('the rules that operators copy are those under which the brokers of the tests run', () => {
  const page = readFileSync(join(repository, 'docs', 'operations.md'), 'utf8');
  expect(page).toContain(`\n${ACL.join('\n')}\n\`\`\``);
});
