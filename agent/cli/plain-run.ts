import { parseArgs } from 'node:util';
import type { CommonOptions } from './common.js';

/** Returns the options of a `run` that needs no help and has no fault; null for everything else. */
export function plainRun([command, ...args]: readonly string[]): CommonOptions | null {
  if (command !== 'run') return null;
  try {
    const options = { config: { type: 'string', short: 'c' }, json: { type: 'boolean' } } as const;
    return parseArgs({ args, options }).values;
  } catch {
    return null;
  }
}
