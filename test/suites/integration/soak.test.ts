import { expect, it } from 'vitest';
import { soak } from '../../campaigns/soak/run.js';
import { limitMs } from '../../support/runner/speed.js';

it.runIf(process.platform === 'linux')(
  'a camera over a flapping network, killed and stopped, keeps its handles and files',
  async () => {
    const result = await soak({ seconds: 45, sampleS: 1, onSample: () => undefined });
    const { first, last, most, restarts, outages, records } = result;
    expect(restarts).toBe(2);
    expect(outages).toBeGreaterThan(1);
    expect(records).toBeGreaterThan(0);
    if (first === null || last === null) throw new Error('no samples');
    // A leak of one handle per lost connection, or a log that is never truncated, exceeds these limits by far.
    expect(last.handles).toBeLessThanOrEqual(first.handles + 10);
    expect(most.handles).toBeLessThan(60);
    expect(most.file_bytes).toBeLessThan(16 * 1024 * 1024);
  },
  limitMs(180_000),
);
