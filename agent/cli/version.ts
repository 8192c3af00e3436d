import { VERSION } from '../../common/version.js';

/** Prints the version if that alone is asked for. Returns whether it was: then nothing else needs to be loaded. */
export function answerVersion(args: readonly string[]): boolean {
  const isAsked = args.length === 1 && (args[0] === '--version' || args[0] === '-V');
  if (isAsked) process.stdout.write(`${VERSION}\n`);
  return isAsked;
}
