import { runReported, sourceOf, type CommonOptions } from './common.js';

/** Runs the command `run`, which is loaded only then. */
export function runCamera(options: CommonOptions): Promise<void> {
  return runReported(options.json === true, async () => {
    const { runCommand } = await import('./run.js');
    return runCommand(sourceOf(options));
  });
}
