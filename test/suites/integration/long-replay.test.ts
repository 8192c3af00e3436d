import { expect, it } from 'vitest';
import { jsonOf, runScript } from '../../support/engines/script.js';
import { describeWith } from '../../support/engines/tools.js';
import { limitMs } from '../../support/runner/speed.js';

const RUN_MS = 120_000;

interface LongReplay {
  readonly events: number;
  readonly outside: number;
  readonly thumbnails: { readonly p95Bytes: number };
}

describeWith('ffmpeg', 'npm run score -- --long', () => {
  const timeout = limitMs(RUN_MS);
  it('replays 1080p: its pictures are small and lie within their events', { timeout }, async () => {
    const ran = await runScript('scripts/score.js', ['--long', '--seconds', '14', '--json'], { limitMs: RUN_MS });
    expect(ran.status, ran.stderr).toBe(0);
    const result = jsonOf<LongReplay>(ran);
    expect(result).toMatchObject({ width: 1920, height: 1080, outside: 0, faults: [] });
    expect(result.events).toBeGreaterThan(0);
    expect(result.thumbnails.p95Bytes).toBeLessThanOrEqual(20_000);
  });

  it('exits with status 2 when it is called wrongly', async () => {
    const { status } = await runScript('scripts/score.js', ['--long', '--seconds', 'soon'], { limitMs: RUN_MS });
    expect(status).toBe(2);
  });
});
