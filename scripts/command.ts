/**
 * The frame of every command in scripts/ and test/campaigns/: option parsing, `--help`, exit status, progress on stderr.
 * A command's result goes to stdout and nothing else does, so that `--json` can be piped.
 *
 * Exit status: 0 done, 1 the run failed or a property did not hold, 2 wrong usage, 4 a tool is missing.
 */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { surviveBrokenPipe } from '../common/adapters/broken-pipe.js';

export const USAGE_STATUS = 2;
export const TOOL_MISSING_STATUS = 4;

const PROGRESS_INTERVAL_MS = 5000;

type OptionSpec = NonNullable<ParseArgsConfig['options']>;
type Values<Spec extends OptionSpec> = ReturnType<typeof parseArgs<{ options: Spec }>>['values'];

export interface Command<Spec extends OptionSpec, Options> {
  readonly name: string;
  /** The whole text of `--help`, with a newline at its end. */
  readonly help: string;
  /** As `parseArgs` of node:util takes them; `--help` is added. */
  readonly options: Spec;
  /** Most arguments without a dash; 0 without it. */
  readonly positionalsMax?: number;
  /** Checks what was given; an error that it throws is wrong usage. */
  readonly readOptions: (values: Values<Spec>, positionals: readonly string[]) => Options;
  /** Returns the exit status. */
  readonly main: (options: Options, context: CommandContext) => number | Promise<number>;
  /** Exit status of an error that `main` throws; 1 without it. */
  readonly statusOf?: (error: unknown) => number;
}

export interface CommandContext {
  /** A temporary folder of this run, made when first read and removed at the end. */
  readonly folder: string;
  /** Prints a line on stderr, with the seconds since the start. */
  readonly progress: (text: string) => void;
  /** Registers what ends the run's processes on Ctrl-C, before the folder is removed. */
  readonly onInterrupt: (end: () => Promise<void>) => void;
}

/** An error that ends a command with this exit status. */
export class CommandFailure extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Runs a command with the arguments of this process, and sets the exit status. Never throws. */
export async function runCommand<const Spec extends OptionSpec, Options>(
  command: Command<Spec, Options>,
): Promise<void> {
  const { name, help, readOptions, main, statusOf = () => 1 } = command;
  surviveBrokenPipe();
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(help);
    return;
  }
  const fail = (text: string, status: number): void => {
    process.stderr.write(`${name}: ${text}\n`);
    process.exitCode = status;
  };
  let options: Options;
  try {
    const { values, positionals } = parseArgs({ args, options: command.options, allowPositionals: true });
    const surplus = positionals[command.positionalsMax ?? 0];
    if (surplus !== undefined) throw new Error(`unexpected argument "${surplus}"`);
    options = readOptions(values, positionals);
  } catch (error) {
    // Node adds advice on escaping to its messages, which is wrong after `npm run`.
    fail(`${messageOf(error).replace(/\. To specify .*/s, '')}; see --help`, USAGE_STATUS);
    return;
  }
  const context = contextOf(name);
  try {
    process.exitCode = await main(options, context);
  } catch (error) {
    fail(messageOf(error), error instanceof CommandFailure ? error.status : statusOf(error));
  } finally {
    context.clean();
  }
}

function contextOf(name: string): CommandContext & { readonly clean: () => void } {
  const startedMs = performance.now();
  let made: string | null = null;
  let end: (() => Promise<void>) | null = null;
  let isListening = false;
  const clean = (): void => {
    if (made !== null) rmSync(made, { recursive: true, force: true });
  };
  const listen = (): void => {
    if (isListening) return;
    isListening = true;
    const stop = (): void => {
      void (end?.() ?? Promise.resolve()).finally(() => {
        clean();
        process.exit(130);
      });
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  };
  return {
    clean,
    get folder() {
      listen();
      made ??= mkdtempSync(join(tmpdir(), `sealcam-${name}-`));
      return made;
    },
    progress: (text) => {
      process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
    },
    onInterrupt: (ending) => {
      listen();
      end = ending;
    },
  };
}

/** Returns the number that an option was given. @throws Error that names the option and its bounds */
export function numberIn(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new Error(`--${option} takes a number from ${String(least)} to ${String(most)}, not "${text}"`);
}

/** Returns the whole number that an option was given. @throws Error that names the option and its bounds */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = numberIn(option, text, least, most);
  if (Number.isInteger(value)) return value;
  throw new Error(`--${option} takes a whole number, not "${text}"`);
}

/** Writes a command's result to stdout: one line of JSON with `--json`, else the text. */
export function printResult(isJson: boolean, result: object, text: string): void {
  process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : `${text.trimEnd()}\n`);
}

/** Prints each violated property on stderr. Returns the exit status: 0 without any, otherwise 1. */
export function reportViolations(name: string, violations: readonly string[]): number {
  for (const violation of violations) process.stderr.write(`${name}: ${violation}\n`);
  return violations.length === 0 ? 0 : 1;
}

/** Returns the command line of this run, as it was typed: what saves a result says so in it. */
export function commandLine(name: string): string {
  const args = process.argv.slice(2);
  return ['npm run', name, ...(args.length === 0 ? [] : ['--', ...args])].join(' ');
}

/** Returns a printer that prints at most one line per interval, for loops that would print thousands. */
export function throttled(
  print: (text: string) => void,
  intervalMs = PROGRESS_INTERVAL_MS,
): (line: () => string) => void {
  let printedMs = performance.now();
  return (line) => {
    const nowMs = performance.now();
    if (nowMs - printedMs < intervalMs) return;
    printedMs = nowMs;
    print(line());
  };
}

/** Whether the module with this `import.meta.url` is the program that runs, rather than imported by another. */
export function isProgram(moduleUrl: string): boolean {
  const [, program] = process.argv;
  // Node gives the module's real path, and the program's as it was typed.
  return program !== undefined && existsSync(program) && realpathSync(program) === fileURLToPath(moduleUrl);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
