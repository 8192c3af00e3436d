/**
 * Cost of some work beside its floor: the least that the work could cost, or the cost of a simpler way, timed in the
 * same run.
 */
export interface Figure {
  readonly name: string;
  /** Median microseconds of one call. */
  readonly us: number;
  readonly floor: string;
  readonly floorUs: number;
  /** us / floorUs, from pairs that ran one after the other. */
  readonly ratio: number;
  /** Between which ratios the pairs lay, without the lowest and the highest of them; null where there were no pairs. */
  readonly spread: readonly [number, number] | null;
}

type Work = () => unknown;

/** Returns microseconds since a fixed moment. */
type Stopwatch = () => number;
const wallUs: Stopwatch = () => Number(process.hrtime.bigint()) / 1000;
/** CPU time of this process and all its threads, which other load on the machine does not distort. */
export const cpuUs: Stopwatch = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Returns the mean microseconds of one call. */
async function timeOf(work: Work, calls: number, now: Stopwatch): Promise<number> {
  const startedUs = now();
  for (let i = 0; i < calls; i++) {
    const result = work();
    if (result instanceof Promise) await result;
  }
  return (now() - startedUs) / calls;
}

/** Returns the middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const ROUNDS = 15;
const ROUND_MS = 40;

export interface Comparison {
  readonly name: string;
  readonly work: Work;
  /** Name of the floor. */
  readonly floor: string;
  readonly floorWork: Work;
  /** Wall time without it. */
  readonly now?: Stopwatch;
}

/** Times work and floor in alternation, so that other load on the machine affects both. */
export async function compare({ name, work, floor, floorWork, now = wallUs }: Comparison): Promise<Figure> {
  // The first calls warm up the compiler; the next ones show how many calls fit in a round.
  const calls = async (of: Work): Promise<number> => {
    await timeOf(of, 3, now);
    return Math.max(1, Math.round((ROUND_MS * 1000) / (await timeOf(of, 3, now))));
  };
  const workCalls = await calls(work);
  const floorCalls = await calls(floorWork);
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++)
    pairs.push([await timeOf(work, workCalls, now), await timeOf(floorWork, floorCalls, now)]);
  return figureOf(name, floor, pairs);
}

/** Makes the figure of microseconds that were measured in pairs: of the work, and of its floor. */
export function figureOf(name: string, floor: string, pairs: readonly (readonly [number, number])[]): Figure {
  const ratios = pairs.map(([us, floorUs]) => us / floorUs).sort((a, b) => a - b);
  return {
    name,
    us: round(median(pairs.map(([us]) => us))),
    floor,
    floorUs: round(median(pairs.map(([, us]) => us))),
    ratio: round(median(ratios)),
    spread: [round(ratios[1] ?? NaN), round(ratios.at(-2) ?? NaN)],
  };
}

/** Like {@link compare}, for the longest time for which the work kept everything else from running. */
export async function longestWait({ name, work, floor, floorWork }: Omit<Comparison, 'now'>): Promise<Figure> {
  const waitOf = async (of: Work): Promise<number> => {
    let isDone = false;
    let longest = 0;
    let last = process.hrtime.bigint();
    const tick = (): void => {
      const now = process.hrtime.bigint();
      longest = Math.max(longest, Number(now - last) / 1000);
      last = now;
      if (!isDone) setImmediate(tick);
    };
    setImmediate(tick);
    await of();
    isDone = true;
    tick();
    return longest;
  };
  const pairs: [number, number][] = [];
  for (let i = 0; i < ROUNDS; i++) pairs.push([await waitOf(work), await waitOf(floorWork)]);
  return figureOf(name, floor, pairs);
}

/** Rounds to three significant digits. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
