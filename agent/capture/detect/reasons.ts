import type { Reason } from './observation.js';

/** Each reason in words, for the console and for sheets. */
export const REASON_TEXTS: Readonly<Record<Reason, string>> = {
  motion: 'something moves: an event starts or continues',
  still: 'nothing moves',
  starting: 'the camera has just started and learns the scene',
  light: 'the light changed',
  'too-small': 'the motion is smaller than the sensitivity requires',
  'too-short': 'the motion has not lasted long enough yet',
  'outside-zones': 'the motion is outside all zones',
  'small-for-zone': 'the motion is smaller than its zone requires',
  'off-schedule': 'something moves outside the schedule',
  resized: 'the size of the picture changed',
  erratic: 'the motion is erratic, like rain, snow or insects',
  left: 'something left or was put down, and the background learns it',
};
