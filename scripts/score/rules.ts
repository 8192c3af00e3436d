/**
 * The scoring rules of the clips' own script (score_motion.py), as sums that can be added over clips. Intervals are in
 * frames.
 */
export interface LabelledClip {
  readonly file: string;
  readonly fps: number;
  readonly frames: number;
  readonly motion: readonly (readonly [number, number])[];
}

export interface Tally {
  readonly trueEvents: number;
  readonly falseEvents: number;
  /** A false event counts once for each ten seconds that it began. */
  readonly falseUnits: number;
  readonly labelled: number;
  readonly detected: number;
  readonly falseSeconds: number;
  readonly emptySeconds: number;
  /** Labelled time, and how much of it an event is open. */
  readonly labelledSeconds: number;
  readonly coveredSeconds: number;
  /** From the start of each detected label to the event. */
  readonly onsetsS: readonly number[];
}

type Span = readonly [number, number];

/** A label is extended by this much before and after it: events there are not false. */
const PRE_S = 1;
const POST_S = 2;
/** An event has to come this near to a label to count as a hit. */
const SLACK_S = 0.5;
const WARM_UP_S = 2;
/** Share of an event that has to lie within extended labels. */
const INSIDE_SHARE_MIN = 0.5;
const UNIT_S = 10;

/** Compares the events of one clip with its labels. */
export function tallyOf({ fps, frames, motion }: LabelledClip, events: readonly Span[]): Tally {
  const inFrames = (seconds: number): number => Math.round(seconds * fps);
  const pre = inFrames(PRE_S);
  const post = inFrames(POST_S);
  const slack = inFrames(SLACK_S);
  const warm = inFrames(WARM_UP_S);
  const isIn = (frame: number, before: number, after: number): boolean =>
    motion.some(([from, to]) => frame >= from - before && frame <= to + after);
  const framesOf = ([from, to]: Span): number[] =>
    Array.from({ length: Math.min(to, frames - 1) - from + 1 }, (_, i) => from + i);
  const outside = (event: Span): number => framesOf(event).filter((i) => i >= warm && !isIn(i, pre, post)).length / fps;

  const tally = { trueEvents: 0, falseEvents: 0, falseUnits: 0 };
  const hits: Span[] = [];
  for (const event of events) {
    const counted = framesOf(event).filter((i) => i >= warm);
    if (counted.length === 0) continue;
    const inside = counted.filter((i) => isIn(i, pre, post)).length;
    const isHit = inside >= INSIDE_SHARE_MIN * counted.length && framesOf(event).some((i) => isIn(i, slack, slack));
    if (isHit) hits.push(event);
    if (isHit && isIn(event[0], pre, post)) {
      tally.trueEvents++;
      tally.falseUnits += Math.floor(outside(event) / UNIT_S);
    } else {
      tally.falseEvents++;
      tally.falseUnits += Math.max(1, Math.ceil(outside(event) / UNIT_S));
    }
  }
  const wanted = motion.filter(([, to]) => to >= warm);
  const onsetsS = wanted.flatMap(([from, to]) => {
    const starts = hits.filter((hit) => hit[0] <= to && hit[1] >= from && hit[1] >= warm).map(([start]) => start);
    return starts.length === 0 ? [] : [Math.max(0, Math.min(...starts) - Math.max(from, warm)) / fps];
  });
  const isOpen = (frame: number): boolean => events.some(([from, to]) => frame >= from && frame <= to);
  const seen = Array.from({ length: Math.max(0, frames - warm) }, (_, i) => i + warm);
  const empty = seen.filter((i) => !isIn(i, pre, post));
  const full = seen.filter((i) => isIn(i, 0, 0));
  return {
    ...tally,
    labelled: wanted.length,
    detected: onsetsS.length,
    falseSeconds: empty.filter(isOpen).length / fps,
    emptySeconds: empty.length / fps,
    labelledSeconds: full.length / fps,
    coveredSeconds: full.filter(isOpen).length / fps,
    onsetsS,
  };
}

export interface Score {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly falseEvents: number;
  readonly falseTime: number;
  /** Share of the labelled time in which an event is open. */
  readonly coverage: number;
  /** Null where nothing was detected. */
  readonly onsetP90S: number | null;
}

/** Returns strict precision, recall and F1 over several clips. Without labels and without events the score is perfect. */
export function scoreOf(tallies: readonly Tally[]): Score {
  const sum = (key: Exclude<keyof Tally, 'onsetsS'>): number => tallies.reduce((total, tally) => total + tally[key], 0);
  const trues = sum('trueEvents');
  const units = sum('falseUnits');
  const labelled = sum('labelled');
  const precision = trues + units === 0 ? 1 : trues / (trues + units);
  const recall = labelled === 0 ? 1 : sum('detected') / labelled;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return {
    precision,
    recall,
    f1,
    falseEvents: sum('falseEvents'),
    falseTime: sum('falseSeconds') / sum('emptySeconds'),
    coverage: labelled === 0 ? 1 : sum('coveredSeconds') / sum('labelledSeconds'),
    onsetP90S: p90Of(tallies.flatMap(({ onsetsS }) => onsetsS)),
  };
}

/** As in the clips' own script: the value at 90 % of the sorted list, rounded down. */
function p90Of(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(0.9 * sorted.length))] ?? null;
}
