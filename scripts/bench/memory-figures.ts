import { slopeOf } from '../least-squares.js';

/** Memory of one process, as the kernel counts it. */
export interface MemorySample {
  readonly atS: number;
  /** Own memory: heap, stacks, what no file backs. */
  readonly anonKiB: number;
  /** Pages of files, mostly code, which the kernel can drop and read again. */
  readonly fileKiB: number;
  readonly rssKiB: number;
  /** What its control group is charged with, page cache included; null where it has none of its own. */
  readonly cgroupKiB: number | null;
}

export interface MemoryFigures {
  /** Means of the last third. */
  readonly agentRssAnonMiB: number;
  readonly agentRssFileMiB: number;
  readonly agentRssMiB: number;
  readonly cgroupMiB: number | null;
  readonly agentPeakRssAnonMiB: number;
  /** Mean own memory in each third of the time. */
  readonly thirdsRssAnonMiB: readonly number[];
  /** How much the last third is above the middle one. */
  readonly lastOverMiddleMiB: number;
  /** Growth of own memory by least squares over the last two thirds; null with fewer than three samples there. */
  readonly slopeMiBPerHour: number | null;
  readonly samples: readonly MemorySample[];
}

/** Summarizes samples that were taken at equal intervals. @throws Error with fewer than three */
export function memoryFigures(samples: readonly MemorySample[]): MemoryFigures {
  if (samples.length < 3) throw new Error('memory was sampled less than three times');
  const bound = (third: number): number => Math.round((samples.length * third) / 3);
  const thirds = [0, 1, 2].map((third) => samples.slice(bound(third), bound(third + 1)));
  const [, middle = [], last = []] = thirds;
  const anon = ({ anonKiB }: MemorySample): number => anonKiB;
  const settled = [...middle, ...last];
  const slope = settled.length < 3 ? null : slopeOf(settled.map((sample) => [sample.atS / 3600, sample.anonKiB]));
  const charged = last.flatMap(({ cgroupKiB }) => (cgroupKiB === null ? [] : [cgroupKiB]));
  return {
    agentRssAnonMiB: toMiB(mean(last.map(anon))),
    agentRssFileMiB: toMiB(mean(last.map(({ fileKiB }) => fileKiB))),
    agentRssMiB: toMiB(mean(last.map(({ rssKiB }) => rssKiB))),
    cgroupMiB: charged.length === 0 ? null : toMiB(mean(charged)),
    agentPeakRssAnonMiB: toMiB(Math.max(...samples.map(anon))),
    thirdsRssAnonMiB: thirds.map((third) => toMiB(mean(third.map(anon)))),
    lastOverMiddleMiB: toMiB(mean(last.map(anon)) - mean(middle.map(anon))),
    slopeMiBPerHour: slope === null ? null : toMiB(slope),
    samples,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function toMiB(kib: number): number {
  return Math.round((kib / 1024) * 100) / 100;
}
