/** `npm run matrix`: the programs of version 0.1 with those of this checkout. docs/testing.md says what it is for. */
import { join } from 'node:path';
import {
  commandLine,
  printResult,
  reportViolations,
  runCommand,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult } from '../../../scripts/results.js';
import { playCell, type Age, type Cell, type CellResult, type Programs } from './ownership.js';
import { newProgram, oldProgram } from './programs.js';
import { tableOf, violationsOf, type MatrixResult } from './report.js';
import { Site } from './site.js';
import { playUpgrade, UPGRADES, type UpgradeResult } from './upgrade.js';

/** The last commit without protocol version 2. */
const OLD_COMMIT = 'ac34418';

const HELP = `npm run matrix [-- options]

Plays camera, cloud and page of an older commit with those of this checkout, in every combination, as processes of their own:
a claim, pictures, orders, a second browser of the owner, a release; then fleets that are upgraded part by part and claimed again.
An older commit is checked out and built below .cache the first time, for which npm may need its registry.

  --old COMMIT    an older commit; may be given again (default ${OLD_COMMIT})
  --only N        only the Nth combination, and no upgrade; they are numbered from 1
  --json          print one JSON object on stdout
  --save          also write docs/results/matrix.json, with commit and date
  --help          print this text

Exit status: 0 every combination works as it must; 1 one does not; 2 wrong usage; 4 git, or the older commit, is not here.
`;

interface Options {
  readonly old: readonly string[];
  readonly only: number | null;
  readonly json: boolean;
  readonly save: boolean;
}

const AGES: readonly Age[] = ['old', 'new'];
const CELLS: readonly Cell[] = AGES.flatMap((camera) =>
  AGES.flatMap((cloud) => AGES.map((page) => ({ camera, cloud, page }))),
);

async function main(options: Options, context: CommandContext): Promise<number> {
  const { json, save } = options;
  const startedMs = performance.now();
  const runs: MatrixResult[] = [];
  for (const old of options.old) runs.push(await matrixOf(old, options, context));
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const result = { runs, seconds, command: commandLine('matrix') };
  if (save) saveResult('matrix', result);
  printResult(json, result, tableOf(runs));
  return reportViolations('matrix', runs.flatMap(violationsOf));
}

async function matrixOf(
  old: string,
  { only }: Options,
  { folder, progress, onInterrupt }: CommandContext,
): Promise<MatrixResult> {
  const programs: Programs = { old: await oldProgram(old, progress), new: await newProgram() };
  let sites = 0;
  const siteOf = async (): Promise<Site> => {
    const site = await Site.prepare(join(folder, `${old}-${String(++sites)}`));
    onInterrupt(() => site.stop());
    return site;
  };
  const cells: CellResult[] = [];
  for (const [i, cell] of CELLS.entries()) {
    if (only !== null && only !== i + 1) continue;
    progress(`${old}: camera ${cell.camera}, cloud ${cell.cloud}, page ${cell.page}`);
    cells.push(await playCell(cell, programs, await siteOf()));
  }
  const upgrades: UpgradeResult[] = [];
  for (const order of only === null ? UPGRADES : []) {
    progress(`${old}: upgraded ${order.join(', ')}`);
    upgrades.push(await playUpgrade(order, programs, await siteOf()));
  }
  return { old, cells, upgrades };
}

await runCommand({
  name: 'matrix',
  help: HELP,
  options: {
    old: { type: 'string', multiple: true, default: [OLD_COMMIT] },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ old, only, json, save }): Options => ({
    old,
    only: only === undefined ? null : wholeNumber('only', only, 1, CELLS.length),
    json,
    save,
  }),
  main,
});
