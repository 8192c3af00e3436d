import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/runner/longest-first.js';
import { coreSlowness, limitMs } from './test/support/runner/speed.js';

/** Of `expect.poll()`, on an idle machine. */
const POLL_MS = 20_000;

/** A suite is a folder of test/suites; scripts/test.mjs knows which of them run side by side. */
function suite(
  name: string,
  options: {
    /** For a test or a hook on an idle machine; test/support/runner/setup.ts scales it. */
    readonly limitMs: number;
    readonly serial: boolean;
    readonly workers?: number;
    /** Each file with modules of its own; pure code needs none and is quicker without. */
    readonly isolate?: boolean;
    /** JSON that the tests get by inject(). */
    readonly provide?: string | undefined;
  },
): object {
  const provided = options.provide === undefined ? {} : (JSON.parse(options.provide) as object);
  return {
    test: {
      name,
      include: [`test/suites/${name}/**/*.test.ts`],
      setupFiles: ['test/support/runner/setup.ts'],
      provide: { ...provided, testLimitMs: options.limitMs },
      testTimeout: options.limitMs,
      hookTimeout: options.limitMs,
      expect: { poll: { timeout: limitMs(POLL_MS) } },
      pool: 'forks',
      isolate: options.isolate ?? true,
      fileParallelism: !options.serial,
      // Most of an integration test is waiting; the simulation computes all the while, at a lower priority.
      maxWorkers: options.workers ?? 2,
    },
  };
}

// Measured once, before any worker starts; they inherit it.
coreSlowness();

/** scripts/test.mjs runs suites side by side, each with a cache of its own. */
const cacheDir = process.env['TESTS_CACHE'] ?? 'node_modules/.vite';

export default defineConfig({
  cacheDir,
  test: {
    // What was transformed once is not transformed again in the next run; a changed file is another entry.
    experimental: { fsModuleCache: true, fsModuleCachePath: join(cacheDir, 'modules') },
    sequence: { sequencer: LongestFirst },
    projects: [
      suite('unit', { limitMs: 30_000, serial: false, isolate: false }),
      // Its files write parts of one page when they are asked to, so then one after the other.
      suite('adversarial', { limitMs: 60_000, isolate: false, serial: process.env['SEALCAM_ATTACKS'] === 'update' }),
      suite('contract', { isolate: false, limitMs: 60_000, serial: false }),
      suite('integration', { limitMs: 90_000, serial: false, workers: 5 }),
      suite('interop', { limitMs: 60_000, serial: false }),
      // Not part of npm test: scripts/test-armv7.mjs builds the image first and says where it is.
      suite('armv7', { limitMs: 240_000, serial: false, provide: process.env['SEALCAM_ARMV7'] }),
      suite('browser', { isolate: false, limitMs: 120_000, serial: true }),
    ],
  },
});
