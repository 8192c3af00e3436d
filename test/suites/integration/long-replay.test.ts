import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkout } from '../../../scripts/checkout.js';
import { describeWith } from '../../support/engines/tools.js';

describeWith('ffmpeg', 'npm run score -- --long', () => {
  it('replays 1080p: its pictures are small and lie within their events', () => {
    const args = [join(checkout, 'dist', 'scripts', 'score.js'), '--long', '--seconds', '14', '--json'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const result = JSON.parse(stdout) as { events: number; outside: number; thumbnails: { p95Bytes: number } };
    expect(result).toMatchObject({ width: 1920, height: 1080, outside: 0, faults: [] });
    expect(result.events).toBeGreaterThan(0);
    expect(result.thumbnails.p95Bytes).toBeLessThanOrEqual(20_000);
  });

  it('exits with status 2 when it is called wrongly', () => {
    const args = [join(checkout, 'dist', 'scripts', 'score.js'), '--long', '--seconds', 'soon'];
    expect(spawnSync(process.execPath, args, { encoding: 'utf8' }).status).toBe(2);
  });
});
