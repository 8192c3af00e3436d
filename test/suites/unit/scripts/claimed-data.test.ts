import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fillOutbox, makeClaimedData, openData } from '../../../../scripts/bench/claimed-data.js';
import { tempFolder } from '../../../support/runner/temp.js';

it('a benchmark fills an outbox with records as the outbox itself stores them: counted, chained and readable', () => {
  const folder = join(tempFolder(), 'data');
  makeClaimedData(folder, 1, join(folder, '..', 'cloud'));
  fillOutbox(folder, 2100, () => undefined);
  const { outbox, close } = openData(folder);
  // With the accept.
  expect(outbox.totals()).toMatchObject({ produced: 2101, queued: 2101, lost: 0 });
  expect(outbox.read({ epoch: 1, seq: 2097 }, 10).map(({ seq }) => seq)).toEqual([2098, 2099, 2100]);
  close();
});
