import { equal } from '../../common/bytes.js';
import type { KnownEpoch } from './storage.js';

/**
 * Returns what a browser knows of an epoch of which its service worker learned something: never less than before. The page may
 * be open meanwhile, and have followed the history further than the worker.
 *
 * @param stored what is stored now; undefined where the epoch is new
 */
export function withLearned(stored: KnownEpoch | undefined, learned: KnownEpoch): KnownEpoch {
  if (stored === undefined) return learned;
  if (!equal(stored.claim, learned.claim)) {
    // A claim that the camera accepted stays. One that it never answered gives way, as it does in the page.
    return !stored.isAccepted && learned.isAccepted ? learned : stored;
  }
  const isFurther = learned.head !== null && learned.head.seq > (stored.head?.seq ?? -1);
  const accept = stored.accept ?? learned.accept;
  return {
    ...stored,
    isAccepted: stored.isAccepted || learned.isAccepted,
    head: isFurther ? learned.head : stored.head,
    ...(accept === undefined ? {} : { accept }),
  };
}
