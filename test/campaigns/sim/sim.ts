import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { commandLine, messageOf } from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { PLANTS } from './plants.js';
import { runSeeds } from './run.js';
import { runSeed, type Outcome } from './world.js';

const HELP = `npm run sim [-- options]

A world from one seed: two cameras that run the agent's own code, two households, a broker and the cloud's own ingest, in
virtual time, with everything going wrong that can. docs/simulation.md says what is real in it.

  --seeds N      number of worlds (200)
  --seed S       the first seed (1); alone: only that one
  --trace        print everything that happens, to stderr; with --seed
  --plant NAME   with a planted bug; the first find ends the run: ${Object.keys(PLANTS).join(', ')}
  --threads N    number of threads (one for each core)
  --json         one JSON object on stdout
  --save         also into docs/results/sim.json and docs/simulation.md
  --help         this text

Exit status: 0 every invariant held, 1 one did not (stderr names the seed), 2 wrong usage.
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const values = readArguments();

const SEED_MAX = 2 ** 40;
const PROGRESS_MS = 5000;

function usage(why: string): never {
  process.stderr.write(`sim: ${why}\n\n${HELP}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        trace: { type: 'boolean', default: false },
        plant: { type: 'string' },
        threads: { type: 'string' },
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return usage(messageOf(error));
  }
}

function whole(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > SEED_MAX) usage(`--${name}: a whole number from 1`);
  return value;
}

const from = whole(values.seed, 'seed', 1);
const count = whole(values.seeds, 'seeds', values.seed === undefined ? 200 : 1);
const plant = values.plant ?? null;
if (plant !== null && PLANTS[plant] === undefined) usage(`there is no planted bug ${plant}`);
if (values.trace && count !== 1) usage('--trace is for one seed');
const threads = Math.min(count, whole(values.threads, 'threads', availableParallelism()));

const startedMs = Date.now();
const outcomes: Outcome[] = [];
let reportedMs = startedMs;
const report = (outcome: Outcome): void => {
  outcomes.push(outcome);
  const { seed, violation, atS } = outcome;
  const withPlant = plant === null ? '' : ` --plant ${plant}`;
  if (violation !== null) {
    process.stderr.write(
      `seed ${String(seed)}, at ${String(atS)} s: ${violation}\n` +
        `  npm run sim -- --seed ${String(seed)} --trace${withPlant}\n`,
    );
  }
  if (Date.now() - reportedMs < PROGRESS_MS) return;
  reportedMs = Date.now();
  process.stderr.write(`${String(outcomes.length)} of ${String(count)} seeds\n`);
};
const planted = plant === null ? undefined : PLANTS[plant];
if (values.trace) {
  const print = (line: string): void => void process.stderr.write(`${line}\n`);
  report(await runSeed(from, { print, ...(planted === undefined ? {} : { plant: planted }) }));
} else {
  await runSeeds({ from, count, plant }, threads, report);
}

const seconds = (Date.now() - startedMs) / 1000;
const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
const failed = outcomes.filter(({ violation }) => violation !== null);
const result = {
  command: commandLine('sim'),
  seeds: outcomes.length,
  first_seed: from,
  plant,
  threads,
  seconds: Math.round(seconds),
  seeds_per_minute: Math.round((60 * outcomes.length) / seconds),
  versions: ([2, 1] as const).map((version) => ({
    protocol: version,
    seal_suite: version,
    worlds: outcomes.filter((outcome) => outcome.version === version).length,
  })),
  virtual_hours: Math.round(sum(({ virtualS }) => virtualS) / 3600),
  produced: sum(({ produced }) => produced),
  stored: sum(({ stored }) => stored),
  queued: sum(({ queued }) => queued),
  lost: sum(({ lost }) => lost),
  restarts: sum(({ restarts }) => restarts),
  epochs: sum(({ epochs }) => epochs),
  periods: sum(({ periods }) => periods),
  periods_cut: sum(({ periodsCut }) => periodsCut),
  pictures_opened: sum(({ opened }) => opened),
  publishes: sum(({ publishes }) => publishes),
  segments: {
    produced: sum(({ segments }) => segments.produced),
    stored: sum(({ segments }) => segments.stored),
    queued: sum(({ segments }) => segments.queued),
    lost: sum(({ segments }) => segments.lost),
    opened: sum(({ segments }) => segments.opened),
  },
  uploads: sum(({ uploads }) => uploads),
  media_receipts: sum(({ mediaReceipts }) => mediaReceipts),
  failures: failed.map(({ seed, violation, atS }) => ({ seed, violation, at_s: atS })),
};
if (values.save) {
  saveResult('sim', result);
  writePart('docs/simulation.md', 'sim', table());
}
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else {
  process.stdout.write(
    `${String(result.seeds)} seeds in ${seconds.toFixed(0)} s, ${String(result.seeds_per_minute)} a minute: ` +
      `${failed.length === 0 ? 'every invariant held' : `${String(failed.length)} failed`}\n`,
  );
}
process.exit(failed.length === 0 ? 0 : 1);

function table(): string {
  const number = (value: number): string => value.toLocaleString('en');
  const rows: readonly (readonly [string, string])[] = [
    ['worlds', `${number(result.seeds)}, seeds from ${String(from)}`],
    ['failed', number(failed.length)],
    ['virtual hours', number(result.virtual_hours)],
    ['records made', number(result.produced)],
    ['of them in the cloud at the end', number(result.stored)],
    ['waiting at the camera, and not yet there', number(result.queued)],
    ['lost, with a signed gap (queue full, age, release or reset)', number(result.lost)],
    ['restarts of a camera in the middle of something', number(result.restarts)],
    ['ownerships', number(result.epochs)],
    ['worlds of protocol version 2, every other one', number(outcomes.filter(({ version }) => version === 2).length)],
    ['periods of their cameras, and restarts in one', `${number(result.periods)}, ${number(result.periods_cut)}`],
    ['sealed objects that the right owner opened at the end', number(result.pictures_opened)],
    ['segments of clips that cameras made', number(result.segments.produced)],
    ['of them in the cloud at the end, or there until their age took them', number(result.segments.stored)],
    ['waiting at the camera, and not yet there', number(result.segments.queued)],
    ['lost, with a signed loss (no room, refused, release or reset)', number(result.segments.lost)],
    ['segments that the right owner opened at the end', number(result.segments.opened)],
    ['uploads, and media receipts', `${number(result.uploads)}, ${number(result.media_receipts)}`],
    ['messages published by cameras', number(result.publishes)],
    [`worlds a minute, ${String(threads)} threads`, number(result.seeds_per_minute)],
  ];
  return ['| | |', '|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}
