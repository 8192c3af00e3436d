import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadCompiled } from './code-cache.js';
import { plainRun } from './plain-run.js';
import { answerVersion } from './version.js';

/**
 * The packaged command `sealcam`. To compile a camera takes a small core longer than anything else in its start, so `run` has
 * a file of its own, which is loaded with the code that V8 once compiled. All other commands are `cli.ts`, in parts.
 */
const args = process.argv.slice(2);
const file = (name: string): string => join(import.meta.dirname, name);
/** `sealcam run --write-code-cache`, when a camera is installed. Under `run`, because V8's options must be the same. */
const isWriting = args.length === 2 && args[0] === 'run' && args[1] === '--write-code-cache';

if (isWriting) void import(pathToFileURL(file('write-code-cache.mjs')).href);
else if (plainRun(args) !== null) loadCompiled(file('camera.js')).run();
else if (!answerVersion(args)) void import(pathToFileURL(file('commands.mjs')).href);
