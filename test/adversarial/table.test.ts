import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { later, partsOfThePage } from '../support/attack.js';
import { repository } from '../support/vectors.js';

const SUFFIX = '.test.ts';

it('docs/security.md has a place for every file of attacks, and no other', () => {
  const files = readdirSync(join(repository, 'test', 'adversarial')).filter((name) => name.endsWith(SUFFIX));
  const groups = files.map((name) => name.slice(0, -SUFFIX.length)).filter((name) => name !== 'table');
  expect(partsOfThePage().sort()).toEqual([...groups, 'later'].sort());
});

later([
  ['owner-signed command withheld and played later', 'commands in the agent'],
  ['two browsers of one owner send commands with one counter', 'commands in the agent'],
  ['member key substituted by the cloud while a member is added', 'adding members in the page'],
  ["revoked device key with a stale or unreachable maker's list", 'revocation lists in cloud and page'],
  ["revoked epoch with a stale owner's list", 'revocation lists in cloud and page'],
  ['open stream and links of a previous owner after a reset, through the page', 'release and transfer in the page'],
]);
