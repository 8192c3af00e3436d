import type { MemorySample } from './memory-figures.js';

/** What the emulated machine measured, beside the memory samples themselves. */
export interface GuestFigures {
  readonly nodeRssMiB: number;
  readonly nodeRssAnonMiB: number;
  readonly agentPeakRssMiB: number;
  readonly recorded: number;
  /** Records that the cloud receipted. */
  readonly receipted: number;
  readonly queued: number;
  /** `sealcam --version` / `node -e 0`, medians of three. */
  readonly startRatio: number;
  /** `sealcam run` until it is armed, without the frames in which the detector learns the scene / `node -e 0`. */
  readonly armedRatio: number;
  /** Seconds of those frames. */
  readonly learntS: number;
  readonly frames: { readonly seen: number; readonly dropped: number };
  /** Frames a second that were decoded and inspected when ten a second arrived. */
  readonly busyFramesPerSecond: number;
  readonly samples: readonly MemorySample[];
}

/** Reads the lines that scripts/armv7/guest/init printed. Throws where one is missing. */
export function guestFigures(lines: readonly string[]): GuestFigures {
  const all = (kind: string): string[][] =>
    lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.split(' ').slice(1));
  const numbers = (kind: string, ...label: readonly string[]): number[] => {
    const found = all(kind).find((words) => label.every((word, i) => words[i] === word));
    if (found === undefined) throw new Error(`the emulated machine printed no line "${[kind, ...label].join(' ')}"`);
    return found.slice(label.length).map(Number);
  };
  const stopped = (kind: string): Stopped => {
    const line = lines.find((text) => text.startsWith(`${kind} {`));
    if (line === undefined) throw new Error(`the agent did not stop in order (${kind})`);
    return JSON.parse(line.slice(kind.length + 1)) as Stopped;
  };
  // Round 0 fills the page cache.
  const seconds = (what: string): number =>
    median(
      all('start').flatMap(([name, round, from, to]) =>
        name === what && round !== '0' ? [Number(to) - Number(from)] : [],
      ),
    );
  const [armedFrom = NaN, armedAt = NaN, learntMs = NaN] = numbers('armed', 'again');
  const [nodeRss = NaN, nodeAnon = NaN] = numbers('rss', 'node');
  const [, busyAt = NaN, busyLearntMs = NaN] = numbers('armed', 'busy');
  const [, busyUntil = NaN] = numbers('busyFor');
  const { queued, receipted, framesSeen, framesDropped } = stopped('stopped');
  return {
    nodeRssMiB: mib(nodeRss),
    nodeRssAnonMiB: mib(nodeAnon),
    agentPeakRssMiB: mib(numbers('peak')[0] ?? NaN),
    recorded: numbers('recorded')[0] ?? NaN,
    receipted,
    queued,
    startRatio: hundredths(seconds('sealcam') / seconds('node')),
    armedRatio: hundredths((armedAt - armedFrom - learntMs / 1000) / seconds('node')),
    learntS: learntMs / 1000,
    frames: { seen: framesSeen, dropped: framesDropped },
    busyFramesPerSecond: hundredths(stopped('busy').framesDecoded / (busyUntil - busyAt + busyLearntMs / 1000)),
    samples: all('memory').map((words) => {
      const [atS = NaN, anonKiB = NaN, rssKiB = NaN, cgroupBytes = NaN] = words.map(Number);
      // The files lie in the initial RAM disk, whose pages the kernel counts as shared memory and not as RssFile.
      return { atS, anonKiB, fileKiB: rssKiB - anonKiB, rssKiB, cgroupKiB: Math.round(cgroupBytes / 1024) };
    }),
  };
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
