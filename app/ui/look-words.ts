import type { LookReason } from '../core/look-state.js';
import type { PastLook } from '../core/looks.js';
import type { CameraView } from '../core/session-view.js';
import { dayName, duration } from './format.js';

/** What a person reads when a look is over. */
export const LOOK_REASONS: Readonly<Record<LookReason, string>> = {
  expired: 'The time that you ordered is over.',
  'viewer-left': 'The camera ended it: nobody was watching any more.',
  privacy: 'The owner switched privacy mode on.',
  schedule: 'A private time of this camera has begun.',
  'claim-changed': 'The ownership of this camera has changed.',
  'camera-failed': 'The camera has no picture.',
  disconnected: 'The camera lost its connection.',
  ended: 'The camera ended it.',
  closed: 'You ended it here. The camera is dark again in a moment, or when the time that you ordered is over.',
  'cut-off': 'Cut off: the camera’s last message did not come.',
  unanswered: 'The camera did not answer. Nothing can be seen with this order any more.',
  refused: 'The camera refused.',
  failed: 'The cloud does not pass it on.',
};

/** How a look ended, after the words that say how long it was; nothing where its time was over. */
const ENDINGS: Readonly<Record<NonNullable<PastLook['end']>['reason'], string>> = {
  expired: '',
  'viewer-left': '',
  privacy: ', until privacy mode',
  schedule: ', until a private time',
  'claim-changed': ', until the ownership changed',
  'camera-failed': ', until the camera failed',
  disconnected: ', until the connection broke',
};

/** Returns whether somebody beside the camera can see that it is looked through, as its newest report says. */
export function lightSentence(
  { health }: CameraView,
  isLive: boolean,
): { readonly sentence: string; readonly tone: string } {
  const hasLight = health !== null && 'light' in health.body ? health.body.light : null;
  if (hasLight === null) {
    return {
      sentence: 'You are seen where the camera has a light. It has not said yet whether it has one.',
      tone: 'wait',
    };
  }
  if (!hasLight) {
    return {
      sentence:
        'This camera has no light: nobody beside it sees that you look. Its history shows it to your household.',
      tone: 'warn',
    };
  }
  return isLive
    ? { sentence: 'You are seen: the light on the camera is on.', tone: 'good' }
    : { sentence: 'You will be seen: the light on the camera goes on before the first picture.', tone: 'wait' };
}

const minuteClock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
/** The latest time that JavaScript's calendar holds (ECMA-262, time values). */
const TIME_MAX_MS = 8.64e15;

/** "yesterday at 18:03", "on Monday, 23 November at 18:03" */
function dayAndTime(ms: number, nowMs: number): string {
  if (Math.abs(ms) > TIME_MAX_MS) return 'at an unknown time';
  const day = dayName(ms, nowMs);
  const isNear = day === 'Today' || day === 'Yesterday';
  return `${isNear ? day.toLowerCase() : `on ${day}`} at ${minuteClock.format(ms)}`;
}

/** Without its end a look that began longer ago than this is over: no budget is larger. */
const OVER_AFTER_MS = 15 * 60_000;

/**
 * "Anna looked for 42 s yesterday at 18:03"
 *
 * @param who who ordered it; null where its order is not here
 */
export function lookSentence({ isOrdered, end, atMs }: PastLook, who: string | null, nowMs: number): string {
  const when = dayAndTime(atMs, nowMs);
  if (!isOrdered) return `Somebody looked ${when}, and nobody of your household ordered it.`;
  const name = who === null ? 'Somebody' : who.charAt(0).toUpperCase() + who.slice(1);
  if (end !== null) {
    const rest = who === null ? ' The record of who it was is not loaded.' : '';
    return `${name} looked for ${duration(end.seconds * 1000)} ${when}${ENDINGS[end.reason]}.${rest}`;
  }
  if (nowMs - atMs > OVER_AFTER_MS) return `${name} looked ${when}; how long is not known here.`;
  return `${name} ${who === 'you' ? 'are' : 'is'} looking since ${when}.`;
}
