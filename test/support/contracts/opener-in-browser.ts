import { Opener, type OpeningSecrets } from '../../../app/core/opener.js';
import { startOpenerThread } from '../../../app/ui/opener-thread.js';
import { subtleSeals } from '../../../app/ui/subtle-seals.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { isSealcamError } from '../../../common/errors.js';
import type { CryptoSuite } from '../../../protocol/crypto/suite.js';
import { tweetnaclSuite } from '../../../protocol/crypto/tweetnacl.js';
import type { SealedContent } from '../../../protocol/seal/content.js';
import type { Trial } from '../seal-vectors.js';

/** What opening gave: the content, or code and sentence of the refusal, as text that can be compared. */
export type Outcome = string;

/** An opening, or several, as text: bytes do not pass from a test into a browser. */
export type OpeningsText = string;

declare global {
  interface Window {
    /** Opens in the page's own thread, periods by the browser's X-Wing where it has it, or by the library. */
    openHere: (openings: OpeningsText, by: 'browser' | 'library') => Promise<Outcome[]>;
    /** Opens as the page does, all with the key of the first. */
    openAsPage: (openings: OpeningsText) => Promise<Outcome[]>;
    /** Opens in the worker alone, all with the key of the first: this thread has neither the key nor the primitives. */
    openThere: (openings: OpeningsText) => Promise<Outcome[]>;
    /** Returns which scripts the page's policy let through beside its own worker's. */
    tryOtherScripts: () => string[];
  }
}

const BYTES = 'bytes:';
const POLL_MS = 20;

function openingsOf(text: OpeningsText): readonly Trial[] {
  return JSON.parse(text, (_name, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(BYTES)) return value;
    const numbers = value.slice(BYTES.length);
    return Uint8Array.from(numbers === '' ? [] : numbers.split(','), Number);
  }) as readonly Trial[];
}

function outcomeOf(content: SealedContent): Outcome {
  return JSON.stringify(content, (_name, value: unknown) =>
    value instanceof Uint8Array ? `${BYTES}${value.join()}` : value,
  );
}

function refusalOf(error: unknown): Outcome {
  return isSealcamError(error) ? `${error.code}: ${error.message}` : String(error);
}

const NOT_HERE = 'not in this thread';
const notHere = (): never => {
  throw new Error(NOT_HERE);
};
const nothingHere: CryptoSuite = {
  name: 'tweetnacl',
  sha256: notHere,
  hmacSha256: notHere,
  ed25519Signer: notHere,
  ed25519VerifyLoose: notHere,
  x25519PublicKey: notHere,
  x25519: notHere,
  chachaSeal: notHere,
  chachaOpen: notHere,
};
const NO_KEYS: OpeningSecrets = {
  recipient: { secret: new Uint8Array(32), publicKey: new Uint8Array(32) },
  kemSeed: new Uint8Array(32),
};

function openWith(opener: Opener, trial: Trial): Promise<Outcome> {
  return opener.open(trial).then(outcomeOf, refusalOf);
}

async function openAllWith(opener: Opener, trials: readonly Trial[]): Promise<Outcome[]> {
  return Promise.all(trials.map((trial) => openWith(opener, trial)));
}

function firstOf(openings: readonly Trial[]): Trial {
  const [first] = openings;
  if (first === undefined) throw new Error('nothing to open');
  return first;
}

window.openHere = (text, by) => {
  const trials = openingsOf(text);
  const subtle = by === 'browser' ? subtleSeals() : undefined;
  const { keys } = firstOf(trials);
  const common = { suite: tweetnaclSuite, keys, clock: realClock };
  return openAllWith(new Opener({ ...common, ...(subtle === undefined ? {} : { subtle }) }), trials);
};

window.openAsPage = async (text) => {
  const openings = openingsOf(text);
  const { keys } = firstOf(openings);
  const opener = new Opener({ suite: tweetnaclSuite, keys, clock: realClock });
  startOpenerThread(opener, keys);
  return openAllWith(opener, openings);
};

window.openThere = async (text) => {
  const openings = openingsOf(text);
  const first = firstOf(openings);
  const opener = new Opener({ suite: nothingHere, keys: NO_KEYS, clock: realClock });
  startOpenerThread(opener, first.keys);
  const isThere = async (): Promise<boolean> => !(await openWith(opener, first)).includes(NOT_HERE);
  while (!(await isThere())) await sleep(realClock, POLL_MS);
  const outcomes = await openAllWith(opener, openings);
  // The worker is given up for good, so it answered all of them if it answers still.
  if (!(await isThere())) throw new Error('the worker was given up');
  return outcomes;
};

window.tryOtherScripts = () => {
  const passes = (attempt: () => unknown): boolean => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  };
  const rules = { createScriptURL: (url: string) => url };
  const attempts: Readonly<Record<string, () => unknown>> = {
    'a worker of another file': () => new Worker('contract.js'),
    'a worker from text': () => new Worker(URL.createObjectURL(new Blob(['']))),
    'a policy of another name': () => window.trustedTypes?.createPolicy('other', rules),
    'a second policy of the same name': () => window.trustedTypes?.createPolicy('sealcam-opener', rules),
  };
  startOpenerThread(new Opener({ suite: nothingHere, keys: NO_KEYS, clock: realClock }), NO_KEYS);
  return Object.entries(attempts).flatMap(([name, attempt]) => (passes(attempt) ? [name] : []));
};
