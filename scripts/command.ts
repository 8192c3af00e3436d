import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @throws Error that names the option and its bounds */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${option} takes a number from ${String(least)} to ${String(most)}`);
}

export interface Surroundings {
  /** Of this run alone, and removed after it. */
  readonly folder: string;
  /** A line on stderr, with the seconds that have passed. */
  readonly say: (text: string) => void;
  /** When the run is interrupted; its processes must end before the folder goes. */
  readonly onInterrupt: (end: () => Promise<void>) => void;
}

/** Runs a long command in a folder of its own. Exit status: what `main` answers, 1 where it throws, 2 for wrong options. */
export async function runCommand<Options>(
  name: string,
  readOptions: () => Options,
  main: (options: Options, surroundings: Surroundings) => Promise<number>,
): Promise<void> {
  const fail = (error: unknown, more: string, status: number): void => {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}${more}\n`);
    process.exitCode = status;
  };
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    fail(error, '; see --help', 2);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), `sealcam-${name}-`));
  const begun = performance.now();
  const printLine = (text: string): void => {
    process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
  };
  const onInterrupt = (end: () => Promise<void>): void => {
    const stop = (): void => {
      void end().finally(() => {
        rmSync(folder, { recursive: true, force: true });
        process.exit(130);
      });
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  };
  try {
    process.exitCode = await main(options, { folder, say: printLine, onInterrupt });
  } catch (error) {
    fail(error, '', 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
