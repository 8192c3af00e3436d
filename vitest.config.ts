import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/runner/longest-first.js';

/** A suite is a folder of test/; scripts/test.mjs knows which tool each of them needs. */
function suite(
  name: string,
  options: {
    readonly timeoutMs: number;
    readonly serial: boolean;
    readonly workers?: number;
    /** Each file with modules of its own; pure code needs none and is quicker without. */
    readonly isolate?: boolean;
    /** JSON that the tests get by inject(). */
    readonly provide?: string | undefined;
  },
): object {
  return {
    test: {
      name,
      include: [`test/suites/${name}/**/*.test.ts`],
      setupFiles: ['test/support/runner/setup.ts'],
      ...(options.provide === undefined ? {} : { provide: JSON.parse(options.provide) as object }),
      testTimeout: options.timeoutMs,
      hookTimeout: options.timeoutMs,
      pool: 'forks',
      isolate: options.isolate ?? true,
      fileParallelism: !options.serial,
      // Most of an integration test is waiting; the simulation computes all the while, and gives way.
      maxWorkers: options.workers ?? 2,
    },
  };
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      suite('unit', { timeoutMs: 20_000, serial: false, isolate: false }),
      // Its files write parts of one page when they are asked to, so then one after the other.
      suite('adversarial', { timeoutMs: 60_000, serial: process.env['SEALCAM_ATTACKS'] === 'update' }),
      suite('contract', { timeoutMs: 30_000, serial: false }),
      suite('integration', { timeoutMs: 60_000, serial: false, workers: 4 }),
      suite('interop', { timeoutMs: 60_000, serial: false }),
      // Not part of npm test: scripts/test-armv7.mjs builds the image first and says where it is.
      suite('armv7', { timeoutMs: 240_000, serial: false, provide: process.env['SEALCAM_ARMV7'] }),
      suite('browser', { timeoutMs: 120_000, serial: true }),
    ],
  },
});
