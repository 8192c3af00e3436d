import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asSealcamError } from '../../../common/errors.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { measureCosts, type Costs } from './costs.js';
import { runKills, type Sum } from './kills.js';
import { runPowercuts } from './powercuts.js';
import { buildRecorder } from './recorder.js';
import { costsTable, outcomesTable, type Outcome } from './report.js';

const HELP = `npm run crash [-- options]

Kills the outbox and cuts its power, and holds what is left against what it reported as committed: each of those records
is there once, its chain is whole, and produced = receipted + queued + quarantined + lost.

  --kills N       kill -9 so often, at random moments, at statements and in the middle of calls to the system
  --powercuts N   so many disks as they may be after a power cut, from recorded writes and syncs; needs Linux and a C compiler
  --costs         writes, bytes and syncs of an event; opening with an empty queue and with 100,000 records
  --all           1000 of each, and the costs
  --seed S        begins with this camera (1); a failure names camera, life and moment
  --json          one JSON object on stdout
  --save          with kills, power cuts and costs: docs/results/crash.json and the figures in docs/outbox.md
  --help          this text

The control of the kills reports each record before its commit, that of the power cuts runs with synchronous=NORMAL; a
control that loses nothing is a failure.

Exit status: 0 nothing lost, 1 something was, or a control lost nothing, 2 wrong usage, 4 no C compiler.
`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    powercuts: { type: 'string' },
    costs: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const ALL = 1000;
const CONTROL_MAX = 50;
const PROGRESS_MS = 5000;

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function usage(why: string): never {
  say(`crash: ${why}\n\n${HELP}`);
  process.exit(2);
}

function count(text: string | undefined, option: string): number {
  if (text === undefined) return values.all ? ALL : 0;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) usage(`--${option} takes a number from 1 on, not "${text}"`);
  return value;
}

if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const kills = count(values.kills, 'kills');
const powercuts = count(values.powercuts, 'powercuts');
const seed = Number(values.seed);
if (!Number.isInteger(seed) || seed < 1 || seed > 1_000_000) usage('--seed takes a number from 1 to 1000000');
const hasCosts = values.costs || values.all;
if (kills + powercuts === 0 && !hasCosts) usage('--kills, --powercuts, --costs or --all');

function progress(what: string, of: number): (sum: Sum) => void {
  let toldMs = Date.now();
  return ({ cycles, lost, duplicated }) => {
    if (Date.now() - toldMs < PROGRESS_MS) return;
    toldMs = Date.now();
    say(`${what}: ${String(cycles)} of ${String(of)}, ${String(lost)} lost, ${String(duplicated)} doubled`);
  };
}

function tool(folder: string): string | null {
  try {
    return buildRecorder(folder);
  } catch (error) {
    const { code, message, hint } = asSealcamError(error);
    if (code !== 'tool-missing') throw error;
    say(`crash: ${message}. ${hint}`);
    return null;
  }
}

async function main(folder: string): Promise<number> {
  const library = tool(folder);
  if (library === null) {
    if (powercuts > 0 || hasCosts) {
      say('crash: did not run the power cuts: no recorder');
      return 4;
    }
    say('crash: without the recorder no kill comes in the middle of a call');
  }
  const outcomes: Outcome[] = [];
  const run = async (name: Outcome['name'], cycles: number, go: (control: boolean, n: number) => Promise<Sum>) => {
    const begunMs = Date.now();
    const sum = await go(false, cycles);
    const control = await go(true, Math.min(cycles, CONTROL_MAX));
    outcomes.push({ name, sum, control, seed, seconds: Math.round((Date.now() - begunMs) / 1000) });
  };
  if (kills > 0) {
    await run('kills', kills, (isControl, n) => {
      const onCycle = progress(isControl ? 'kills, control' : 'kills', n);
      const ends = isControl ? { reportsEarly: true } : {};
      return runKills({
        kills: n,
        seed,
        library,
        onCycle,
        ...ends,
        folder: mkdtempSync(join(folder, 'kills-')),
      });
    });
  }
  if (powercuts > 0 && library !== null) {
    await run('powercuts', powercuts, (isControl, n) => {
      const onCycle = progress(isControl ? 'power cuts, control' : 'power cuts', n);
      const how = isControl ? { synchronous: 'NORMAL' as const } : {};
      return runPowercuts({
        cuts: n,
        seed,
        library,
        onCycle,
        ...how,
        folder: mkdtempSync(join(folder, 'cuts-')),
      });
    });
  }
  const costs =
    hasCosts && library !== null ? await measureCosts(library, mkdtempSync(join(folder, 'costs-')), say) : null;
  return tell(outcomes, costs);
}

function objectOf({ sum, control, seconds }: Outcome): Record<string, unknown> {
  const { cycles, committed, lost, duplicated, dropped, wrong } = sum;
  return { cycles, committed, lost, duplicated, control_lost: control.lost, dropped, wrong, seed, seconds };
}

function tell(outcomes: readonly Outcome[], costs: Costs | null): number {
  const objects = Object.fromEntries(outcomes.map((outcome) => [outcome.name, objectOf(outcome)]));
  const command = `npm run crash -- ${process.argv
    .slice(2)
    .filter((word) => word !== '--json')
    .join(' ')}`;
  const [only] = outcomes;
  const result =
    outcomes.length === 1 && costs === null && only !== undefined
      ? objectOf(only)
      : { command, ...objects, ...(costs === null ? {} : { costs }) };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else
    process.stdout.write([outcomesTable(outcomes), costs === null ? '' : costsTable(costs)].join('\n\n').trim() + '\n');
  if (values.save && outcomes.length === 2 && costs !== null) {
    saveResult('crash', result);
    writePart('docs/outbox.md', 'crash', outcomesTable(outcomes));
    writePart('docs/outbox.md', 'costs', costsTable(costs));
  }
  let status = 0;
  for (const { name, sum, control } of outcomes) {
    for (const what of sum.wrong) say(`${name}: ${what}`);
    if (control.lost === 0) say(`${name}: the control lost nothing, so this proves nothing`);
    if (sum.wrong.length > 0 || control.lost === 0) status = 1;
  }
  return status;
}

const folder = mkdtempSync(join(tmpdir(), 'sealcam-crash-'));
try {
  process.exitCode = await main(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
