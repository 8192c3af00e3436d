/** `npm run retention`: deletes old records beside ingest. docs/operations.md has the figures. */
import {
  CommandFailure,
  commandLine,
  messageOf,
  numberIn,
  printResult,
  reportViolations,
  runCommand,
  TOOL_MISSING_STATUS,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult, writePart } from '../../../scripts/results.js';
import { STORE_KINDS, type StoreKind } from '../../../cloud/store/kinds.js';
import { missingTool } from '../../support/engines/programs.js';
import { markdown, table, violationsOf, type RetentionFigures } from './report.js';
import { retentionRun } from './run.js';

const HELP = `npm run retention [-- options]

Measures whether retention keeps up with ingest: a store full of records that are due, one cloud on it as shipped, and
signing cameras over Mosquitto. The cloud deletes alone, then while the cameras send as fast as receipts come, and at last
ingests alone; every fourth record has a picture. Afterwards the store is checked: what is left, pictures, signed floors.

  --cameras N     cameras that send, and as many silent ones with old records (default 50)
  --old N         old records of each silent camera (default 1000)
  --records N     new records of each camera that sends (default 1500)
  --seconds S     length of each measurement (default 10)
  --only STORE    ${STORE_KINDS.join(' or ')}
  --ratio R       least ratio of deleted to ingested (default 1)
  --json          print one JSON object on stdout
  --save          also write docs/results/retention.json, with commit and date, and the table in docs/operations.md
  --help          print this text

Exit status: 0 it keeps up and left what it should; 1 otherwise, or a run could not finish; 2 wrong usage; 4 Mosquitto or
PostgreSQL is missing.
`;

interface Options {
  readonly cameras: number;
  readonly old: number;
  readonly records: number;
  readonly seconds: number;
  readonly only: StoreKind | null;
  readonly ratio: number;
  readonly json: boolean;
  readonly save: boolean;
}

async function main(options: Options, { folder, progress, onInterrupt }: CommandContext): Promise<number> {
  const { cameras, old, records, only, ratio, json, save } = options;
  const kinds = STORE_KINDS.filter((kind) => only === null || only === kind);
  const missing = missingTool(kinds.includes('postgres') ? ['mosquitto', 'postgres'] : ['mosquitto']);
  if (missing !== null) throw new CommandFailure(TOOL_MISSING_STATUS, missing);
  const startedMs = performance.now();
  const endings: (() => Promise<unknown>)[] = [];
  const endAll = async (): Promise<void> => {
    // What was started last ends first: cameras and cloud before their broker.
    for (const end of endings.splice(0).reverse()) await end().catch(() => undefined);
  };
  onInterrupt(endAll);
  const settings = {
    folder,
    progress,
    cameras,
    old,
    records,
    windowMs: options.seconds * 1000,
    onStarted: (end: () => Promise<unknown>) => void endings.push(end),
  };
  const stores: RetentionFigures[] = [];
  const failures: string[] = [];
  for (const kind of kinds) {
    try {
      stores.push(await retentionRun(settings, kind));
    } catch (error) {
      failures.push(`${kind}: ${messageOf(error)}`);
      progress(`  could not finish: ${messageOf(error)}`);
    } finally {
      await endAll();
    }
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const result = { stores, failures, seconds, command: commandLine('retention') };
  // A run that could not finish does not replace one that did.
  if (save && failures.length === 0) {
    saveResult('retention', result);
    writePart('docs/operations.md', 'retention', markdown(result));
  }
  printResult(json, result, table(result));
  return reportViolations('retention', violationsOf(result, ratio));
}

function storeNamed(text: string): StoreKind {
  const found = STORE_KINDS.find((kind) => kind === text);
  if (found === undefined) throw new Error(`--only takes ${STORE_KINDS.join(' or ')}`);
  return found;
}

await runCommand({
  name: 'retention',
  help: HELP,
  options: {
    cameras: { type: 'string', default: '50' },
    old: { type: 'string', default: '1000' },
    records: { type: 'string', default: '1500' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
    ratio: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ cameras, old, records, seconds, only, ratio, json, save }): Options => ({
    cameras: wholeNumber('cameras', cameras, 3, 5000),
    old: wholeNumber('old', old, 2, 100_000),
    records: wholeNumber('records', records, 1, 100_000),
    seconds: numberIn('seconds', seconds, 0.5, 600),
    only: only === undefined ? null : storeNamed(only),
    ratio: numberIn('ratio', ratio, 0, 1_000_000),
    json,
    save,
  }),
  main,
});
