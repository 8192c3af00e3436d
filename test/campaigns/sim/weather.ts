/** Faults by chance: each number is the probability for one message, attempt or call. */
export interface Weather {
  readonly name: string;
  /** One way over the network, in milliseconds. */
  readonly slowestMs: number;
  /** The connection ends with a message on its way. */
  readonly dropConnection: number;
  /** Nothing passes any longer, and neither side notices. */
  readonly halfOpen: number;
  /** The answer to connects that are not accepted. */
  readonly refuse: 'busy' | 'busy with a hint' | 'credentials' | 'protocol' | 'silence' | 'closed' | null;
  /** The broker acknowledges and forgets. */
  readonly acknowledgedButLost: number;
  readonly quotaExceeded: number;
  readonly duplicateUp: number;
  readonly reorderUp: number;
  /** A message arrives on the topic of another camera. */
  readonly crossUp: number;
  readonly loseDown: number;
  readonly duplicateDown: number;
  readonly reorderDown: number;
  /** A camera receives the answer to another one. */
  readonly crossDown: number;
  readonly storeFails: number;
  /** The longest time of a call of the cloud's store. */
  readonly storeMs: number;
}

export const CALM: Weather = {
  name: 'calm',
  slowestMs: 80,
  dropConnection: 0,
  halfOpen: 0,
  refuse: null,
  acknowledgedButLost: 0,
  quotaExceeded: 0,
  duplicateUp: 0,
  reorderUp: 0,
  crossUp: 0,
  loseDown: 0,
  duplicateDown: 0,
  reorderDown: 0,
  crossDown: 0,
  storeFails: 0,
  storeMs: 5,
};

const spell = (name: string, change: Partial<Weather>): Weather => ({ ...CALM, name, ...change });

/** Spells of weather; one follows another until the faults stop. */
export const SPELLS: readonly [Weather, ...Weather[]] = [
  spell('fair', {}),
  spell('slow', { slowestMs: 9000, storeMs: 4000 }),
  spell('flapping', { dropConnection: 0.15, halfOpen: 0.1, slowestMs: 1500 }),
  spell('forgetful broker', { acknowledgedButLost: 0.6, duplicateUp: 0.2 }),
  spell('lost receipts', { loseDown: 0.7, duplicateDown: 0.3 }),
  spell('twice and out of order', { duplicateUp: 0.5, reorderUp: 0.6, duplicateDown: 0.5, reorderDown: 0.6 }),
  spell('crossed topics', { crossUp: 0.4 }),
  spell('crossed answers', { crossDown: 0.4, duplicateDown: 0.2 }),
  spell('all crossed', { crossUp: 0.3, crossDown: 0.3, loseDown: 0.2 }),
  spell('store fails', { storeFails: 0.4, storeMs: 500 }),
  spell('store gone', { storeFails: 1 }),
  spell('quota', { quotaExceeded: 0.5 }),
  spell('busy', { refuse: 'busy', dropConnection: 0.1 }),
  spell('busy with a hint', { refuse: 'busy with a hint', dropConnection: 0.1 }),
  spell('old broker', { refuse: 'protocol', dropConnection: 0.05 }),
  spell('silent broker', { refuse: 'silence', dropConnection: 0.1 }),
  spell('closing broker', { refuse: 'closed', dropConnection: 0.1 }),
  spell('everything', {
    slowestMs: 3000,
    dropConnection: 0.05,
    halfOpen: 0.03,
    acknowledgedButLost: 0.2,
    duplicateUp: 0.2,
    reorderUp: 0.2,
    crossUp: 0.1,
    loseDown: 0.2,
    duplicateDown: 0.2,
    reorderDown: 0.2,
    crossDown: 0.1,
    storeFails: 0.1,
    storeMs: 2000,
  }),
];

/** At most once in a world: each such refusal keeps a camera away for at least a quarter of an hour. */
export const CREDENTIALS = spell('credentials refused', { refuse: 'credentials', dropConnection: 0.3 });

/** Random decisions of the world, from one stream. */
export interface Dice {
  between(from: number, to: number): number;
  /** Both ends included. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  /** Each order of magnitude is equally likely. */
  logarithmic(from: number, to: number): number;
  one<T>(items: readonly [T, ...T[]]): T;
}

export function makeDice(uniform: () => number): Dice {
  const between = (from: number, to: number): number => from + (to - from) * uniform();
  return {
    between,
    whole: (from, to) => Math.floor(between(from, to + 1)),
    // A draw each time, whatever the probability, so that a change of weather does not shift every later draw.
    chance: (probability) => uniform() < probability,
    logarithmic: (from, to) => Math.exp(between(Math.log(from), Math.log(to))),
    one: (items) => items[Math.floor(uniform() * items.length)] ?? items[0],
  };
}
