import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { Clock } from '../../common/clock.js';
import { systemCode } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Watchdog } from '../peripherals.js';
import { runTool } from './child.js';

/** No watchdog: nothing restarts a camera that hangs. */
export class NoWatchdog implements Watchdog {
  readonly intervalMs = null;

  ready(): void {
    // Nothing waits for it.
  }

  alive(): void {
    // Nothing listens.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface SystemdWatchdogOptions {
  /** Of which systemd sets NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Log;
}

const SYSTEMD_NOTIFY = 'systemd-notify';
const NOTIFY_TIMEOUT_MS = 5000;

/** Returns whether the program `systemd-notify` is installed. */
export async function hasSystemdNotify(clock: Clock, signal: AbortSignal): Promise<boolean> {
  const { found } = await runTool({ program: SYSTEMD_NOTIFY, args: ['--version'] }, clock, signal);
  return found;
}

/**
 * Notifies systemd through the program `systemd-notify`, because Node has no Unix datagram sockets. The message comes from
 * a child process, so the unit needs NotifyAccess=all: without it systemd ignores the message and restarts the camera.
 */
export class SystemdWatchdog implements Watchdog {
  readonly intervalMs: number | null;
  private readonly options: SystemdWatchdogOptions;
  private readonly hasSocket: boolean;
  private busy: Promise<void> | null = null;
  private isClosed = false;
  private notifiedMs = -Infinity;

  constructor(options: SystemdWatchdogOptions) {
    const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = options.environment;
    this.options = options;
    this.hasSocket = socket !== '';
    const timeoutMs = Number(micros) / 1000;
    // WATCHDOG_PID names the watched process; a child that inherits the variables is not watched.
    const isWatchedProcess = pid === undefined || pid === String(options.pid);
    this.intervalMs = this.hasSocket && isWatchedProcess && timeoutMs > 0 ? Math.floor(timeoutMs / 2) : null;
  }

  /** Whether a message is on its way. */
  get isNotifying(): boolean {
    return this.busy !== null;
  }

  ready(): void {
    if (this.hasSocket) void this.notify('READY=1');
    else this.warn('systemd did not start this process with Type=notify');
  }

  alive(): void {
    // A notification that hangs ends at its time limit; a second one beside it would hang too.
    if (this.isClosed || this.intervalMs === null || this.busy !== null) return;
    // Each message starts a process, so that only every second half of the time sends one.
    if (this.options.clock.monotonicMs() - this.notifiedMs < this.intervalMs / 2) return;
    void this.notify('WATCHDOG=1');
  }

  async close(): Promise<void> {
    if (this.isClosed || !this.hasSocket) return;
    this.isClosed = true;
    await this.busy;
    await this.notify('STOPPING=1');
  }

  private async notify(what: string): Promise<void> {
    const { clock } = this.options;
    const before = this.busy;
    const work = (async () => {
      await before;
      const command = { program: SYSTEMD_NOTIFY, args: [what] };
      const run = await runTool(command, clock, new AbortController().signal, NOTIFY_TIMEOUT_MS);
      if (!run.found) this.warn('systemd-notify is not installed');
      else if (run.code !== 0) this.warn(`systemd-notify ${what}: ${run.stderr.trim()}`);
      else if (what === 'WATCHDOG=1') this.notifiedMs = clock.monotonicMs();
    })();
    this.busy = work;
    await work;
    if (this.busy === work) this.busy = null;
  }

  private warn(message: string): void {
    this.options.log.warn({ code: 'watchdog-unavailable' }, message);
  }
}

/** Two watchdogs at a time: the unit's, which systemd demands, and the one that the configuration names. */
export class BothWatchdogs implements Watchdog {
  private readonly both: readonly Watchdog[];

  constructor(first: Watchdog, second: Watchdog) {
    this.both = [first, second];
  }

  get intervalMs(): number | null {
    const intervals = this.both.map((each) => each.intervalMs).filter((ms) => ms !== null);
    return intervals.length === 0 ? null : Math.min(...intervals);
  }

  ready(): void {
    for (const each of this.both) each.ready();
  }

  alive(): void {
    for (const each of this.both) each.alive();
  }

  async close(): Promise<void> {
    await Promise.all(this.both.map((each) => each.close()));
  }
}

export interface DeviceWatchdogOptions {
  readonly path: string;
  /** File with the timeout of the driver, in seconds as text. */
  readonly timeoutPath: string;
  readonly log: Log;
}

export const WATCHDOG_DEVICE = '/dev/watchdog';
export const WATCHDOG_TIMEOUT = '/sys/class/watchdog/watchdog0/timeout';
/** Where the driver states no timeout; shorter than the default of any known board. */
const FALLBACK_TIMEOUT_S = 10;

/** The watchdog of the board: once opened, it resets the board unless it is written to or closed with a `V`. */
export class DeviceWatchdog implements Watchdog {
  readonly intervalMs: number;
  private readonly options: DeviceWatchdogOptions;
  private file: number | null = null;

  constructor(options: DeviceWatchdogOptions) {
    this.options = options;
    this.intervalMs = (readTimeoutS(options.timeoutPath) * 1000) / 2;
  }

  ready(): void {
    if (this.file !== null) return;
    try {
      this.file = openSync(this.options.path, constants.O_WRONLY);
    } catch (error) {
      this.warn(`cannot be opened: ${systemCode(error) ?? 'unknown'}`);
    }
  }

  alive(): void {
    this.write('\0');
  }

  /** Writes the `V` of the magic close, without which closing the device resets the board. */
  close(): Promise<void> {
    this.write('V');
    if (this.file !== null) closeSync(this.file);
    this.file = null;
    return Promise.resolve();
  }

  private write(text: string): void {
    if (this.file === null) return;
    try {
      writeSync(this.file, text);
    } catch (error) {
      this.warn(`cannot be written: ${systemCode(error) ?? 'unknown'}`);
    }
  }

  private warn(what: string): void {
    this.options.log.warn({ code: 'watchdog-unavailable' }, `${this.options.path} ${what}`);
  }
}

function readTimeoutS(path: string): number {
  try {
    const seconds = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return seconds > 0 ? seconds : FALLBACK_TIMEOUT_S;
  } catch {
    return FALLBACK_TIMEOUT_S;
  }
}
