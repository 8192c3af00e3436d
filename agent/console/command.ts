import type { Clock } from '../../common/clock.js';
import type { Random } from '../../common/random.js';
import type { Hal } from '../../hal/hal.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { ConsolePort } from './console-port.js';
import type { ConsoleLock, Scope } from './lock.js';
import type { Words } from './words.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The log, as the console reads it and sets its level. */
export interface ConsoleLog {
  last(count: number): readonly string[];
  subscribe(listener: (line: string) => void): () => void;
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
}

export interface NetworkInterface {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Everything a command may reach. */
export interface ConsoleContext {
  readonly agent: ConsolePort;
  readonly hal: Hal;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly random: Random;
  readonly lock: ConsoleLock;
  readonly log: ConsoleLog;
  /** Claim code, link and QR code for a person at the camera; holds the claim secret. */
  readonly claimSheet: () => string;
  readonly network: () => readonly NetworkInterface[];
  readonly brokerUrl: string;
  /** Settings by name; secrets, paths and addresses are left out. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Restarts the device; null on a simulated camera, which must not restart the computer that it runs on. */
  readonly reboot: (() => Promise<void>) | null;
  /** Presses the button of a mock camera; null on a camera with a real one. */
  readonly pressButton: ((heldMs: number) => void) | null;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Where a command prints its result: an object for a script, lines of at most 80 columns for a person. */
export interface CommandOutput {
  print(fields: Fields, lines: readonly string[]): void;
  /** Fires on Ctrl-C, when the line is closed, and when the command's time is over. */
  readonly signal: AbortSignal;
}

export interface ConsoleCommand {
  /** One or two words. */
  readonly name: string;
  /**
   * Name, words and options: also what is accepted. `WORD`, `[WORD]` and `[WORD...]` are words, `[--flag]` and `[--option N]`
   * options.
   */
  readonly usage: string;
  readonly help: string;
  readonly examples: readonly string[];
  /** The scope that an unlock token must name; null: allowed while the console is locked. */
  readonly scope: Scope | null;
  /** Time limit; 15 s if absent. */
  readonly limitMs?: number;
  run(context: ConsoleContext, words: Words, output: CommandOutput): Promise<void> | void;
}
