import { toHex } from '../../common/bytes.js';
import { timeZone } from '../../common/config/values.js';
import { LIMITS } from '../../common/limits.js';
import { Lru } from '../../common/lru.js';
import * as v from '../../common/schema.js';

/** What a browser wants to hear of, and when. */

const PUSH_KINDS = ['motion', 'tamper', 'loss', 'silent', 'look', 'member'] as const;
export type PushKind = (typeof PUSH_KINDS)[number];

const MINUTES_OF_DAY = 24 * 60;

const kinds = v.pipe(v.array(v.picklist(PUSH_KINDS)), v.maxLength(PUSH_KINDS.length));
const minute = v.int(0, MINUTES_OF_DAY - 1);
const DEVICE = /^[0-9a-f]{64}$/;

export const pushChoices = v.strictObject({
  timeZone: v.pipe(timeZone, v.maxLength(64), v.description('name of the IANA time zone database, for `quiet`')),
  quiet: v.pipe(
    v.array(v.strictObject({ fromMinute: minute, toMinute: minute })),
    v.maxLength(LIMITS.pushQuietMax),
    v.description(
      'minutes of the day, the last one excluded, in which nothing is sent; may go over midnight, and the same minute twice is all day',
    ),
  ),
  kinds,
  cameras: v.pipe(
    v.record(v.string(), kinds),
    v.check(
      (cameras) => {
        const names = Object.keys(cameras);
        return names.length <= LIMITS.pushCamerasMax && names.every((name) => DEVICE.test(name));
      },
      `expected up to ${String(LIMITS.pushCamerasMax)} device ids`,
    ),
    v.description('by device id: these kinds instead of `kinds`'),
  ),
});
export type PushChoices = v.InferOutput<typeof pushChoices>;

/** Returns the choices in a row of the store; null for a row that none of ours wrote. */
export function storedChoices(text: string): PushChoices | null {
  try {
    const result = v.safeParse(pushChoices, JSON.parse(text));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}

/** Returns whether this kind of news of a camera is wanted at all. */
export function isChosen(choices: PushChoices, camera: Uint8Array, kind: PushKind): boolean {
  return (choices.cameras[toHex(camera)] ?? choices.kinds).includes(kind);
}

/** Returns whether nothing is to be sent at this time, in milliseconds since 1970. */
export function isQuiet({ quiet, timeZone: zone }: PushChoices, atMs: number): boolean {
  if (quiet.length === 0) return false;
  const now = minuteOfDay(zone, atMs);
  return quiet.some(({ fromMinute, toMinute }) =>
    fromMinute < toMinute ? now >= fromMinute && now < toMinute : now >= fromMinute || now < toMinute,
  );
}

/** A formatter has the tables of its zone; to make one takes a millisecond. */
const ZONES_MAX = 64;
const formats = new Lru<string, Intl.DateTimeFormat>(ZONES_MAX);

function minuteOfDay(zone: string, atMs: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', minute: 'numeric', hourCycle: 'h23' });
    formats.set(zone, format);
  }
  const parts = format.formatToParts(atMs);
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((part) => part.type === type)?.value);
  return of('hour') * 60 + of('minute');
}
