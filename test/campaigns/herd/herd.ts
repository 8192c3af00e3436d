import { parseArgs } from 'node:util';
import { saveResult, writePart } from '../../../scripts/results.js';
import { plot } from './plot.js';
import { runSockets } from './sockets/command.js';
import { POLICIES, sealcam, type MakePolicy } from './policies.js';
import { SCENARIOS, scenarioOf } from './scenarios.js';
import { worstOf, type Outcome, type Scenario } from './simulate.js';

const HELP = `npm run herd [-- options]

A million cameras lose their cloud and come back: a discrete-event simulation that runs the agent's own uplink module,
beside what other clients do, against brokers of limited capacity.

  --devices N      cameras (1000000)
  --outage S       seconds (10)
  --capacity C     connections a second that the brokers finish (5000)
  --told C         capacity that the cameras were told before (that of --capacity)
  --window S       the window itself; else N / 0.7 told, 300 s for the defaults
  --no-hints       refusals say nothing
  --boot           everything boots at once, as after a city's power cut
  --credentials S  every credential is refused for so long after the outage
  --seeds N        the worst of so many (3)
  --sockets N      N real uplinks over mutual TLS and a Mosquitto that is killed and started again, beside the simulation
  --processes P    for their cameras (2)
  --all            every scenario of docs/herd.md, one after the other
  --json           one JSON object on stdout
  --save           with --all or --sockets: docs/results/, docs/pictures/ and the tables in docs/herd.md
  --help           this text

Exit status: 0; 1 if a record on the real sockets was lost, doubled or mis-bound; 2 wrong usage; 4 a tool is missing.
`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000000' },
    outage: { type: 'string', default: '10' },
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
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function positive(text: string, option: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  say(`herd: --${option} takes a number, not "${text}"`);
  process.exit(2);
}

const seeds = Array.from({ length: Math.max(1, positive(values.seeds, 'seeds')) }, (_, i) => i + 1);

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

function run(name: string, scenario: Scenario, policies: readonly MakePolicy[]): Outcome[] {
  return policies.map((make) => {
    const begun = process.hrtime.bigint();
    const outcome = worstOf(scenario, make, seeds);
    say(`${name}: ${outcome.name}, ${(Number(process.hrtime.bigint() - begun) / 1e9).toFixed(1)} s`);
    return outcome;
  });
}

function object(scenario: Scenario, outcomes: readonly Outcome[]): object {
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

function table(name: string, scenario: Scenario, outcomes: readonly Outcome[]): void {
  process.stdout.write(`\n${name}\n${'client'.padEnd(28)}peak/s  peak/mean    t99 s  floor s  attempts  refused\n`);
  for (const outcome of outcomes) {
    const cells = [
      String(outcome.peakPerS).padStart(7),
      outcome.peakToMean.toFixed(2).padStart(10),
      outcome.t99S.toFixed(0).padStart(8),
      ((0.99 * scenario.devices) / scenario.capacityPerS).toFixed(0).padStart(8),
      outcome.attemptsPerDevice.toFixed(2).padStart(9),
      String(outcome.refused).padStart(9),
    ];
    process.stdout.write(`${outcome.name.padEnd(27)}${cells.join(' ')}\n`);
  }
}

function markdown(name: string, scenario: Scenario, outcomes: readonly Outcome[]): string {
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

if (values.sockets !== undefined) {
  process.exitCode = await runSockets({
    cameras: positive(values.sockets, 'sockets'),
    processes: positive(values.processes, 'processes'),
    outageMs: positive(values.outage, 'outage') * 1000,
    windowMs: positive(values.window ?? '120', 'window') * 1000,
    json: values.json,
    save: values.save,
    say,
  });
} else if (values.all) {
  const devices = positive(values.devices, 'devices');
  const results = SCENARIOS.map(({ name, change, withOthers }) => {
    const scenario = scenarioOf({ devices, ...change });
    const outcomes = run(name, scenario, withOthers === true ? POLICIES : [sealcam]);
    if (!values.json) table(name, scenario, outcomes);
    return { name, scenario, outcomes };
  });
  const saved = results.map(({ name, scenario, outcomes }) => ({ scenario: name, ...object(scenario, outcomes) }));
  const command = `npm run herd -- --all --devices ${String(devices)} --seeds ${String(seeds.length)}`;
  if (values.json) process.stdout.write(`${JSON.stringify({ command, scenarios: saved })}\n`);
  if (values.save) {
    saveResult('herd', { command, scenarios: saved });
    const [first] = results;
    if (first !== undefined) {
      const { outageMs, capacityPerS } = first.scenario;
      const title = `Connects a second, ${devices.toLocaleString('en')} cameras after an outage of ${String(outageMs / 1000)} s (logarithmic)`;
      plot({ name: 'herd', title, seconds: 420, outageMs, capacityPerS }, first.outcomes);
    }
    const parts = results.map(({ name, scenario, outcomes }) => markdown(name, scenario, outcomes));
    writePart('docs/herd.md', 'herd', parts.join('\n\n'));
    if (first !== undefined) writePart('README.md', 'herd', markdown(first.name, first.scenario, first.outcomes));
  }
} else {
  const capacityPerS = positive(values.capacity, 'capacity');
  const scenario = scenarioOf({
    devices: positive(values.devices, 'devices'),
    outageMs: positive(values.outage, 'outage') * 1000,
    capacityPerS,
    toldPerS: values.told === undefined ? capacityPerS : positive(values.told, 'told'),
    ...(values.window === undefined ? {} : { windowMs: positive(values.window, 'window') * 1000 }),
    isBoot: values.boot,
    hints: !values['no-hints'],
    credentialsFailMs: positive(values.credentials, 'credentials') * 1000,
  });
  const outcomes = run('herd', scenario, POLICIES);
  if (values.json) process.stdout.write(`${JSON.stringify(object(scenario, outcomes))}\n`);
  else table('herd', scenario, outcomes);
}
