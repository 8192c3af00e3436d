import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import type { Random } from '../../common/random.js';
import type { CameraInfo, Frame } from '../../hal/camera.js';
import type { Hal } from '../../hal/hal.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import type { RecordCommand, RecordHealth } from '../../protocol/objects/record.js';
import type { CameraState } from '../capture/camera-loop.js';
import type { LastLook } from '../capture/capture.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OwnershipKeeper } from '../ownership/ownership.js';
import type { Snapshot } from '../record/snapshot.js';
import type { Uplink } from '../uplink/uplink.js';
import type { ConsoleLock, Scope } from './lock.js';
import type { Words } from './words.js';

/** What the console asks of the agent. */
export interface ConsoleAgent {
  readonly version: string;
  readonly device: Uint8Array;
  readonly signer: Signer;
  readonly outbox: Outbox;
  readonly uplink: Uplink;
  readonly ownership: OwnershipKeeper;
  readonly counters: Counters;
  readonly lastLook: LastLook | null;
  readonly lastFrame: Frame | null;
  readonly camera: { readonly state: CameraState; readonly info: CameraInfo | null };
  /** The owner closed the eye. */
  readonly isPrivate: boolean;
  health(): Promise<RecordHealth>;
  /** @throws SealcamError `unclaimed`, `camera-unavailable`, … */
  snapshot(): Promise<Snapshot>;
  /** An event of the frame that is there now. @throws SealcamError `unclaimed`, `camera-unavailable` */
  triggerMotion(): void;
  /** Says in a signed record what was ordered at the console; without an owner there is nowhere to say it. */
  recordCommand(command: Omit<RecordCommand, 'source'>): void;
  factoryReset(): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The log as the console reads and turns it. */
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
  readonly agent: ConsoleAgent;
  readonly hal: Hal;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly random: Random;
  readonly lock: ConsoleLock;
  readonly log: ConsoleLog;
  /** Claim code, link and QR code for a person at the camera; holds the claim secret. */
  readonly claimSheet: () => string;
  readonly network: () => readonly NetworkInterface[];
  /** Address of the broker. */
  readonly brokerUrl: string;
  /** Settings by name, without what is secret. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly reboot: () => Promise<void>;
  /** Presses the mock's button; null where a finger does it. */
  readonly pressButton: ((heldMs: number) => void) | null;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Where a command says what it found: an object for a script, lines of at most 80 columns for a person. */
export interface CommandOutput {
  print(fields: Fields, lines: readonly string[]): void;
  /** Fires on Ctrl-C, when the line is closed, and when its time is over. */
  readonly signal: AbortSignal;
}

export interface ConsoleCommand {
  /** One or two words. */
  readonly name: string;
  readonly usage: string;
  readonly help: string;
  readonly examples: readonly string[];
  /** What an unlock token must name; null: a look that is always allowed. */
  readonly scope: Scope | null;
  /** Longest it may take; 15 s if it does not say. */
  readonly limitMs?: number;
  run(context: ConsoleContext, words: Words, output: CommandOutput): Promise<void> | void;
}
