import type { Reason } from './observation.js';

/** Each reason in words, for the console and for sheets. */
export const REASON_TEXTS: Readonly<Record<Reason, string>> = {
  motion: 'something moves: an event is raised or goes on',
  still: 'nothing moves',
  starting: 'the camera has just started and learns what it sees',
  light: 'the light changed',
  'too-small': 'what moves is smaller than the sensitivity asks for',
  'too-short': 'it has not moved for long enough yet',
  'outside-zones': 'what moves is outside all zones',
  'small-for-zone': 'what moves is smaller than its zone asks for',
  'off-schedule': 'something moves, at a time at which the schedule wants no events',
  resized: 'the picture has another size than before',
  erratic: 'what moves is here and there, as rain, snow and insects are',
  left: 'something left, or was put down: the background learns it',
};
