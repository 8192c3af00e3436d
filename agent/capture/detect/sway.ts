import { displacedRest } from './kernel/evidence.js';
import type { Planes } from './kernel/layout.js';
import type { Track } from './track.js';

/** Sightings before which a comparison says nothing. */
const HITS_MIN = 3;
/** An object is compared no more often: it costs as much as the rest of the frame. */
const OBJECT_EVERY_MS = 500;
/** Share of the slow mean that a comparison forgets. */
const FORGOTTEN_SHARE = 0.2;

/** Compares a track with what was nearby in the background: a balloon, a flag, a curtain that swayed to where it is now. */
export function measureSway(track: Track, timeMs: number, planes: Planes, gain: number): void {
  if (track.hits < HITS_MIN) return;
  if (track.nature === 'object' && timeMs - track.comparedMs < OBJECT_EVERY_MS) return;
  const foreign = displacedRest(track.blob, planes, gain);
  // By area: the first small piece of somebody, in front of a car say, resembles almost anything.
  track.comparedArea = track.comparedArea * (1 - FORGOTTEN_SHARE) + track.blob.area;
  track.foreign += ((foreign - track.foreign) * track.blob.area) / track.comparedArea;
  track.comparedMs = timeMs;
}
