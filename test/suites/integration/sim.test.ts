import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PLANTS } from '../../campaigns/sim/plants.js';
import { repository } from '../../support/vectors.js';

const PATIENCE_MS = 900_000;

function sim(...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const script = join(repository, 'dist/test/campaigns/sim/sim.js');
  // Nothing here depends on time, so tests that do get the processor first.
  const command = ['-n', '10', process.execPath, script, '--json', ...args];
  return spawnSync('nice', command, { encoding: 'utf8', timeout: PATIENCE_MS });
}

describe('npm run sim', () => {
  it(
    'finds no violation in 200 worlds',
    () => {
      const { status, stdout, stderr } = sim('--seeds', '200');
      expect(JSON.parse(stdout)).toMatchObject({ seeds: 200, failures: [] });
      expect(status, stderr).toBe(0);
    },
    PATIENCE_MS,
  );

  it.each(Object.keys(PLANTS))(
    'finds a planted bug and prints its seed: %s',
    (plant) => {
      const { status, stdout, stderr } = sim('--seeds', '24', '--plant', plant);
      const { failures } = JSON.parse(stdout) as { readonly failures: readonly { readonly seed: number }[] };
      expect(status).toBe(1);
      const [first] = failures;
      expect(stderr).toContain(`npm run sim -- --seed ${String(first?.seed)} --trace --plant ${plant}`);
    },
    PATIENCE_MS,
  );
});
