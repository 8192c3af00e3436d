import { join } from 'node:path';
import { expect, it } from 'vitest';
import { versionOf } from '../../../../protocol/objects/signed-object.js';
import { fillOutbox, makeClaimedData, openData } from '../../../../scripts/bench/claimed-data.js';
import { tempFolder } from '../../../support/runner/temp.js';

it.each([1, 2] as const)(
  'a benchmark fills the outbox of a camera claimed at version %i as the camera does',
  (protocol) => {
    const folder = join(tempFolder(), 'data');
    makeClaimedData(folder, 8, join(folder, '..', 'cloud'), protocol);
    fillOutbox(folder, 2100, () => undefined);
    const { outbox, close } = openData(folder);
    // With the accept.
    expect(outbox.totals()).toMatchObject({ produced: 2101, queued: 2101, lost: 0 });
    expect(outbox.read({ epoch: 1, seq: 2097 }, 10).map(({ seq }) => seq)).toEqual([2098, 2099, 2100]);
    expect(versionOf(outbox.currentClaim()?.value ?? {})).toBe(protocol);
    expect(outbox.storedClaim(1)?.kemKeys).toHaveLength(protocol === 2 ? 8 : 0);
    close();
  },
);
