import { displacedRest } from './kernel/evidence.js';
import type { Planes } from './kernel/layout.js';
import type { Track } from './track.js';

/** Sightings before which a comparison says nothing. */
const HITS_MIN = 3;
/** An object is compared no more often: it costs as much as the rest of the frame. */
const OBJECT_EVERY_MS = 500;
/** Weight of one comparison in the slow mean. */
const WEIGHT = 0.3;

/** Compares a track with what was nearby in the background: a balloon, a flag, a curtain that swayed to where it is now. */
export function measureSway(track: Track, timeMs: number, planes: Planes, gain: number): void {
  if (track.hits < HITS_MIN) return;
  if (track.nature === 'object' && timeMs - track.comparedMs < OBJECT_EVERY_MS) return;
  const foreign = displacedRest(track.blob, planes, gain);
  track.foreign = track.foreign === null ? foreign : track.foreign + (foreign - track.foreign) * WEIGHT;
  track.comparedMs = timeMs;
}
