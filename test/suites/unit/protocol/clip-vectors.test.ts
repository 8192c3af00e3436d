import { describe, expect, it } from 'vitest';
import { suites } from '../../../support/runner/suites.js';
import { ClipOpener, clipVectors } from '../../../support/clip-vectors.js';

describe.each(suites)('golden vectors of clips with $name', (suite) => {
  const opener = new ClipOpener({ suite });

  it.each(clipVectors.cases)('finds of $name what is expected: $why', async (one) => {
    expect(await opener.open(one)).toEqual(one.expect);
  });

  it('opens the bodies of the camera alone: the control', async () => {
    const [whole] = clipVectors.cases;
    if (whole === undefined) throw new Error('no case');
    const all = Object.keys(clipVectors.bodies).filter((name) => name !== 'key');
    const crossed = all.map((name, i) => [name, [all[(i + 1) % all.length] ?? '', 0, Infinity]] as const);
    const opened = await opener.open({ ...whole, answers: Object.fromEntries(crossed) });
    expect(opened).toMatchObject({ segments: new Array(4).fill('media-missing'), plays: [] });
  });
});
