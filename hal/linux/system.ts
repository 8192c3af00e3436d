import { existsSync, readFileSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { Clock } from '../../common/clock.js';
import { fromHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import { readThrottled } from './throttled.js';
import type { ClockQuality, System, SystemClock, SystemStatus } from '../system.js';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const TEMPERATURE = '/sys/class/thermal/thermal_zone0/temp';
/** systemd-timesyncd creates this file once it has set the clock from the network. */
const NTP_SYNCHRONIZED = '/run/systemd/timesync/synchronized';
const RTC_DEVICE = '/sys/class/rtc/rtc0';

/** Returns the boot id of the kernel; `fallback` where it has none (macOS), which changes with every start of the process. */
export function readBootId(fallback: () => Uint8Array): Uint8Array {
  try {
    const text = readFileSync(BOOT_ID, 'utf8').trim().replaceAll('-', '');
    return fromHex(text, 16) ?? fallback();
  } catch {
    return fallback();
  }
}

/** Describes the source of the time for `sealcam doctor`. Without a clock chip a boot starts at the last shutdown's time. */
export function clockSource(): string {
  if (existsSync(NTP_SYNCHRONIZED)) return 'set from the network';
  return existsSync(RTC_DEVICE)
    ? 'from the clock chip, not checked against the network'
    : 'no clock chip, no network time seen';
}

/** The clocks of the kernel. */
export class LinuxSystemClock implements SystemClock {
  readonly bootId: Uint8Array;
  private readonly clock: Clock;
  private readonly floorMs: number;

  /** A wall clock before `floorMs`, the build time of this program, was never set. */
  constructor(clock: Clock, bootId: Uint8Array, floorMs: number) {
    this.clock = clock;
    this.bootId = bootId;
    this.floorMs = floorMs;
  }

  monotonicMs(): number {
    return Number(process.hrtime.bigint() / 1_000_000n);
  }

  wall(): { readonly ms: number | null; readonly quality: ClockQuality } {
    const ms = this.clock.wallMs();
    if (ms < this.floorMs) return { ms: null, quality: 'unset' };
    return { ms, quality: existsSync(NTP_SYNCHRONIZED) ? 'ntp' : 'rtc' };
  }
}

/** Uptime, temperature, free space and power problems of a Linux board. */
export class LinuxSystem implements System {
  private readonly folder: string;
  private readonly clock: Clock;

  /** `folder` is on the file system whose free space is reported. */
  constructor(folder: string, clock: Clock) {
    this.folder = folder;
    this.clock = clock;
  }

  async status(): Promise<SystemStatus> {
    try {
      const { bavail, bsize } = await statfs(this.folder);
      const [temperatureDeciC, warnings] = await Promise.all([temperature(), readThrottled(this.clock)]);
      return { uptimeS: Math.floor(uptime()), temperatureDeciC, freeBytes: bavail * bsize, warnings };
    } catch (cause) {
      throw new SealcamError('store-unavailable', `the free space of ${this.folder} cannot be read`, { cause });
    }
  }
}

async function temperature(): Promise<number | null> {
  const text = await readFile(TEMPERATURE, 'utf8').catch(() => '');
  const milli = Number.parseInt(text, 10);
  return Number.isFinite(milli) ? Math.round(milli / 100) : null;
}
