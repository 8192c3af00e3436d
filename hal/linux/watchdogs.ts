import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { Clock } from '../../common/clock.js';
import { systemCode } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Watchdog } from '../peripherals.js';
import { runTool } from './child.js';

/** There is none: nothing restarts the camera but whoever started it. */
export class NoWatchdog implements Watchdog {
  readonly intervalMs = null;

  ready(): void {
    // Nobody waits for it.
  }

  alive(): void {
    // Nobody listens.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface SystemdWatchdogOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are systemd's. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Log;
}

const NOTIFY_TIMEOUT_MS = 5000;

/**
 * Tells systemd through `systemd-notify`, because Node has no Unix datagram sockets. The message therefore comes from a
 * child: the unit needs NotifyAccess=all, or systemd ignores it and restarts a camera that is well.
 */
export class SystemdWatchdog implements Watchdog {
  readonly intervalMs: number | null;
  private readonly options: SystemdWatchdogOptions;
  private readonly isAsked: boolean;
  private busy: Promise<void> | null = null;
  private isClosed = false;

  constructor(options: SystemdWatchdogOptions) {
    const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = options.environment;
    this.options = options;
    this.isAsked = socket !== '';
    const timeoutMs = Number(micros) / 1000;
    // WATCHDOG_PID names whom it is meant for; a child that inherits the variables is not.
    const isMeant = pid === undefined || pid === String(options.pid);
    this.intervalMs = this.isAsked && isMeant && timeoutMs > 0 ? Math.floor(timeoutMs / 2) : null;
  }

  ready(): void {
    if (this.isAsked) void this.notify('READY=1');
    else this.warn('systemd did not start this process with Type=notify');
  }

  alive(): void {
    // One that hangs is given up by its time limit; a second one beside it would not get through either.
    if (this.isClosed || this.intervalMs === null || this.busy !== null) return;
    void this.notify('WATCHDOG=1');
  }

  async close(): Promise<void> {
    if (this.isClosed || !this.isAsked) return;
    this.isClosed = true;
    await this.busy;
    await this.notify('STOPPING=1');
  }

  private async notify(what: string): Promise<void> {
    const { clock } = this.options;
    const before = this.busy;
    const work = (async () => {
      await before;
      const command = { program: 'systemd-notify', args: [what] };
      const run = await runTool(command, clock, new AbortController().signal, NOTIFY_TIMEOUT_MS);
      if (!run.found) this.warn('there is no systemd-notify');
      else if (run.code !== 0) this.warn(`systemd-notify ${what}: ${run.stderr.trim()}`);
    })();
    this.busy = work;
    await work;
    if (this.busy === work) this.busy = null;
  }

  private warn(message: string): void {
    this.options.log.warn({ code: 'watchdog-unavailable' }, message);
  }
}

export interface DeviceWatchdogOptions {
  readonly path: string;
  /** The driver's own timeout in seconds, as text. */
  readonly timeoutPath: string;
  readonly log: Log;
}

export const WATCHDOG_DEVICE = '/dev/watchdog';
export const WATCHDOG_TIMEOUT = '/sys/class/watchdog/watchdog0/timeout';
/** Shorter than any that boards come with, where the driver does not say. */
const FALLBACK_TIMEOUT_S = 10;

/** The board's own watchdog: once opened it resets the board unless it is written to, or closed with a `V`. */
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

  /** The magic close: without it a stop on purpose would end in a reset. */
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
