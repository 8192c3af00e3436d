import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../tasks/process.mjs';
import { must } from './machine.mjs';

/**
 * Checks a package's units with systemd. Resolves with their names, with systemd's `complaints` (empty without any), and
 * with `exposure`, from 0 (fully confined) to 10.
 */
export async function checkUnits(deb) {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-units-'));
  try {
    await must('dpkg-deb', ['-x', deb, folder]);
    const units = join(folder, 'usr', 'lib', 'systemd', 'system');
    // The system's units, so that dependencies resolve. What ExecStart names is in the package alone.
    await must('cp', ['-a', '/usr/lib/systemd/system/.', join(units)], {});
    await must('dpkg-deb', ['-x', deb, folder]);
    const result = [];
    for (const name of ['sealcam.service', 'sealcam@front.service']) {
      const path = join(units, name.replace('@front', '@'));
      const verified = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', path], {
        capture: true,
      });
      const complaints = verified.output
        .split('\n')
        .filter((line) => line.trim() !== '' && !line.includes('/usr/bin/sealcam is not executable'))
        .join('\n');
      const { output } = await must('systemd-analyze', ['security', '--offline=true', '--no-pager', path]);
      result.push({
        name,
        complaints,
        exposure: /Overall exposure level for [^:]+: ([\d.]+)/.exec(output)?.[1] ?? output,
      });
    }
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
