import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith, program } from '../support/tools.js';
import { repository } from '../support/vectors.js';

function runPython(
  script: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly out: string } {
  const path = join(repository, 'test', 'interop', script);
  const { status, stdout, stderr } = spawnSync(program('python'), [path, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, out: status === null || stdout === '' ? stderr : stdout };
}

/** The second implementation: in Python, written from docs/protocol.md alone. */
describeWith('python', 'a second implementation', () => {
  it('agrees on every golden vector, good and bad', () => {
    const { status, out } = runPython('verify_vectors.py', '--json');
    const { passed, failed, failures } = JSON.parse(out) as { passed: number; failed: number; failures: string[] };
    expect(failures).toEqual([]);
    expect({ status, failed }).toEqual({ status: 0, failed: 0 });
    expect(passed).toBeGreaterThan(900);
  });

  it('goes from an MQTT message to bound events, as docs/cloud.md shows it', () => {
    const { status, out } = runPython('ingest_example.py', '--demo');
    const { events } = JSON.parse(out) as { events: { bound: boolean; verdict: string }[] };
    expect(events.map(({ bound, verdict }) => ({ bound, verdict }))).toEqual(
      new Array(3).fill({ bound: true, verdict: 'intact' }),
    );
    expect(status).toBe(0);
  });

  it('refuses a message that is none, with an exit code a script can read', () => {
    const { status, out } = runPython('ingest_example.py', 'sealcam/1/zz/up', '00', '00');
    expect(JSON.parse(out)).toMatchObject({ bound: false });
    expect(status).toBe(1);
    expect(runPython('ingest_example.py').status).toBe(2);
  });
});
