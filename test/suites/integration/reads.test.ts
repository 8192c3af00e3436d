import { expect, it } from 'vitest';
import { jsonOf, runScript } from '../../support/engines/script.js';
import { describeWith } from '../../support/engines/tools.js';

const limit = { limitMs: 60_000 };

describeWith('postgres', 'npm run reads', () => {
  it('prints what each read takes in a small and in a large store, of both kinds', async () => {
    const sizes = ['--small', '4000', '--large', '8000', '--repeat', '2'];
    const ran = await runScript('test/campaigns/reads/reads.js', ['--json', ...sizes], limit);
    const { reads } = jsonOf<{
      reads: { store: string; read: string; small_us: number; large_us: number; ratio: number }[];
    }>(ran);
    expect(ran.status, ran.stderr).toBe(0);
    expect(new Set(reads.map(({ store }) => store))).toEqual(new Set(['sqlite', 'postgres']));
    for (const one of reads) expect([one.small_us, one.large_us, one.ratio].every((value) => value >= 0)).toBe(true);
  });

  it('refuses wrong arguments', async () => {
    expect(await runScript('test/campaigns/reads/reads.js', ['--only', 'moon'], limit)).toMatchObject({
      status: 2,
      stdout: '',
    });
    expect(await runScript('test/campaigns/reads/reads.js', ['--small', '1'], limit)).toMatchObject({ status: 2 });
  });
});
