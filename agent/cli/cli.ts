#!/usr/bin/env node
import { answerVersion } from './version.js';

/**
 * The command `sealcam`. What it does not need is not loaded: on a camera that takes seconds, and what is loaded stays in
 * memory. So the version is answered here, and `run` as a service calls it starts the camera directly; `program.ts` defines
 * all commands and their help. A packaged camera begins with `packaged.ts` instead.
 */
const args = process.argv.slice(2);
if (!answerVersion(args)) await start();

async function start(): Promise<void> {
  const { plainRun } = await import('./plain-run.js');
  const { surviveBrokenPipe } = await import('./common.js');
  const { runCamera } = await import('./run-camera.js');
  surviveBrokenPipe();
  const options = plainRun(args);
  if (options !== null) return runCamera(options);
  const { runProgram } = await import('./program.js');
  return runProgram();
}
