#!/usr/bin/env node
import { VERSION } from '../../common/version.js';

/**
 * The command `sealcam`. What it does not need is not loaded: on a camera that takes seconds, and what is loaded stays in
 * memory. So the version is answered here, and everything else by `program.ts`.
 */
const [first, ...others] = process.argv.slice(2);
if (others.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  const { runProgram } = await import('./program.js');
  await runProgram();
}
