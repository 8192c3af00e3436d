import { join } from 'node:path';
import { Detector } from '../../agent/capture/detect/detector.js';
import { EventTracker, type Transition } from '../../agent/capture/event-tracker.js';
import { TUNING, type Tuning } from '../../agent/capture/detect/tuning.js';
import { loadAgentConfig } from '../../agent/config/keys.js';
import { captureSettings } from '../../agent/main/settings.js';
import { realClock } from '../../common/adapters/real-clock.js';
import { seededRandom } from '../../common/seeded-random.js';
import { ReplayCamera } from '../../hal/replay/camera.js';
import type { LumaPlane } from '../../hal/camera.js';
import { changes } from './changes.js';
import { scoreOf, tallyOf, type LabelledClip, type Score, type Tally } from './rules.js';

interface Film {
  readonly clip: LabelledClip;
  readonly frames: readonly { readonly plane: LumaPlane; readonly timeMs: number }[];
}

export interface Study {
  readonly sensitivity: readonly (Score & { readonly sensitivity: number })[];
  /** Scores on the same clips, changed as other cameras and other days would change them. */
  readonly changed: readonly (Score & { readonly change: string })[];
  readonly variants: number;
  /** Other tunings that score at least as well as the defaults. */
  readonly asGood: number;
  readonly worst: number;
  /** Each clip is judged by the tuning that is best for the other clips. */
  readonly leaveOneOut: Score;
  /** Over all ways to choose half of the clips: F1 on the half that chose the tuning, minus F1 on the other half. */
  readonly halves: { readonly count: number; readonly meanGap: number; readonly worstOther: number };
}

const VARIANTS = 24;
const SEED = 1;
/** Each constant is multiplied or divided by up to this factor. */
const FACTOR_MAX = 1.3;
const SENSITIVITY_STEP = 10;

/**
 * Scores the detector at other sensitivities, on changed clips and with other tunings, to see how much of its score is
 * due to the tuning.
 */
export async function study(
  folder: string,
  clips: readonly LabelledClip[],
  progress: (text: string) => void,
): Promise<Study> {
  const films: Film[] = [];
  for (const clip of clips) {
    progress(`decoding ${clip.file} …`);
    films.push(await load(folder, clip));
  }
  const sensitivity = [];
  for (let value = 0; value <= 100; value += SENSITIVITY_STEP) {
    progress(`sensitivity ${String(value)} …`);
    sensitivity.push({ sensitivity: value, ...scoreOf(films.map((film) => play(film, TUNING, value))) });
  }
  const changed = [];
  for (const [name, change] of Object.entries(changes())) {
    progress(`clips ${name} …`);
    const other = films.map(({ clip, frames }) => ({
      clip,
      frames: frames.map(({ plane, timeMs }, i) => ({ plane: change(plane, i, timeMs), timeMs })),
    }));
    changed.push({ change: name, ...scoreOf(other.map((film) => play(film, TUNING, null))) });
  }
  const tallies: Tally[][] = [];
  for (const [i, tuning] of variants().entries()) {
    progress(`tuning ${String(i + 1)} of ${String(VARIANTS + 1)} …`);
    tallies.push(films.map((film) => play(film, tuning, null)));
  }
  const all = tallies.map((one) => scoreOf(one).f1);
  const [defaults = 0] = all;
  return {
    sensitivity,
    changed,
    variants: VARIANTS,
    worst: Math.min(...all),
    asGood: all.slice(1).filter((f1) => f1 >= defaults).length,
    leaveOneOut: scoreOf(
      films.map((_, out) =>
        pick(
          best(tallies, films.length, (i) => i !== out),
          out,
        ),
      ),
    ),
    halves: halvesOf(tallies, films.length),
  };
}

/** Formats the study for docs/detector-study.md. */
export function studyTable({ sensitivity, changed, leaveOneOut, halves, ...others }: Study): string {
  const row = (name: string, score: Score): string => {
    const { precision, recall, f1, falseEvents, falseTime, coverage, onsetP90S } = score;
    const figures = [
      precision.toFixed(2),
      recall.toFixed(2),
      f1.toFixed(3),
      falseEvents,
      `${(falseTime * 100).toFixed(1)} %`,
      `${(coverage * 100).toFixed(0)} %`,
      onsetP90S === null ? '–' : `${onsetP90S.toFixed(2)} s`,
    ];
    return `| ${name} | ${figures.join(' | ')} |`;
  };
  return [
    '',
    '| | strict precision | recall | strict F1 | false events | false time | coverage | onset, 90 % |',
    '|---|---|---|---|---|---|---|---|',
    ...sensitivity.map((one) => row(`sensitivity ${String(one.sensitivity)}`, one)),
    ...changed.map((one) => row(`at 50: ${one.change}`, one)),
    row('at 50: leave one clip out', leaveOneOut),
    '',
    `Of ${String(others.variants)} other tunings ${String(others.asGood)} score at least as well as the defaults; the worst has a strict F1 of ${others.worst.toFixed(3)}.`,
    `Over ${String(halves.count)} ways to choose half of the clips, F1 on the others is ${halves.meanGap.toFixed(3)} lower in the mean, and ${halves.worstOther.toFixed(3)} at worst.`,
    '',
  ].join('\n');
}

async function load(folder: string, clip: LabelledClip): Promise<Film> {
  const path = join(folder, clip.file);
  const camera = new ReplayCamera({ path, clock: realClock, folderFramesPerSecond: 10, pace: 'fast', loop: false });
  const { signal } = new AbortController();
  await camera.open(signal);
  const frames = [];
  for await (const { luma, monotonicMs } of camera.frames(signal)) {
    if (luma !== undefined) frames.push({ plane: luma, timeMs: monotonicMs });
  }
  return { clip, frames };
}

function play({ clip, frames }: Film, tuning: Tuning, sensitivity: number | null): Tally {
  const { detector: settings, events } = captureSettings(loadAgentConfig({ file: null, environment: {} }));
  const wanted = sensitivity === null ? settings : { ...settings, sensitivity };
  const detector = new Detector(wanted, undefined, tuning);
  const tracker = new EventTracker<null>(events);
  const spans: [number, number][] = [];
  const addSpans = (transitions: readonly Transition<null>[]): void => {
    for (const one of transitions) if (one.type === 'end') spans.push([one.span.startFrame, one.endFrame]);
  };
  for (const [i, { plane, timeMs }] of frames.entries()) {
    addSpans(tracker.advance(detector.observe(plane, timeMs, i), { frame: null, index: i, timeMs }));
  }
  addSpans(tracker.finish(frames.length - 1, frames.at(-1)?.timeMs ?? 0));
  return tallyOf(clip, spans);
}

/** Returns the defaults, then tunings with all constants moved at random. */
function variants(): Tuning[] {
  const { uniform } = seededRandom(SEED);
  const moved = (): Tuning =>
    Object.fromEntries(
      Object.entries(TUNING).map(([key, value]: [string, number]) => [key, value * FACTOR_MAX ** (2 * uniform() - 1)]),
    ) as unknown as Tuning;
  return [TUNING, ...Array.from({ length: VARIANTS }, moved)];
}

/**
 * Returns the tallies of the tuning with the best F1, then the least false time, on the clips that `counts` names. A
 * tie goes to the defaults.
 */
function best(tallies: readonly Tally[][], clips: number, counts: (clip: number) => boolean): readonly Tally[] {
  const rank = (one: readonly Tally[]): number => {
    const { f1, falseTime } = scoreOf(one.filter((_, i) => i < clips && counts(i)));
    return f1 - falseTime / 100;
  };
  return tallies.reduce((a, b) => (rank(b) > rank(a) ? b : a));
}

function pick(tallies: readonly Tally[], clip: number): Tally {
  const tally = tallies[clip];
  if (tally === undefined) throw new Error('no such clip');
  return tally;
}

function halvesOf(tallies: readonly Tally[][], clips: number): Study['halves'] {
  const pairs: { chosen: number; other: number }[] = [];
  for (let bits = 0; bits < 2 ** clips; bits++) {
    const isIn = (clip: number): boolean => ((bits >> clip) & 1) === 1;
    const members = Array.from({ length: clips }, (_, i) => i).filter(isIn).length;
    if (members !== clips >> 1) continue;
    const one = best(tallies, clips, isIn);
    const others = one.filter((_, i) => !isIn(i));
    // A half without labelled motion has no meaningful F1.
    if ([others, one.filter((_, i) => isIn(i))].some((half) => half.every(({ labelled }) => labelled === 0))) continue;
    pairs.push({ chosen: scoreOf(one.filter((_, i) => isIn(i))).f1, other: scoreOf(others).f1 });
  }
  return {
    count: pairs.length,
    meanGap: pairs.reduce((sum, { chosen, other }) => sum + chosen - other, 0) / pairs.length,
    worstOther: Math.min(...pairs.map(({ other }) => other)),
  };
}
