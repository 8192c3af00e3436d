import { Opener, type Opening, type OpeningSecrets } from '../../../app/core/opener.js';
import { subtleSeals } from '../../../app/ui/subtle-seals.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { fromBase64 } from '../../../common/bytes.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';

declare global {
  interface Window {
    /**
     * Opens each of these, in the page's own thread, as often as asked. Returns the milliseconds of each round for one object;
     * the first round of suite 2 opens its period too.
     */
    timeOpening: (text: string, by: 'browser' | 'library', rounds: number) => Promise<number[]>;
  }
}

interface Work {
  readonly keys: OpeningSecrets;
  readonly openings: readonly Opening[];
}

const BYTES = 'base64:';

window.timeOpening = async (text, by, rounds) => {
  const { keys, openings } = JSON.parse(text, (_name, value: unknown) =>
    typeof value === 'string' && value.startsWith(BYTES) ? fromBase64(value.slice(BYTES.length)) : value,
  ) as Work;
  const subtle = by === 'browser' ? subtleSeals() : undefined;
  const opener = new Opener({
    suite: tweetnaclSuite,
    keys,
    clock: realClock,
    ...(subtle === undefined ? {} : { subtle }),
  });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    for (const opening of openings) await opener.open(opening);
    times.push((performance.now() - startMs) / openings.length);
  }
  return times;
};
