import { runReported, sourceOf, surviveBrokenPipe } from './common.js';
import { plainRun } from './plain-run.js';
import { runCommand } from './run.js';

/** What `packaged.ts` runs of a packaged camera: the command `run` alone, in one file. */
const options = plainRun(process.argv.slice(2));
surviveBrokenPipe();
if (options !== null) void runReported(options.json === true, () => runCommand(sourceOf(options)));
