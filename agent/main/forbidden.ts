import type { RecordTime } from '../../protocol/objects/record.js';
import type { Schedule } from '../capture/schedule.js';
import type { Config } from '../config/keys.js';
import { captureSettings } from './settings.js';

/** Returns why nothing may be filmed or shown at a monotonic time; null where it may. */
export function forbiddenBy(
  config: () => Config,
  isPrivate: () => boolean,
  timeOf: (monotonicMs: number) => RecordTime,
): (monotonicMs: number) => 'privacy' | 'off-schedule' | null {
  const scheduleNow = scheduleOf(config);
  return (monotonicMs) => {
    if (isPrivate()) return 'privacy';
    const { wallMs } = timeOf(monotonicMs);
    // As for events: while the clock was never set, no schedule applies.
    return wallMs === null || scheduleNow()?.includes(wallMs) !== false ? null : 'off-schedule';
  };
}

/** Returns the schedule in force: one for each configuration, since it keeps what it computed. */
function scheduleOf(config: () => Config): () => Schedule | undefined {
  let of: Config | null = null;
  let schedule: Schedule | undefined;
  return () => {
    const now = config();
    if (now !== of) ({ schedule } = captureSettings(now));
    of = now;
    return schedule;
  };
}
