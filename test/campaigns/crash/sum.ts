import type { Verdict } from './oracle.js';

/** What all verdicts of a run say together. */
export interface Sum {
  cycles: number;
  committed: number;
  lost: number;
  duplicated: number;
  dropped: number;
  /** Bodies of clips reported as bound to a record. */
  bound: number;
  /** Cuts between the commit of a key record and what is sealed in its period. */
  between: number;
  /** Times that a picture of version 2 was opened. */
  opened: number;
  /** Pictures that nobody could open. */
  unopenable: number;
  /** Ids of all periods that were there, in hex. */
  readonly periods: Set<string>;
  /** Every violation, with the camera and the life that repeats it. */
  readonly wrong: string[];
}

export function emptySum(): Sum {
  return {
    cycles: 0,
    committed: 0,
    lost: 0,
    duplicated: 0,
    dropped: 0,
    bound: 0,
    between: 0,
    opened: 0,
    unopenable: 0,
    periods: new Set(),
    wrong: [],
  };
}

/** Adds a verdict to the sum; `where` names its camera, life and moment. */
export function addVerdict(sum: Sum, verdict: Verdict, where: string): void {
  const { openable } = verdict;
  sum.cycles++;
  sum.lost += verdict.lost.length;
  sum.duplicated += verdict.duplicated.length;
  sum.between += verdict.isBetween ? 1 : 0;
  sum.opened += openable.opened;
  sum.unopenable += openable.unopenable.length;
  for (const period of openable.periods) sum.periods.add(period);
  const named = [
    ...verdict.lost.map((place) => `${place} is lost`),
    ...verdict.duplicated.map((place) => `${place} exists twice`),
    ...verdict.wrong,
  ];
  sum.wrong.push(...named.map((what) => `${where}: ${what}`));
}
