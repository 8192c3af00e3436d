/** The quarantine keeps this many of the newest refusals. */
export const QUARANTINE_MAX = 10_000;
export const QUARANTINE_BYTES_MAX = 16 * 1024;
export const ALARMS_PER_PLACE_MAX = 10_000;
export const REASON_MAX = 200;
