import { LIMITS } from '../../common/limits.js';
import * as v from '../../common/schema.js';
import { HASH_BYTES } from '../../protocol/objects/ids.js';

/** What a person may be notified of, in the order of the settings. */
export const PUSH_KINDS = ['motion', 'tamper', 'loss', 'silent', 'look', 'member'] as const;
export type PushKind = (typeof PUSH_KINDS)[number];

const MINUTES_A_DAY = 24 * 60;

const kinds = v.pipe(v.array(v.picklist(PUSH_KINDS)), v.maxLength(PUSH_KINDS.length));
const minute = v.int(0, MINUTES_A_DAY - 1);

/** What one browser is sent. The cloud holds to it, so it reads it: it names no more than that takes. */
export const pushChoices = v.object({
  /** IANA name, in which the quiet hours are meant. */
  timeZone: v.pipe(v.string(), v.maxLength(64)),
  /** In which nothing is sent; minutes of the day, over midnight where the end is before the beginning. */
  quiet: v.pipe(v.array(v.object({ fromMinute: minute, toMinute: minute })), v.maxLength(LIMITS.pushQuietMax)),
  kinds,
  /** By hex of the device id, the kinds of a camera that differs from the others. */
  cameras: v.pipe(
    v.record(v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${String(2 * HASH_BYTES)}}$`, 'u'))), kinds),
    v.check((cameras) => Object.keys(cameras).length <= LIMITS.pushCamerasMax, 'too many cameras'),
  ),
});
export type PushChoices = v.InferOutput<typeof pushChoices>;

/** Returns what a browser is sent before its person chose anything. */
export function firstChoices(timeZone: string): PushChoices {
  return { timeZone, quiet: [], kinds: [...PUSH_KINDS], cameras: {} };
}
