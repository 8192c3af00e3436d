#!/usr/bin/env node
import { VERSION } from '../../common/version.js';

/**
 * The command `sealcam`. What it does not need is not loaded: on a camera that takes seconds, and what is loaded stays in
 * memory. So the version is answered here, and `run` as a service calls it starts the camera directly; `program.ts` defines
 * all commands and their help.
 */
const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) process.stdout.write(`${VERSION}\n`);
else await start();

async function start(): Promise<void> {
  const { plainRun } = await import('./plain-run.js');
  const { runCamera, surviveBrokenPipe } = await import('./common.js');
  surviveBrokenPipe();
  const options = plainRun(args);
  if (options !== null) return runCamera(options);
  const { runProgram } = await import('./program.js');
  return runProgram();
}
