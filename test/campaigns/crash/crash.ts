/** `npm run crash`: kills the outbox and cuts its power, and checks what is left. docs/outbox.md has the results. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { isSealcamError } from '../../../common/errors.js';
import {
  CommandFailure,
  commandLine,
  printResult,
  reportViolations,
  runCommand,
  throttled,
  TOOL_MISSING_STATUS,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { measureCosts, type Costs } from './costs.js';
import { runKills, type Sum } from './kills.js';
import { runPowercuts } from './powercuts.js';
import { buildRecorder } from './recorder.js';
import { costsTable, outcomesTable, type Outcome } from './report.js';

const HELP = `npm run crash [-- options]

Kills the outbox and cuts its power, and compares what is left with what it reported as committed: each of those records
exists once, its chain is complete, and produced = receipted + queued + quarantined + lost.

  --kills N       kill -9 this many times: at random moments, at statements and inside system calls
  --powercuts N   check this many disks as a power cut may leave them, from recorded writes and syncs
  --costs         measure writes, bytes and syncs of an event, and opening with an empty outbox and with 100,000 records
  --all           1000 of each, and the costs
  --seed S        first camera (1); a failure names its camera, life and moment
  --json          print one JSON object on stdout
  --save          with kills, power cuts and costs: also write docs/results/crash.json and the tables in docs/outbox.md
  --help          print this text

Power cuts, costs and kills inside system calls need Linux and a C compiler. The control of the kills reports each record
before its commit, that of the power cuts runs with synchronous=NORMAL; a control that loses nothing fails the run.

Exit status: 0 nothing was lost, 1 something was, or a control lost nothing, 2 wrong usage, 4 no C compiler.
`;

const ALL_CYCLES = 1000;
const CONTROL_CYCLES_MAX = 50;
const CYCLES_MAX = 1_000_000;

interface Options {
  readonly kills: number;
  readonly powercuts: number;
  readonly hasCosts: boolean;
  readonly seed: number;
  readonly json: boolean;
  readonly save: boolean;
}

/**
 * Compiles the recorder. Returns null where the system cannot run it, since kills need it only for some of their
 * moments.
 */
function recorderIn({ folder, progress }: CommandContext): string | null {
  try {
    return buildRecorder(folder);
  } catch (error) {
    if (!isSealcamError(error) || error.code !== 'tool-missing') throw error;
    progress(`${error.message}. ${error.hint}`);
    return null;
  }
}

async function main(options: Options, context: CommandContext): Promise<number> {
  const { kills, powercuts, hasCosts } = options;
  const { folder, progress } = context;
  const library = recorderIn(context);
  if (library === null) {
    if (powercuts > 0 || hasCosts) {
      throw new CommandFailure(TOOL_MISSING_STATUS, 'power cuts and costs cannot run without the recorder');
    }
    progress('without the recorder no kill comes inside a system call');
  }
  const outcomes: Outcome[] = [];
  if (kills > 0) outcomes.push(await killOutcome(options, library, context));
  if (powercuts > 0 && library !== null) outcomes.push(await powercutOutcome(options, library, context));
  const costs =
    hasCosts && library !== null ? await measureCosts(library, mkdtempSync(join(folder, 'costs-')), progress) : null;
  return report(outcomes, costs, options);
}

async function killOutcome(
  { kills, seed }: Options,
  library: string | null,
  { folder, progress }: CommandContext,
): Promise<Outcome> {
  return withControl({ name: 'kills', cycles: kills, seed }, (isControl, cycles) =>
    runKills({
      kills: cycles,
      seed,
      library,
      reportsEarly: isControl,
      folder: mkdtempSync(join(folder, 'kills-')),
      onCycle: cyclePrinter(isControl ? 'kills, control' : 'kills', cycles, progress),
    }),
  );
}

async function powercutOutcome(
  { powercuts, seed }: Options,
  library: string,
  { folder, progress }: CommandContext,
): Promise<Outcome> {
  return withControl({ name: 'powercuts', cycles: powercuts, seed }, (isControl, cycles) =>
    runPowercuts({
      cuts: cycles,
      seed,
      library,
      ...(isControl ? { synchronous: 'NORMAL' } : {}),
      folder: mkdtempSync(join(folder, 'cuts-')),
      onCycle: cyclePrinter(isControl ? 'power cuts, control' : 'power cuts', cycles, progress),
    }),
  );
}

interface Plan {
  readonly name: Outcome['name'];
  readonly cycles: number;
  readonly seed: number;
}

/** Runs the cycles, then fewer of them without the protection. */
async function withControl(
  { name, cycles, seed }: Plan,
  runCycles: (isControl: boolean, cycles: number) => Promise<Sum>,
): Promise<Outcome> {
  const startedMs = performance.now();
  const sum = await runCycles(false, cycles);
  const control = await runCycles(true, Math.min(cycles, CONTROL_CYCLES_MAX));
  return { name, sum, control, seed, seconds: Math.round((performance.now() - startedMs) / 1000) };
}

function cyclePrinter(what: string, total: number, progress: (text: string) => void): (sum: Sum) => void {
  const sometimes = throttled(progress);
  return ({ cycles, lost, duplicated }) => {
    sometimes(
      () => `${what}: ${String(cycles)} of ${String(total)}, ${String(lost)} lost, ${String(duplicated)} doubled`,
    );
  };
}

function objectOf({ sum, control, seed, seconds }: Outcome): Record<string, unknown> {
  const { cycles, committed, lost, duplicated, dropped, wrong } = sum;
  return { cycles, committed, lost, duplicated, control_lost: control.lost, dropped, wrong, seed, seconds };
}

/** Prints and saves the result. Returns the exit status. */
function report(outcomes: readonly Outcome[], costs: Costs | null, { json, save }: Options): number {
  const objects = Object.fromEntries(outcomes.map((outcome) => [outcome.name, objectOf(outcome)]));
  const [only] = outcomes;
  const result =
    outcomes.length === 1 && costs === null && only !== undefined
      ? objectOf(only)
      : { command: commandLine('crash'), ...objects, ...(costs === null ? {} : { costs }) };
  const tables = [
    ...(outcomes.length === 0 ? [] : [outcomesTable(outcomes)]),
    ...(costs === null ? [] : [costsTable(costs)]),
  ];
  if (save && outcomes.length === 2 && costs !== null) {
    saveResult('crash', result);
    writePart('docs/outbox.md', 'crash', outcomesTable(outcomes));
    writePart('docs/outbox.md', 'costs', costsTable(costs));
  }
  printResult(json, result, tables.join('\n\n'));
  const violations = outcomes.flatMap(({ name, sum, control }) => [
    ...sum.wrong.map((what) => `${name}: ${what}`),
    ...(control.lost === 0 ? [`${name}: the control lost nothing, so this run proves nothing`] : []),
  ]);
  return reportViolations('crash', violations);
}

await runCommand({
  name: 'crash',
  help: HELP,
  options: {
    kills: { type: 'string' },
    powercuts: { type: 'string' },
    costs: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ kills, powercuts, costs, all, seed, json, save }): Options => {
    const cycles = (option: string, text: string | undefined): number => {
      if (text !== undefined) return wholeNumber(option, text, 1, CYCLES_MAX);
      return all ? ALL_CYCLES : 0;
    };
    const options = {
      kills: cycles('kills', kills),
      powercuts: cycles('powercuts', powercuts),
      hasCosts: costs || all,
      seed: wholeNumber('seed', seed, 1, 1_000_000),
      json,
      save,
    };
    if (options.kills + options.powercuts === 0 && !options.hasCosts) {
      throw new Error('one of --kills, --powercuts, --costs or --all is required');
    }
    return options;
  },
  main,
});
