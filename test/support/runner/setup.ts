import { afterAll, afterEach, inject, vi } from 'vitest';
import { undoAll } from './after-test.js';
import { limitMs } from './speed.js';
import { removeKeptFolders } from './temp.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the suite, for a test or a hook on an idle machine. */
    readonly testLimitMs: number;
  }
}

// Run for each file of tests, also where files share their modules: the limits follow the load of this moment.
const timeout = limitMs(inject('testLimitMs'));
vi.setConfig({ testTimeout: timeout, hookTimeout: timeout });

// Here and not beside the helper: a hook there would be that of the first file that imports it.
afterEach(undoAll);
// Registered before those of the file, so it runs after them.
afterAll(removeKeptFolders);
