/** One figure beside its floor: what the same work costs at least, or what a plainer way costs, in the same run. */
export interface Figure {
  readonly name: string;
  /** Median microseconds of one call. */
  readonly us: number;
  readonly floor: string;
  readonly floorUs: number;
  /** us / floorUs, from pairs that ran one after the other. */
  readonly ratio: number;
}

type Work = () => unknown;

type Stopwatch = () => number;
const wallUs: Stopwatch = () => Number(process.hrtime.bigint()) / 1000;
/** Of this process and all its threads: what a busy machine does not distort. */
export const cpuUs: Stopwatch = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Microseconds of one call. */
async function timeOf(work: Work, calls: number, now: Stopwatch): Promise<number> {
  const begun = now();
  for (let i = 0; i < calls; i++) {
    const result = work();
    if (result instanceof Promise) await result;
  }
  return (now() - begun) / calls;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const ROUNDS = 15;
const ROUND_MS = 40;

/** Times work and floor in alternation, so that what else the machine does hits both. */
export async function compare(
  ...[name, work, floor, floorWork, now = wallUs]: [string, Work, string, Work, Stopwatch?]
): Promise<Figure> {
  // The first calls compile, and say how many fit in a round.
  const calls = async (of: Work): Promise<number> => {
    await timeOf(of, 3, now);
    return Math.max(1, Math.round((ROUND_MS * 1000) / (await timeOf(of, 3, now))));
  };
  const [n, m] = [await calls(work), await calls(floorWork)];
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++)
    pairs.push([await timeOf(work, n, now), await timeOf(floorWork, m, now)]);
  return figureOf(name, floor, pairs);
}

function figureOf(name: string, floor: string, pairs: readonly (readonly [number, number])[]): Figure {
  return {
    name,
    us: round(median(pairs.map(([us]) => us))),
    floor,
    floorUs: round(median(pairs.map(([, us]) => us))),
    ratio: round(median(pairs.map(([us, floorUs]) => us / floorUs))),
  };
}

/** Like `compare`, of the longest time in which nothing else had its turn while the work went on. */
export async function longestWait(name: string, work: Work, floor: string, floorWork: Work): Promise<Figure> {
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

export function round(value: number): number {
  return Number(value.toPrecision(3));
}
