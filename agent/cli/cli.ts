#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { surviveBrokenPipe } from '../../common/adapters/broken-pipe.js';
import { VERSION } from '../../common/version.js';
import type { CommonOptions } from './common.js';

/**
 * The command `sealcam`. What it does not need is not loaded: on a camera that takes seconds, and what is loaded stays in
 * memory. So the version is answered here, and `run` as a service calls it starts the camera directly; `program.ts` defines
 * all commands and their help.
 */
const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  surviveBrokenPipe();
  const options = plainRun();
  if (options === null) {
    const { runProgram } = await import('./program.js');
    await runProgram();
  } else {
    const { runCamera } = await import('./common.js');
    await runCamera(options);
  }
}

/** Returns the options of a `run` that needs no help and has no fault; null for everything else. */
function plainRun(): CommonOptions | null {
  const [command, ...rest] = args;
  if (command !== 'run') return null;
  try {
    const options = { config: { type: 'string', short: 'c' }, json: { type: 'boolean' } } as const;
    return parseArgs({ args: rest, options }).values;
  } catch {
    return null;
  }
}
