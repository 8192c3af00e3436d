/**
 * `npm run herd`: how a fleet reconnects after an outage, simulated and, with --sockets, measured. docs/herd.md explains
 * the figures.
 */
import {
  commandLine,
  numberIn,
  printResult,
  runCommand,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { runClips } from './clips/command.js';
import { plot } from './plot.js';
import { runSockets } from './sockets/command.js';
import { POLICIES, sealcam, type MakePolicy } from './policies.js';
import { SCENARIOS, scenarioOf } from './scenarios.js';
import { worstOf, type Outcome, type Scenario } from './simulate.js';

const HELP = `npm run herd [-- options]

Simulates a million cameras that lose their cloud and reconnect: a discrete-event simulation that runs the agent's own
uplink state machine, beside the policies of other clients, against brokers of limited capacity.

  --devices N      cameras (1000000)
  --outage S       length of the outage in seconds (10; with --clips 10 min, 30 min, 2 h
                   and 8 h)
  --capacity C     connections a second that the brokers complete (5000)
  --told C         capacity that the cameras last received from the cloud (that of --capacity)
  --window S       reconnect window in seconds (N / 0.7 C of --told; 300 s for the defaults)
  --no-hints       refusals carry no retry-after
  --boot           all cameras boot at the same time, as after a city's power cut
  --credentials S  seconds after the outage in which every credential is refused
  --seeds N        report the worst of this many seeds (3)
  --sockets N      instead: N real uplinks over mutual TLS and a Mosquitto that is killed and restarted, beside the simulation
  --processes P    processes of those cameras (2)
  --all            instead: every scenario of docs/herd.md
  --clips          instead: the uploads of the clips that were filmed meanwhile, beside clients that upload all at once
  --clips-per-day N  of each camera (10)
  --puts C         with --clips: bodies a second that the cloud takes; more are refused as busy (no limit)
  --json           print one JSON object on stdout
  --save           with --all, --sockets or --clips: also write docs/results/, docs/pictures/ and the tables in docs/herd.md
  --help           print this text

Exit status: 0 done; 1 a record on the real sockets was lost, doubled or mis-bound; 2 wrong usage; 4 a tool is missing.
`;

const COUNT_MAX = 10_000_000;
const SECONDS_MAX = 1_000_000;
const PLOT_S = 420;
const OUTAGE_MS = 10_000;

interface Options {
  readonly mode: 'sockets' | 'clips' | 'all' | 'one';
  readonly devices: number;
  /** Null for the default of the mode. */
  readonly outageMs: number | null;
  readonly capacityPerS: number;
  readonly toldPerS: number;
  /** Null for the default of the mode. */
  readonly windowMs: number | null;
  readonly hasHints: boolean;
  readonly isBoot: boolean;
  readonly credentialsFailMs: number;
  readonly seeds: readonly number[];
  readonly sockets: number;
  readonly processes: number;
  readonly clipsPerDay: number;
  readonly putsPerS: number;
  readonly json: boolean;
  readonly save: boolean;
}

function row(scenario: Scenario, outcome: Outcome): object {
  const round = (value: number, digits = 2): number | null =>
    Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
  return {
    name: outcome.name,
    peak_per_s: outcome.peakPerS,
    peak_to_mean: round(outcome.peakToMean),
    t99_s: round(outcome.t99S, 0),
    floor_s: round((0.99 * scenario.devices) / scenario.capacityPerS, 0),
    attempts_per_device: round(outcome.attemptsPerDevice),
    refused: outcome.refused,
    ingest_peak_per_s: outcome.ingestPeakPerS,
  };
}

interface Batch {
  readonly name: string;
  readonly scenario: Scenario;
  readonly policies: readonly MakePolicy[];
  readonly seeds: readonly number[];
}

function simulateAll({ name, scenario, policies, seeds }: Batch, progress: (text: string) => void): Outcome[] {
  return policies.map((make) => {
    const outcome = worstOf(scenario, make, seeds);
    progress(`${name}: ${outcome.name}`);
    return outcome;
  });
}

function object(scenario: Scenario, outcomes: readonly Outcome[], seeds: readonly number[]): object {
  return {
    devices: scenario.devices,
    outage_s: scenario.outageMs / 1000,
    capacity_per_s: scenario.capacityPerS,
    window_s: scenario.windowMs / 1000,
    hints: scenario.hints,
    seeds: seeds.length,
    policies: outcomes.map((outcome) => row(scenario, outcome)),
  };
}

function table(name: string, scenario: Scenario, outcomes: readonly Outcome[]): string {
  const lines = ['', name, `${'client'.padEnd(28)}peak/s  peak/mean    t99 s  floor s  attempts  refused`];
  for (const outcome of outcomes) {
    const cells = [
      String(outcome.peakPerS).padStart(7),
      outcome.peakToMean.toFixed(2).padStart(10),
      outcome.t99S.toFixed(0).padStart(8),
      ((0.99 * scenario.devices) / scenario.capacityPerS).toFixed(0).padStart(8),
      outcome.attemptsPerDevice.toFixed(2).padStart(9),
      String(outcome.refused).padStart(9),
    ];
    lines.push(`${outcome.name.padEnd(27)}${cells.join(' ')}`);
  }
  return lines.join('\n');
}

function markdown(name: string, scenario: Scenario, outcomes: readonly Outcome[], seeds: readonly number[]): string {
  const floorS = (0.99 * scenario.devices) / scenario.capacityPerS;
  const cells = (outcome: Outcome): string[] => [
    outcome.peakPerS.toLocaleString('en'),
    Number.isFinite(outcome.peakToMean) ? outcome.peakToMean.toFixed(2) : '–',
    Number.isFinite(outcome.t99S)
      ? `${outcome.t99S.toFixed(0)} (${(outcome.t99S / floorS).toFixed(2)} × floor)`
      : 'never',
    Number.isFinite(outcome.t99S)
      ? outcome.attemptsPerDevice.toFixed(2)
      : `over ${outcome.attemptsPerDevice.toFixed(0)}`,
    outcome.refused.toLocaleString('en'),
    outcome.ingestPeakPerS.toLocaleString('en'),
  ];
  return [
    `**${name}**: ${scenario.devices.toLocaleString('en')} cameras, ${scenario.capacityPerS.toLocaleString('en')} connections a second, the worst of ${String(seeds.length)} seeds`,
    '',
    '| client | peak, connects a second | peak / mean | 99 % back after, s | attempts a camera | refused | ingest peak, records a second |',
    '|---|---|---|---|---|---|---|',
    ...outcomes.map((outcome) => `| ${[outcome.name, ...cells(outcome)].join(' | ')} |`),
  ].join('\n');
}

function runOne(options: Options, { progress }: CommandContext): number {
  const { devices, outageMs, capacityPerS, toldPerS, windowMs, isBoot, hasHints, credentialsFailMs, seeds } = options;
  const scenario = scenarioOf({
    devices,
    outageMs: outageMs ?? OUTAGE_MS,
    capacityPerS,
    toldPerS,
    ...(windowMs === null ? {} : { windowMs }),
    isBoot,
    hints: hasHints,
    credentialsFailMs,
  });
  const outcomes = simulateAll({ name: 'herd', scenario, policies: POLICIES, seeds }, progress);
  printResult(options.json, object(scenario, outcomes, seeds), table('herd', scenario, outcomes));
  return 0;
}

function runAll({ devices, seeds, json, save }: Options, { progress }: CommandContext): number {
  const results = SCENARIOS.map(({ name, change, withOthers }) => {
    const scenario = scenarioOf({ devices, ...change });
    const policies = withOthers === true ? POLICIES : [sealcam];
    return { name, scenario, outcomes: simulateAll({ name, scenario, policies, seeds }, progress) };
  });
  const command = commandLine('herd');
  const scenarios = results.map(({ name, scenario, outcomes }) => ({
    scenario: name,
    ...object(scenario, outcomes, seeds),
  }));
  if (save) {
    saveResult('herd', { command, scenarios });
    const parts = results.map(({ name, scenario, outcomes }) => markdown(name, scenario, outcomes, seeds));
    writePart('docs/herd.md', 'herd', parts.join('\n\n'));
    const [first] = results;
    if (first !== undefined) {
      const { outageMs, capacityPerS } = first.scenario;
      const title = `Connects a second, ${devices.toLocaleString('en')} cameras after an outage of ${String(outageMs / 1000)} s (logarithmic)`;
      plot({ name: 'herd', title, seconds: PLOT_S, outageMs, capacityPerS }, first.outcomes);
      writePart('README.md', 'herd', markdown(first.name, first.scenario, first.outcomes, seeds));
    }
  }
  const tables = results.map(({ name, scenario, outcomes }) => table(name, scenario, outcomes));
  printResult(json, { command, scenarios }, tables.join('\n'));
  return 0;
}

await runCommand({
  name: 'herd',
  help: HELP,
  options: {
    devices: { type: 'string', default: '1000000' },
    outage: { type: 'string' },
    capacity: { type: 'string', default: '5000' },
    told: { type: 'string' },
    window: { type: 'string' },
    'no-hints': { type: 'boolean', default: false },
    boot: { type: 'boolean', default: false },
    credentials: { type: 'string', default: '0' },
    seeds: { type: 'string', default: '3' },
    sockets: { type: 'string' },
    processes: { type: 'string', default: '2' },
    all: { type: 'boolean', default: false },
    clips: { type: 'boolean', default: false },
    'clips-per-day': { type: 'string', default: '10' },
    puts: { type: 'string' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: (values): Options => {
    const milliseconds = (name: string, text: string): number => 1000 * numberIn(name, text, 0, SECONDS_MAX);
    const simulation = values.clips ? 'clips' : values.all ? 'all' : 'one';
    return {
      mode: values.sockets === undefined ? simulation : 'sockets',
      devices: wholeNumber('devices', values.devices, 1, COUNT_MAX),
      outageMs: values.outage === undefined ? null : milliseconds('outage', values.outage),
      capacityPerS: numberIn('capacity', values.capacity, 1, COUNT_MAX),
      toldPerS: numberIn('told', values.told ?? values.capacity, 1, COUNT_MAX),
      windowMs: values.window === undefined ? null : milliseconds('window', values.window),
      hasHints: !values['no-hints'],
      isBoot: values.boot,
      credentialsFailMs: milliseconds('credentials', values.credentials),
      seeds: Array.from({ length: wholeNumber('seeds', values.seeds, 1, 1000) }, (_, i) => i + 1),
      sockets: wholeNumber('sockets', values.sockets ?? '1', 1, 20_000),
      processes: wholeNumber('processes', values.processes, 1, 64),
      clipsPerDay: numberIn('clips-per-day', values['clips-per-day'], 0.01, 10_000),
      putsPerS: values.puts === undefined ? Infinity : numberIn('puts', values.puts, 1, COUNT_MAX),
      json: values.json,
      save: values.save,
    };
  },
  main: (options, context) => {
    switch (options.mode) {
      case 'sockets':
        return runSockets({ ...options, outageMs: options.outageMs ?? OUTAGE_MS, cameras: options.sockets }, context);
      case 'clips':
        return runClips(options, context);
      case 'all':
        return runAll(options, context);
      case 'one':
        return runOne(options, context);
    }
  },
});
