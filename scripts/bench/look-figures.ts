import { stoppedAgent, type StoppedAgent } from './clip-figures.js';

/** The settings of clip.codec with which cameras are looked through: JPEG files, or the H.264 that clips are made of. */
export const LOOK_CODECS = ['off', 'h264'] as const;
type LookCodec = (typeof LOOK_CODECS)[number];
/** Each beside the same camera through which nobody looks. */
export const LOOK_SIDES = ['idle', 'looked'] as const;
export type LookSide = (typeof LOOK_SIDES)[number];

export interface LookSample {
  /** Own memory of the agent. */
  readonly anonKiB: number;
  /** Own memory of the agent and of everything that it started. */
  readonly groupAnonKiB: number;
}

/** What came at the viewer. */
export interface Looked {
  readonly messages: number;
  readonly bytes: number;
  readonly orders: number;
}

/** One run of the agent, which is looked through all the time or not at all. */
export interface LookRun {
  readonly codec: LookCodec;
  readonly side: LookSide;
  readonly samples: readonly LookSample[];
  /** Processor time of the agent while it was sampled, and how long that was. */
  readonly cpuS: number;
  readonly seconds: number;
  /** Highest own memory of the child that encapsulates to the viewer's key; null where none was seen. */
  readonly kemPeakKiB: number | null;
  /** Null where nobody looked. */
  readonly looked: Looked | null;
  readonly stopped: StoppedAgent;
}

export interface LookSideFigures {
  /** Mean of the last two thirds, and the highest. */
  readonly agentRssAnonMiB: number;
  readonly agentPeakRssAnonMiB: number;
  /** Of its children: what its control group, or the tree of processes, has beside it. */
  readonly childrenRssAnonMiB: number;
  /** Processor time of the agent in a second. */
  readonly cpuMsPerSecond: number;
  readonly framesSeen: number;
  readonly framesDropped: number;
}

export interface LookFigures {
  readonly codec: LookCodec;
  readonly idle: LookSideFigures;
  readonly looked: LookSideFigures & Looked & { readonly kemPeakRssAnonMiB: number | null };
  /** What looking costs beside not being looked through. */
  readonly over: {
    readonly agentRssAnonMiB: number;
    readonly agentPeakRssAnonMiB: number;
    readonly cpuMsPerSecond: number;
    readonly cpuRatio: number;
  };
}

/** Summarizes runs of equal length. @throws Error where one is missing, has too few samples, or showed nothing to its viewer */
export function lookFigures(runs: readonly LookRun[]): readonly LookFigures[] {
  return LOOK_CODECS.map((codec) => {
    const of = (side: LookSide): LookRun => {
      const run = runs.find((item) => item.codec === codec && item.side === side);
      if (run === undefined) throw new Error(`the run ${codec} ${side} is missing`);
      return run;
    };
    const run = of('looked');
    if (run.looked === null || run.looked.messages === 0) throw new Error(`nothing came of the look with ${codec}`);
    const [idle, looked] = [sideFigures(of('idle')), sideFigures(run)];
    return {
      codec,
      idle,
      looked: {
        ...looked,
        ...run.looked,
        kemPeakRssAnonMiB: run.kemPeakKiB === null ? null : mib(run.kemPeakKiB),
      },
      over: {
        agentRssAnonMiB: hundredths(looked.agentRssAnonMiB - idle.agentRssAnonMiB),
        agentPeakRssAnonMiB: hundredths(looked.agentPeakRssAnonMiB - idle.agentPeakRssAnonMiB),
        cpuMsPerSecond: hundredths(looked.cpuMsPerSecond - idle.cpuMsPerSecond),
        cpuRatio: hundredths(looked.cpuMsPerSecond / idle.cpuMsPerSecond),
      },
    };
  });
}

function sideFigures({ codec, side, samples, cpuS, seconds, stopped }: LookRun): LookSideFigures {
  if (samples.length < 3) throw new Error(`the memory of ${codec} ${side} was sampled less than three times`);
  const settled = samples.slice(Math.round(samples.length / 3));
  const agent = mean(settled.map(({ anonKiB }) => anonKiB));
  return {
    agentRssAnonMiB: mib(agent),
    agentPeakRssAnonMiB: mib(Math.max(...samples.map(({ anonKiB }) => anonKiB))),
    childrenRssAnonMiB: mib(mean(settled.map(({ groupAnonKiB }) => groupAnonKiB)) - agent),
    cpuMsPerSecond: hundredths((1000 * cpuS) / seconds),
    framesSeen: stopped.framesSeen,
    framesDropped: stopped.framesDropped,
  };
}

/** Reads the lines that scripts/armv7/guest/looks printed. @throws Error where one is missing */
export function guestLookRuns(lines: readonly string[]): readonly LookRun[] {
  return LOOK_CODECS.flatMap((codec) =>
    LOOK_SIDES.map((side): LookRun => {
      const of = (kind: string): string[] => {
        const head = `${kind} ${codec}-${side} `;
        return lines.flatMap((line) => (line.startsWith(head) ? [line.slice(head.length)] : []));
      };
      const [cpu] = of('cpu');
      const [stopped] = of('stopped');
      const [looked] = of('looked');
      if (cpu === undefined || stopped === undefined) throw new Error(`the run ${codec} ${side} did not end`);
      const [ticks = NaN, seconds = NaN] = cpu.split(' ').map(Number);
      const [wrap] = of('kem').slice(-1);
      return {
        codec,
        side,
        samples: of('looks').map((line) => {
          const [anonKiB = NaN, groupBytes = NaN] = line.split(' ').map(Number);
          return { anonKiB, groupAnonKiB: groupBytes / 1024 };
        }),
        cpuS: ticks / TICKS_PER_SECOND,
        seconds,
        kemPeakKiB: wrap === undefined ? null : Number(wrap),
        looked: looked === undefined ? null : readLooked(looked),
        stopped: stoppedAgent(stopped),
      };
    }),
  );
}

/** Reads the last line of scripts/bench/looker.ts. */
export function readLooked(line: string): Looked {
  const { messages, bytes, orders } = JSON.parse(line) as Looked;
  return { messages, bytes, orders };
}

/** Returns figures as a line of text. */
export function lookLine({ codec, idle, looked, over }: LookFigures): string {
  const kem = looked.kemPeakRssAnonMiB === null ? 'not seen' : `at most ${looked.kemPeakRssAnonMiB.toFixed(2)} MiB`;
  return [
    `${codec.padEnd(5)} own memory ${looked.agentRssAnonMiB.toFixed(2)} MiB, ${over.agentRssAnonMiB.toFixed(2)} above nobody looking`,
    `at most ${looked.agentPeakRssAnonMiB.toFixed(2)}, ${over.agentPeakRssAnonMiB.toFixed(2)} above`,
    `processor time of a second ${looked.cpuMsPerSecond.toFixed(1)} ms, idling ${idle.cpuMsPerSecond.toFixed(1)}, ${over.cpuRatio.toFixed(2)} times`,
    `children ${looked.childrenRssAnonMiB.toFixed(2)} MiB and ${idle.childrenRssAnonMiB.toFixed(2)}, the one of the key ${kem}`,
    `${String(looked.messages)} messages of ${String(looked.bytes)} bytes, ${String(looked.orders)} orders`,
    `${String(looked.framesDropped)} of ${String(looked.framesSeen)} frames dropped`,
  ].join('; ');
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
