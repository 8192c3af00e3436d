import { existsSync, readFileSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { Clock } from '../../common/clock.js';
import { fromHex } from '../../common/bytes.js';
import { SealcamError } from '../../common/errors.js';
import type { ClockQuality, System, SystemClock, SystemStatus } from '../system.js';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const TEMPERATURE = '/sys/class/thermal/thermal_zone0/temp';
/** systemd-timesyncd touches it once the clock was set from the network. */
const NTP_SYNCHRONIZED = '/run/systemd/timesync/synchronized';

/** The kernel's boot id; `fallback` where there is none (macOS), new with every start of the process. */
export function readBootId(fallback: () => Uint8Array): Uint8Array {
  try {
    const text = readFileSync(BOOT_ID, 'utf8').trim().replaceAll('-', '');
    return fromHex(text, 16) ?? fallback();
  } catch {
    return fallback();
  }
}

export class LinuxSystemClock implements SystemClock {
  readonly bootId: Uint8Array;
  private readonly clock: Clock;
  private readonly floorMs: number;

  /** A wall clock below `floorMs`, the time this program was built, was never set. */
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

export class LinuxSystem implements System {
  private readonly folder: string;

  /** `folder` is where free space counts. */
  constructor(folder: string) {
    this.folder = folder;
  }

  async status(): Promise<SystemStatus> {
    try {
      const { bavail, bsize } = await statfs(this.folder);
      return { uptimeS: Math.floor(uptime()), temperatureDeciC: await temperature(), freeBytes: bavail * bsize };
    } catch (cause) {
      throw new SealcamError('store-unavailable', `${this.folder} cannot be looked at`, { cause });
    }
  }
}

async function temperature(): Promise<number | null> {
  const text = await readFile(TEMPERATURE, 'utf8').catch(() => '');
  const milli = Number.parseInt(text, 10);
  return Number.isFinite(milli) ? Math.round(milli / 100) : null;
}
