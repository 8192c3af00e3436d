/** What the clips of a camera are made of, in the order in which the runs are measured. */
export const CLIP_CODECS = ['off', 'jpeg', 'h264'] as const;
type ClipCodec = (typeof CLIP_CODECS)[number];

export interface ClipSample {
  readonly atS: number;
  /** Own memory of the agent. */
  readonly anonKiB: number;
  /** Own memory of the agent and of everything that it started. */
  readonly groupAnonKiB: number;
  /** What its control group is charged with, files in memory included; null where it has none of its own. */
  readonly cgroupKiB: number | null;
}

/** One run of the agent, with one codec. */
export interface ClipRun {
  readonly codec: ClipCodec;
  readonly samples: readonly ClipSample[];
  /** Processor time of the agent. */
  readonly cpuS: number;
  readonly stopped: StoppedAgent;
}

/** What the agent says of its work when it ends. */
export interface StoppedAgent {
  readonly receipted: number;
  readonly queued: number;
  readonly framesSeen: number;
  readonly framesDropped: number;
  /** Of clips: at the cloud, still here, and given up. */
  readonly segmentsReceipted: number;
  readonly segmentsQueued: number;
  readonly segmentsLost: number;
}

export interface ClipFigures {
  readonly codec: ClipCodec;
  /** Mean of the last two thirds, and the highest. */
  readonly agentRssAnonMiB: number;
  readonly agentPeakRssAnonMiB: number;
  readonly groupRssAnonMiB: number;
  readonly groupPeakRssAnonMiB: number;
  readonly cgroupMiB: number | null;
  readonly cpuS: number;
  readonly stopped: StoppedAgent;
  /** What it has more than the run without clips. Omitted for that. */
  readonly over?: ClipCost;
}

interface ClipCost {
  readonly agentRssAnonMiB: number;
  readonly agentPeakRssAnonMiB: number;
  readonly groupRssAnonMiB: number;
  readonly framesDropped: number;
  /** Processor time of the agent, as a ratio. */
  readonly cpuRatio: number;
}

/** Summarizes runs of equal length, each beside the one without clips. @throws Error without that, or with too few samples */
export function clipFigures(runs: readonly ClipRun[]): readonly ClipFigures[] {
  const figures = runs.map(figuresOf);
  const without = figures.find(({ codec }) => codec === 'off');
  if (without === undefined) throw new Error('the run without clips is missing');
  return figures.map((run) => (run === without ? run : { ...run, over: costOf(run, without) }));
}

function figuresOf({ codec, samples, cpuS, stopped }: ClipRun): ClipFigures {
  if (samples.length < 3) throw new Error(`the memory with clip.codec ${codec} was sampled less than three times`);
  const settled = samples.slice(Math.round(samples.length / 3));
  const charged = settled.flatMap(({ cgroupKiB }) => (cgroupKiB === null ? [] : [cgroupKiB]));
  return {
    codec,
    agentRssAnonMiB: mib(mean(settled.map(({ anonKiB }) => anonKiB))),
    agentPeakRssAnonMiB: mib(Math.max(...samples.map(({ anonKiB }) => anonKiB))),
    groupRssAnonMiB: mib(mean(settled.map(({ groupAnonKiB }) => groupAnonKiB))),
    groupPeakRssAnonMiB: mib(Math.max(...samples.map(({ groupAnonKiB }) => groupAnonKiB))),
    cgroupMiB: charged.length === 0 ? null : mib(mean(charged)),
    cpuS: hundredths(cpuS),
    stopped,
  };
}

function costOf(run: ClipFigures, without: ClipFigures): ClipCost {
  return {
    agentRssAnonMiB: hundredths(run.agentRssAnonMiB - without.agentRssAnonMiB),
    agentPeakRssAnonMiB: hundredths(run.agentPeakRssAnonMiB - without.agentPeakRssAnonMiB),
    groupRssAnonMiB: hundredths(run.groupRssAnonMiB - without.groupRssAnonMiB),
    framesDropped: run.stopped.framesDropped - without.stopped.framesDropped,
    cpuRatio: hundredths(run.cpuS / without.cpuS),
  };
}

/** Reads the lines that scripts/armv7/guest/clips printed. @throws Error where one is missing */
export function guestClipRuns(lines: readonly string[]): readonly ClipRun[] {
  return CLIP_CODECS.map((codec) => {
    const of = (kind: string): string[] =>
      lines.flatMap((line) =>
        line.startsWith(`${kind} ${codec} `) ? [line.slice(kind.length + codec.length + 2)] : [],
      );
    const [ticks] = of('cpu');
    const [stopped] = of('stopped');
    if (ticks === undefined || stopped === undefined) throw new Error(`the run with clip.codec ${codec} did not end`);
    const samples = of('clips').map((line) => {
      const [atS = NaN, anonKiB = NaN, groupBytes = NaN, cgroupBytes = NaN] = line.split(' ').map(Number);
      return { atS, anonKiB, groupAnonKiB: groupBytes / 1024, cgroupKiB: Math.round(cgroupBytes / 1024) };
    });
    return { codec, samples, cpuS: Number(ticks) / TICKS_PER_SECOND, stopped: stoppedAgent(stopped) };
  });
}

/** Returns figures as a line of text. */
export function clipLine({ codec, stopped, over, ...figures }: ClipFigures): string {
  const { framesSeen, framesDropped, segmentsReceipted, segmentsQueued, segmentsLost } = stopped;
  return [
    `${codec.padEnd(5)} own memory ${figures.agentRssAnonMiB.toFixed(2)} MiB, at most ${figures.agentPeakRssAnonMiB.toFixed(2)}`,
    `with what it starts ${figures.groupRssAnonMiB.toFixed(2)}, at most ${figures.groupPeakRssAnonMiB.toFixed(2)}`,
    ...(over === undefined ? [] : [`${over.agentRssAnonMiB.toFixed(2)} above the run without clips`]),
    `${String(framesDropped)} of ${String(framesSeen)} frames dropped`,
    ...(over === undefined ? [] : [`${over.cpuRatio.toFixed(2)} times its processor time`]),
    `${String(segmentsReceipted)} segments at the cloud, ${String(segmentsQueued)} queued, ${String(segmentsLost)} lost`,
  ].join('; ');
}

/** Reads the last line of an agent's log. */
export function stoppedAgent(line: string): StoppedAgent {
  const { receipted, queued, framesSeen, framesDropped, segmentsReceipted, segmentsQueued, segmentsLost } = JSON.parse(
    line,
  ) as StoppedAgent;
  return { receipted, queued, framesSeen, framesDropped, segmentsReceipted, segmentsQueued, segmentsLost };
}

/** Of /proc/PID/stat, everywhere. */
const TICKS_PER_SECOND = 100;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mib(kib: number): number {
  return hundredths(kib / 1024);
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
