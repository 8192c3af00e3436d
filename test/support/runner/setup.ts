import { afterEach } from 'vitest';
import { undoAll } from './after-test.js';

// Run for each file of tests, also where files share their modules: a hook beside a helper would be the first file's alone.
afterEach(undoAll);
