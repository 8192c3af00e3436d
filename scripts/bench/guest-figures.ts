import type { MemorySample } from './memory-figures.js';

/** How long starts took on the emulated machine, beside an empty Node. */
export interface StartFigures {
  /** `sealcam --version` / `node -e 0`, medians of three. */
  readonly startRatio: number;
  /** `sealcam run` until it is armed, without the frames in which the detector learns the scene / `node -e 0`; a median. */
  readonly armedRatio: number;
  /** Seconds of `node -e 0`, and of those frames. */
  readonly nodeS: number;
  readonly learntS: number;
}

/** What the emulated machine measured, beside the memory samples themselves. */
export interface GuestFigures extends StartFigures {
  readonly nodeRssMiB: number;
  readonly nodeRssAnonMiB: number;
  readonly agentPeakRssMiB: number;
  /** The highest charge of the agent's control group, with the process that wraps and page cache. */
  readonly cgroupPeakMiB: number;
  /** The highest own memory of that process; null where none was seen, as in version 1, which has none. */
  readonly wrapPeakRssAnonMiB: number | null;
  readonly recorded: number;
  /** Records that the cloud receipted. */
  readonly receipted: number;
  readonly queued: number;
  readonly frames: { readonly seen: number; readonly dropped: number };
  /** Frames a second that were decoded and inspected when ten a second arrived. */
  readonly busyFramesPerSecond: number;
  readonly samples: readonly MemorySample[];
}

/** Reads the lines that scripts/armv7/guest/init printed. Throws where one is missing. */
export function guestFigures(lines: readonly string[]): GuestFigures {
  const stopped = (kind: string): Stopped => {
    const line = lines.find((text) => text.startsWith(`${kind} {`));
    if (line === undefined) throw new Error(`the agent did not stop in order (${kind})`);
    return JSON.parse(line.slice(kind.length + 1)) as Stopped;
  };
  const [nodeRss = NaN, nodeAnon = NaN] = numbers(lines, 'rss', 'node');
  const [busy] = armings(lines, 'busy');
  const [busyUntilMs = NaN] = numbers(lines, 'busyUntil');
  const busyMs = busyUntilMs - (busy?.atMs ?? NaN) + (busy?.learntMs ?? NaN);
  const { queued, receipted, framesSeen, framesDropped } = stopped('stopped');
  const [wrap] = all(lines, 'wrap');
  return {
    nodeRssMiB: mib(nodeRss),
    nodeRssAnonMiB: mib(nodeAnon),
    agentPeakRssMiB: mib(numbers(lines, 'peak')[0] ?? NaN),
    cgroupPeakMiB: mib((numbers(lines, 'cgroupPeak')[0] ?? NaN) / 1024),
    wrapPeakRssAnonMiB: wrap === undefined ? null : mib(Number(wrap[0])),
    recorded: numbers(lines, 'recorded')[0] ?? NaN,
    receipted,
    queued,
    ...startFigures(lines),
    frames: { seen: framesSeen, dropped: framesDropped },
    busyFramesPerSecond: hundredths(stopped('busy').framesDecoded / (busyMs / 1000)),
    samples: all(lines, 'memory').map((words) => {
      const [atS = NaN, anonKiB = NaN, rssKiB = NaN, cgroupBytes = NaN] = words.map(Number);
      // The files lie in the initial RAM disk, whose pages the kernel counts as shared memory and not as RssFile.
      return { atS, anonKiB, fileKiB: rssKiB - anonKiB, rssKiB, cgroupKiB: Math.round(cgroupBytes / 1024) };
    }),
  };
}

/** Reads those of them that time starts. Throws where one is missing. */
export function startFigures(lines: readonly string[]): StartFigures {
  // Round 0 fills the page cache.
  const seconds = (what: string): number =>
    median(
      all(lines, 'start').flatMap(([name, round, from, to]) =>
        name === what && round !== '0' ? [Number(to) - Number(from)] : [],
      ),
    );
  const nodeS = seconds('node');
  const starts = armings(lines, 'again');
  return {
    startRatio: hundredths(seconds('sealcam') / nodeS),
    armedRatio: hundredths(median(starts.map(({ fromMs, atMs, learntMs }) => atMs - fromMs - learntMs)) / 1000 / nodeS),
    nodeS: hundredths(nodeS),
    learntS: (starts[0]?.learntMs ?? NaN) / 1000,
  };
}

interface Arming {
  /** Milliseconds of the wall clock. */
  readonly fromMs: number;
  readonly atMs: number;
  readonly learntMs: number;
}

/** Returns the starts with a label: `armed LABEL MILLISECONDS LINE`, with the agent's own line of its log. */
function armings(lines: readonly string[], label: string): Arming[] {
  const found = all(lines, 'armed').filter(([word]) => word === label);
  if (found.length === 0) throw new Error(`the emulated machine printed no line "armed ${label}"`);
  return found.map(([, from, ...rest]) => {
    const { time, learntMs } = JSON.parse(rest.join(' ')) as { readonly time: string; readonly learntMs: number };
    return { fromMs: Number(from), atMs: Date.parse(time), learntMs };
  });
}

/** Returns the words of every line of a kind. */
function all(lines: readonly string[], kind: string): string[][] {
  return lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.split(' ').slice(1));
}

/** Returns the numbers of the one line that begins with these words. */
function numbers(lines: readonly string[], kind: string, ...label: readonly string[]): number[] {
  const found = all(lines, kind).find((words) => label.every((word, i) => words[i] === word));
  if (found === undefined) throw new Error(`the emulated machine printed no line "${[kind, ...label].join(' ')}"`);
  return found.slice(label.length).map(Number);
}

interface Stopped {
  readonly queued: number;
  readonly receipted: number;
  readonly framesSeen: number;
  readonly framesDropped: number;
  readonly framesDecoded: number;
}

function mib(kib: number): number {
  return Math.round((kib / 1024) * 10) / 10;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
