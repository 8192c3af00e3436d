import type { ConfigSource } from '../../common/config/load.js';
import { reportError } from './output.js';

export { surviveBrokenPipe } from '../../common/adapters/broken-pipe.js';

/** Options of every command that reads the configuration. */
export interface CommonOptions {
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Returns where the settings come from. */
export function sourceOf(options: CommonOptions): ConfigSource {
  return {
    file: options.config ?? process.env['SEALCAM_CONFIG'] ?? null,
    environment: process.env,
    warn: (text) => process.stderr.write(`sealcam: warning: ${text}\n`),
  };
}

/** Runs a command and sets the exit status. Errors are printed here, once. */
export async function runReported(json: boolean, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    process.exitCode = reportError(error, json);
  }
}
