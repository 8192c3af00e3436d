import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { Child, runTool } from '../../../../hal/linux/child.js';
import { tempFolder } from '../../../support/runner/temp.js';

const never = new AbortController().signal;

describe('a child process', () => {
  it('reports why it could not be started, and never throws', async () => {
    const startError = async (program: string, args: string[] = []): Promise<string | null> =>
      (await new Child({ program, args }, realClock).ended).startError;
    expect(await startError('no-such-program-here')).toBe('ENOENT');
    const noProgram = join(tempFolder(), 'text');
    writeFileSync(noProgram, 'text', { mode: 0o644 });
    expect(await startError(noProgram)).toBe('EACCES');
    // A single argument beyond the kernel's limit: spawn throws, or reports, E2BIG.
    expect(await startError('true', ['x'.repeat(3_000_000)])).toBe('E2BIG');
  });

  it('is bounded in time and output', async () => {
    const late = await runTool({ program: 'sleep', args: ['60'] }, realClock, never, 200);
    expect(late).toMatchObject({ found: true, timedOut: true, code: null });
    const loud = await runTool(
      { program: 'sh', args: ['-c', 'yes | head -c 5000000; yes no | head -c 100000 >&2; echo end >&2'] },
      realClock,
      never,
    );
    expect(loud.code).toBe(0);
    expect(loud.stdout.length).toBeLessThan(500_000);
    expect(loud.stderr.length).toBeLessThan(20_000);
    expect(loud.stderr.trimEnd().endsWith('end')).toBe(true);
    const aborted = await runTool({ program: 'sleep', args: ['60'] }, realClock, AbortSignal.abort());
    expect(aborted.timedOut).toBe(true);
  });
});
