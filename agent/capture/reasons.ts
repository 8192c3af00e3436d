import type { Reason } from './detector.js';

/** What each reason says to a person, on the console and on a sheet. */
export const MEANS: Readonly<Record<Reason, string>> = {
  motion: 'something moves: an event is raised or goes on',
  still: 'nothing moves',
  starting: 'the camera has just started and learns what it sees',
  light: 'the light changed',
  'too-small': 'what moves is smaller than the sensitivity asks for',
  'too-short': 'it has not moved for long enough yet',
  'outside-zones': 'what moves is outside all zones',
  resized: 'the picture has another size than before',
  erratic: 'what moves is here and there, as rain, snow and insects are',
  left: 'something left, or was put down: the background learns it',
};
