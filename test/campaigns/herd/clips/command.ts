import { commandLine, printResult, type CommandContext } from '../../../../scripts/command.js';
import { saveResult, writePart } from '../../../../scripts/results.js';
import { plot } from '../plot.js';
import { scenarioOf } from '../scenarios.js';
import { BODIES_PER_CLIP, BYTES_PER_CLIP } from './backlog.js';
import {
  CLIP_POLICIES,
  HELD_WINDOWS,
  returns,
  simulateClips,
  type ClipOutcome,
  type ClipPolicy,
  type ClipScenario,
} from './simulate.js';

export interface ClipOptions {
  readonly devices: number;
  /** Null for the outages of docs/herd.md. */
  readonly outageMs: number | null;
  readonly clipsPerDay: number;
  readonly putsPerS: number;
  readonly seeds: readonly number[];
  readonly json: boolean;
  readonly save: boolean;
}

const OUTAGES_MS: readonly number[] = [600_000, 1_800_000, 2 * 3_600_000, 8 * 3_600_000];
/** The outage of the picture. */
const DRAWN_MS = 1_800_000;
const DAY_S = 86_400;
const NAMES: Readonly<Record<ClipPolicy, string>> = {
  sealcam: 'sealcam',
  held: `sealcam, held back over ${String(HELD_WINDOWS)} windows`,
  'at-return': 'all at once, after its return',
  'at-once': 'all at once, when the cloud is there',
};
const MBIT_PER_BYTE = 8 / 1e6;

interface Row {
  readonly outageS: number;
  readonly outcome: ClipOutcome;
}

/** `npm run herd -- --clips`: simulates what the clips of an outage do to the cloud. Returns the exit status. */
export function runClips(options: ClipOptions, { progress }: CommandContext): number {
  const { devices, outageMs, clipsPerDay, putsPerS, seeds, json, save } = options;
  const rows: Row[] = [];
  for (const one of outageMs === null ? OUTAGES_MS : [outageMs]) {
    const scenario: ClipScenario = { ...scenarioOf({ devices, outageMs: one }), clipsPerDay, putsPerS };
    const kept = new Map<number, Float64Array>();
    const returnsOf = (seed: number): Float64Array => {
      const found = kept.get(seed) ?? returns(scenario, seed);
      kept.set(seed, found);
      return found;
    };
    for (const policy of CLIP_POLICIES) {
      rows.push({ outageS: one / 1000, outcome: worstOf(scenario, policy, seeds, returnsOf) });
      progress(`outage of ${String(one / 1000)} s: ${NAMES[policy]}`);
    }
  }
  const command = commandLine('herd');
  const result = {
    command,
    devices,
    clips_per_day: clipsPerDay,
    bodies_per_clip: BODIES_PER_CLIP,
    bytes_per_clip: BYTES_PER_CLIP,
    seeds: seeds.length,
    ordinary_puts_per_s: Math.round(ordinaryPutsPerS(options)),
    outages: rows.map((row) => figures(options, row)),
  };
  const text = markdown(options, rows);
  if (save) {
    saveResult('herd-clips', result);
    writePart('docs/herd.md', 'clips', `\`${command}\` ([result](results/herd-clips.json)):\n\n${text}`);
    plotOne(options, rows);
  }
  printResult(json, result, text);
  return 0;
}

/** Returns the worst of several seeds, figure by figure; the curves are the first seed's. */
function worstOf(
  scenario: ClipScenario,
  policy: ClipPolicy,
  [first = 1, ...others]: readonly number[],
  returnsOf: (seed: number) => Float64Array,
): ClipOutcome {
  let worst = simulateClips(scenario, policy, first, returnsOf(first));
  for (const seed of others) {
    const outcome = simulateClips(scenario, policy, seed, returnsOf(seed));
    const most = (of: (outcome: ClipOutcome) => number): number => Math.max(of(worst), of(outcome));
    worst = {
      ...worst,
      bodies: most(({ bodies }) => bodies),
      peakPutsPerS: most(({ peakPutsPerS }) => peakPutsPerS),
      putsPeakToMean: most(({ putsPeakToMean }) => putsPeakToMean),
      peakBytesPerS: most(({ peakBytesPerS }) => peakBytesPerS),
      bytesPeakToMean: most(({ bytesPeakToMean }) => bytesPeakToMean),
      t50S: most(({ t50S }) => t50S),
      t99S: most(({ t99S }) => t99S),
      refused: most(({ refused }) => refused),
    };
  }
  return worst;
}

/** PUTs a second of clips that are filmed now, on the mean of a day. */
function ordinaryPutsPerS({ devices, clipsPerDay }: ClipOptions): number {
  return (devices * clipsPerDay * BODIES_PER_CLIP) / DAY_S;
}

function figures(options: ClipOptions, { outageS, outcome }: Row): object {
  const round = (value: number, digits: number): number | null =>
    Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
  return {
    outage_s: outageS,
    policy: outcome.policy,
    bodies: outcome.bodies,
    peak_puts_per_s: outcome.peakPutsPerS,
    puts_peak_to_mean: round(outcome.putsPeakToMean, 2),
    puts_peak_to_ordinary: round(outcome.peakPutsPerS / ordinaryPutsPerS(options), 1),
    peak_bytes_per_s: round(outcome.peakBytesPerS, 0),
    bytes_peak_to_mean: round(outcome.bytesPeakToMean, 2),
    t50_s: round(outcome.t50S, 0),
    t99_s: round(outcome.t99S, 0),
    refused: outcome.refused,
  };
}

function markdown(options: ClipOptions, rows: readonly Row[]): string {
  const { devices, seeds } = options;
  const cells = ({ outageS, outcome }: Row): string[] => [
    `${String(outageS / 60)} min`,
    NAMES[outcome.policy],
    outcome.bodies.toLocaleString('en'),
    outcome.peakPutsPerS.toLocaleString('en'),
    outcome.putsPeakToMean.toFixed(2),
    (outcome.peakPutsPerS / ordinaryPutsPerS(options)).toFixed(1),
    ((outcome.peakBytesPerS * MBIT_PER_BYTE) / 1000).toFixed(1),
    outcome.bytesPeakToMean.toFixed(2),
    outcome.t50S.toFixed(0),
    outcome.t99S.toFixed(0),
  ];
  return [
    `| outage | ${devices.toLocaleString('en')} cameras | bodies that waited | peak, PUTs a second | peak / mean | peak / an ordinary second | peak, Gbit/s | peak / mean | half there after, s | 99 %, s |`,
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${cells(row).join(' | ')} |`),
    '',
    `The worst of ${String(seeds.length)} seeds, figure by figure. An ordinary second has ${ordinaryPutsPerS(options).toFixed(0)} PUTs.`,
  ].join('\n');
}

/** Draws one outage. */
function plotOne({ devices }: ClipOptions, rows: readonly Row[]): void {
  const first = rows.find(({ outageS }) => outageS === DRAWN_MS / 1000) ?? rows[0];
  if (first === undefined) return;
  const shown = rows.filter(({ outageS }) => outageS === first.outageS).map(({ outcome }) => outcome);
  const endsS = first.outageS + Math.max(...shown.map(({ t99S }) => t99S));
  const title = `PUTs a second, ${devices.toLocaleString('en')} cameras after an outage of ${String(first.outageS / 60)} min (logarithmic)`;
  const curves = shown.map(({ policy, puts, peakPutsPerS }) => ({
    name: NAMES[policy],
    perSecond: puts,
    peakPerS: peakPutsPerS,
  }));
  const seconds = Math.ceil(endsS / 600) * 600;
  plot({ name: 'herd-clips', title, seconds, outageMs: first.outageS * 1000, capacityPerS: null }, curves);
}
