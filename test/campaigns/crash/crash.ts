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
import { hasTool, remedyOf } from '../../support/engines/programs.js';
import { measureCosts, type Costs } from './costs.js';
import { clipParts, killParts, outcomeOf, powercutParts, violationsOf, type Outcome, type Part } from './outcomes.js';
import { buildRecorder } from './recorder.js';
import { costsTable, outcomeObject, outcomesTable } from './report.js';

const HELP = `npm run crash [-- options]

Kills the outbox and cuts its power, and compares what is left with what it reported as committed: each of those records
exists once, its chain is complete, and produced = receipted + queued + quarantined + lost. Every other camera has claims of
version 2: its owner opens every picture that is left with the key records that are left. The same for a cloud whose
retention crosses the ends of periods, with a fifth of the cycles: SQLite, and PostgreSQL where it is installed.

  --kills N       kill -9 this many times: at random moments, at statements and inside system calls
  --powercuts N   check this many disks as a power cut may leave them, from recorded writes and syncs
  --clips         the outbox only, of cameras that make clips: no body that a record named is lost, or sent again after its
                  media receipt; in the control of the power cuts bodies are not synced before their rows
  --costs         measure writes, bytes and syncs of an event, and opening with an empty outbox and with 100,000 records
  --all           1000 of each, and the costs
  --seed S        first camera (1); a failure names its camera, life and moment
  --json          print one JSON object on stdout
  --save          with kills, power cuts and costs: also write docs/results/crash.json and the tables in docs/outbox.md
  --help          print this text

Power cuts, costs and kills inside system calls need Linux and a C compiler. The control of the kills reports each record
before its commit, that of the power cuts runs with synchronous=NORMAL; another drops key records as ordinary records. A
control that loses nothing, or leaves nothing that nobody can open, fails the run.

Exit status: 0 nothing was lost, 1 something was, or a control lost nothing, 2 wrong usage, 4 no C compiler.
`;

const ALL_CYCLES = 1000;
const CYCLES_MAX = 1_000_000;

interface Options {
  readonly kills: number;
  readonly powercuts: number;
  readonly hasCosts: boolean;
  readonly hasClips: boolean;
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
  const { kills, powercuts, hasCosts, hasClips } = options;
  const { folder, progress } = context;
  const library = recorderIn(context);
  if (library === null) {
    if (powercuts > 0 || hasCosts) {
      throw new CommandFailure(TOOL_MISSING_STATUS, 'power cuts and costs cannot run without the recorder');
    }
    progress('without the recorder no kill comes inside a system call');
  }
  const settings = { seed: options.seed, folder, library };
  const parts: Part[] = hasClips ? clipParts(kills, powercuts, settings) : [];
  const hasPostgres = hasTool('postgres');
  if (hasClips) return report(await outcomesOf(parts, options, progress), null, options);
  if (kills > 0) parts.push(...killParts(kills, settings, hasPostgres));
  if (kills > 0 && !hasPostgres) progress(`no cloud on PostgreSQL: ${remedyOf('postgres')}`);
  if (powercuts > 0 && library !== null) parts.push(...powercutParts(powercuts, { ...settings, library }));
  const outcomes = await outcomesOf(parts, options, progress);
  const costs =
    hasCosts && library !== null ? await measureCosts(library, mkdtempSync(join(folder, 'costs-')), progress) : null;
  return report(outcomes, costs, options);
}

async function outcomesOf(
  parts: readonly Part[],
  options: Options,
  progress: CommandContext['progress'],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const sometimes = throttled(progress);
  for (const part of parts) {
    const outcome = await outcomeOf(part, options.seed, (what, total, { cycles, lost, unopenable }) => {
      sometimes(
        () =>
          `${what}: ${String(cycles)} of ${String(total)}, ${String(lost)} lost, ${String(unopenable)} that nobody can open`,
      );
    });
    outcomes.push(outcome);
  }
  return outcomes;
}

/** Prints and saves the result. Returns the exit status. */
function report(outcomes: readonly Outcome[], costs: Costs | null, { kills, powercuts, json, save }: Options): number {
  const objects = Object.fromEntries(outcomes.map((outcome) => [outcome.name, outcomeObject(outcome)]));
  const [only] = outcomes;
  const isOne = costs === null && (kills === 0) !== (powercuts === 0);
  // Of kills or power cuts alone, the outbox's part stands at the top.
  const result =
    isOne && only !== undefined
      ? { ...outcomeObject(only), ...Object.fromEntries(Object.entries(objects).slice(1)) }
      : { command: commandLine('crash'), ...objects, ...(costs === null ? {} : { costs }) };
  const tables = [
    ...(outcomes.length === 0 ? [] : [outcomesTable(outcomes)]),
    ...(costs === null ? [] : [costsTable(costs)]),
  ];
  if (save && kills > 0 && powercuts > 0 && costs !== null) {
    saveResult('crash', result);
    writePart('docs/outbox.md', 'crash', outcomesTable(outcomes));
    writePart('docs/outbox.md', 'costs', costsTable(costs));
  }
  printResult(json, result, tables.join('\n\n'));
  return reportViolations('crash', outcomes.flatMap(violationsOf));
}

await runCommand({
  name: 'crash',
  help: HELP,
  options: {
    kills: { type: 'string' },
    powercuts: { type: 'string' },
    clips: { type: 'boolean', default: false },
    costs: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ kills, powercuts, clips, costs, all, seed, json, save }): Options => {
    const cycles = (option: string, text: string | undefined): number => {
      if (text !== undefined) return wholeNumber(option, text, 1, CYCLES_MAX);
      return all ? ALL_CYCLES : 0;
    };
    const options = {
      kills: cycles('kills', kills),
      powercuts: cycles('powercuts', powercuts),
      hasCosts: costs || all,
      hasClips: clips,
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
