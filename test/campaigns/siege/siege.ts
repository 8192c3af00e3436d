/** `npm run siege`: an honest camera and its owner, alone and beside attackers. docs/operations.md has the figures. */
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
import { missingTool } from '../../support/engines/programs.js';
import { postgres } from '../../support/engines/postgres.js';
import { ATTACKS, type AttackName } from './attacks.js';
import { markdown, table, violationsOf, type SiegeCase } from './report.js';
import { besiege } from './run.js';

const HELP = `npm run siege [-- options]

Measures what attackers slow down: 30 receipts of an honest camera, its owner's list of cameras and the records on the
owner's stream, alone and beside an attack. Attacks: idle streams, epochs that name the owner as a member, slow bodies,
flooding cameras, members that ask for offers. Clouds, attackers and the honest side are processes of this machine; every
attacker has a key and an address of 127.0.0.0/8 of its own (Linux), and a load that is bounded in number and in time.

  --only ATTACK   ${ATTACKS.join(', ')}
  --pairs N       pairs of measurements, of which the median counts (default 5)
  --scale X       share of the full size: 50 attackers, 2,500 streams, 1,500 epochs, 300 slow bodies (default 1)
  --flood N       messages of each flooding camera in a second, of 16 records (default 100)
  --ratio R       largest ratio of beside to alone (default 2)
  --postgres      on PostgreSQL instead of SQLite
  --json          print one JSON object on stdout
  --save          also write docs/results/siege.json, with commit and date, and the table in docs/operations.md
  --help          print this text

Exit status: 0 everything arrived, no slower than the ratio; 1 otherwise, or a run could not finish; 2 wrong usage;
4 PostgreSQL is missing.
`;

interface Options {
  readonly only: AttackName | null;
  readonly pairs: number;
  readonly scale: number;
  readonly flood: number;
  readonly ratio: number;
  readonly isPostgres: boolean;
  readonly json: boolean;
  readonly save: boolean;
}

const FULL = { attackers: 50, streams: 2500, epochs: 1500, slowBodies: 300 };
const ATTACKERS_MIN = 4;

async function main(options: Options, { folder, progress, onInterrupt }: CommandContext): Promise<number> {
  const { only, pairs, scale, flood, ratio, isPostgres, json, save } = options;
  const missing = isPostgres ? missingTool(['postgres']) : null;
  if (missing !== null) throw new CommandFailure(TOOL_MISSING_STATUS, missing);
  const startedMs = performance.now();
  const endings: (() => Promise<void>)[] = [];
  const endAll = async (): Promise<void> => {
    await Promise.allSettled(endings.splice(0).map((end) => end()));
  };
  onInterrupt(endAll);
  const server = isPostgres ? postgres(folder) : null;
  if (server !== null) endings.push(() => server.stop());
  const scaled = (full: number): number => Math.max(ATTACKERS_MIN, Math.round(full * scale));
  const settings = {
    folder,
    progress,
    pairs,
    attackers: scaled(FULL.attackers),
    streams: scaled(FULL.streams),
    epochs: scaled(FULL.epochs),
    slowBodies: scaled(FULL.slowBodies),
    floodPerSecond: flood,
    database: (name: string): Promise<string | null> => server?.database(name) ?? Promise.resolve(null),
    onStarted: (end: () => Promise<void>) => void endings.push(end),
  };
  const cases: SiegeCase[] = [];
  const failures: string[] = [];
  try {
    await server?.start();
    for (const attack of ATTACKS) {
      if (only !== null && only !== attack) continue;
      try {
        cases.push(...(await besiege(settings, attack)));
      } catch (error) {
        failures.push(`${attack}: ${messageOf(error)}`);
        progress(`  could not finish: ${messageOf(error)}`);
      }
    }
  } finally {
    await endAll();
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const store = isPostgres ? 'postgres' : 'sqlite';
  const result = { cases, store, pairs, failures, seconds, command: commandLine('siege') } as const;
  // A run that could not finish does not replace one that did.
  if (save && failures.length === 0) {
    saveResult('siege', result);
    writePart('docs/operations.md', 'siege', markdown(result));
  }
  printResult(json, result, table(result));
  return reportViolations('siege', violationsOf(result, ratio));
}

function attackNamed(text: string): AttackName {
  const found = ATTACKS.find((attack) => attack === text);
  if (found === undefined) throw new Error(`--only takes ${ATTACKS.join(', ')}`);
  return found;
}

await runCommand({
  name: 'siege',
  help: HELP,
  options: {
    only: { type: 'string' },
    pairs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    flood: { type: 'string', default: '100' },
    ratio: { type: 'string', default: '2' },
    postgres: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ only, pairs, scale, flood, ratio, postgres: isPostgres, json, save }): Options => ({
    only: only === undefined ? null : attackNamed(only),
    pairs: wholeNumber('pairs', pairs, 1, 101),
    scale: numberIn('scale', scale, 0.01, 1),
    flood: wholeNumber('flood', flood, 1, 1000),
    ratio: numberIn('ratio', ratio, 1, 1_000_000),
    isPostgres,
    json,
    save,
  }),
  main,
});
