import type { ClipPart, SegmentState } from './clip-loader.js';
import type { Clip } from './clips.js';
import type { HistoryMark, MarkKind } from './camera-log.js';

/**
 * What the page says of a clip. `signed`: every part is named, and not all of them were looked at yet. `cut-off`: nobody signed
 * its end, and the camera went on or fell silent.
 */
export type ClipVerdict = 'intact' | 'signed' | 'coming' | 'cut-off' | 'lost' | 'missing' | 'refused';

/** A stretch of a clip that does not play. */
export interface ClipHole {
  readonly fromMs: number;
  /** Null where nobody knows how long it is: no record names it. */
  readonly toMs: number | null;
  /** `broken`: the part is here, and cannot be shown without one before it. */
  readonly why: 'coming' | 'lost' | 'missing' | 'refused' | 'broken';
}

export interface JudgedClip {
  readonly verdict: ClipVerdict;
  /** How long it is, as far as it is named. */
  readonly lengthMs: number;
  readonly holes: readonly ClipHole[];
}

/** What the page knows of the camera besides. */
export interface ClipSurroundings {
  /** When the newest verified record of the camera was made, UTC; null without one. */
  readonly lastWordMs: number | null;
  /** Marks of the histories; those of other cameras do not count. */
  readonly marks: readonly HistoryMark[];
  /** UTC by this device. */
  readonly nowMs: number;
}

/** A clip names segments at least every 4 s while it runs. */
const WENT_ON_AFTER_MS = 15_000;
/** A clip is 60 s long at most. Without a word for longer than that its camera is gone. */
const SILENT_AFTER_MS = 90_000;

const OF_MARK: Readonly<Record<MarkKind, ClipHole['why']>> = {
  lost: 'lost',
  deleted: 'lost',
  expired: 'lost',
  waiting: 'coming',
  missing: 'missing',
  late: 'missing',
  refused: 'missing',
};

/** Judges a clip by its records, what came of its segments, and what is missing around it. */
export function judgeClip(clip: Clip, parts: readonly ClipPart[], around: ClipSurroundings): JudgedClip {
  const marks = around.marks.filter(({ device, epoch }) => device === clip.device && epoch === clip.epoch);
  const holes = holesOf(clip, parts, marks);
  const last = parts.at(-1);
  const lengthMs = last === undefined ? 0 : last.startMs + last.durationMs;
  const has = (why: ClipHole['why']): boolean => holes.some((hole) => hole.why === why);
  const verdict = (): ClipVerdict => {
    if (has('refused')) return 'refused';
    if (has('missing')) return 'missing';
    if (has('lost')) return 'lost';
    if (!clip.hasEnd) return isCutOff(clip, marks, around) ? 'cut-off' : 'coming';
    if (has('coming')) return 'coming';
    return parts.every(({ state }) => state === 'here') ? 'intact' : 'signed';
  };
  return { verdict: verdict(), lengthMs, holes };
}

/** Returns the parts that may be played: those that are here, and begin with a key or follow one that may be. */
export function playable(parts: readonly ClipPart[]): readonly ClipPart[] {
  if (parts[0]?.state !== 'here') return [];
  const out: ClipPart[] = [];
  for (const part of parts) {
    const follows = part.isSync || out.at(-1)?.index === part.index - 1;
    if (part.state === 'here' && follows) out.push(part);
  }
  return out;
}

const WHY: Partial<Record<SegmentState, ClipHole['why']>> = {
  coming: 'coming',
  lost: 'lost',
  missing: 'missing',
  refused: 'refused',
};

function holesOf(clip: Clip, parts: readonly ClipPart[], marks: readonly HistoryMark[]): readonly ClipHole[] {
  const plays = new Set(playable(parts));
  const holes: ClipHole[] = [];
  // Whether a part before this one is on its way, without which this one waits too.
  let waits = false;
  for (const part of parts) {
    const { state, startMs: fromMs, durationMs } = part;
    if (state === 'named' || state === 'asked' || state === 'coming') waits = true;
    if (plays.has(part)) waits = false;
    if (plays.has(part) || state === 'named' || state === 'asked' || (state === 'here' && waits)) continue;
    const hole =
      state === 'unnamed'
        ? { fromMs, toMs: null, why: whyUnnamed(clip, part.index, marks) }
        : { fromMs, toMs: fromMs + durationMs, why: WHY[state] ?? 'broken' };
    const before = holes.at(-1);
    if (before?.why === hole.why && before.toMs === hole.fromMs)
      holes[holes.length - 1] = { ...before, toMs: hole.toMs };
    else if (before?.why !== hole.why || before.toMs !== null || hole.toMs !== null) holes.push(hole);
  }
  // An end that names nothing says nothing of the index before it.
  const between = markBetween(marks, clip.namedUpToSeq, clip.hasEnd ? clip.lastSeq : clip.namedUpToSeq);
  const last = parts.at(-1);
  if (between !== undefined && last !== undefined) {
    holes.push({ fromMs: last.startMs + last.durationMs, toMs: null, why: OF_MARK[between.kind] });
  }
  return holes;
}

function whyUnnamed({ segments, firstSeq }: Clip, index: number, marks: readonly HistoryMark[]): ClipHole['why'] {
  const seqOf = (at: number | undefined): number | undefined =>
    at === undefined ? undefined : segments[at]?.record.value.seq;
  const named = [...segments.keys()].filter((at) => segments[at] !== null);
  const after = seqOf(named.find((at) => at > index)) ?? Infinity;
  const before = seqOf(named.findLast((at) => at < index)) ?? Math.min(firstSeq, after) - 1;
  const mark = markBetween(marks, before, after) ?? marks.find(({ seqs }) => seqs !== null && seqs[1] === after - 1);
  return mark === undefined ? 'missing' : OF_MARK[mark.kind];
}

/** Returns the first mark of records that are missing between two. */
function markBetween(marks: readonly HistoryMark[], above: number, below: number): HistoryMark | undefined {
  return marks.find(({ seqs }) => seqs !== null && seqs[1] > above && seqs[0] < below);
}

function isCutOff({ lastSeq, lastMs }: Clip, marks: readonly HistoryMark[], around: ClipSurroundings): boolean {
  const next = marks.find(({ seqs }) => seqs !== null && seqs[0] === lastSeq + 1);
  if (next !== undefined) return OF_MARK[next.kind] !== 'coming';
  const { lastWordMs, nowMs } = around;
  return (lastWordMs ?? lastMs) - lastMs > WENT_ON_AFTER_MS || nowMs - lastMs > SILENT_AFTER_MS;
}
