/** `npm run golden`: plays the golden scenarios at every frame rate, in both lights and compressions, and draws their sheets. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_NAMES, type GoldenName } from '../../../hal/mock-scenarios.js';
import { GOLDEN } from '../../../hal/mock/golden.js';
import { printResult, runCommand, wholeNumber } from '../../../scripts/command.js';
import { KNOWN_FAILING } from '../../support/golden/known-failing.js';
import { faultsOf, openShare, playGolden, type Play } from '../../support/golden/play.js';
import { drawOverview, drawSheet } from './sheet.js';

const HELP = `npm run golden [-- NAME…] [options]

Plays golden scenarios (all of them without a NAME) at 2, 5, 10 and 25 frames a second, by day and by night, drawn as the small
plane and as JPEGs of two qualities, and compares the events with what a person would say.

  --planes       the small plane alone, which takes two minutes; JPEGs take an hour and more
  --own          each scenario as it is, at its own frame rate and in its own light
  --seeds N      seeds for each play; default 1
  --sheets DIR   instead: draw a contact sheet of each scenario there, and one of all of them, all.png
  --json         print JSON
  --help         print this text

Exit status: 0 played, 1 with --own one failed that is not known to fail, 2 wrong usage.
`;

const RATES = [2, 5, 10, 25];
const QUALITIES = [82, 25];

interface Options {
  readonly names: readonly GoldenName[];
  readonly planes: boolean;
  readonly own: boolean;
  readonly seeds: number;
  readonly sheets: string | undefined;
  readonly json: boolean;
}

/** A scenario in all its plays. */
interface Row {
  readonly name: GoldenName;
  readonly plays: number;
  readonly passed: number;
  /** Mean share of the visits for which an event was open; null without a visit. */
  readonly coverage: number | null;
  readonly isKnownFailing: boolean;
  readonly faults: readonly string[];
}

await runCommand({
  name: 'golden',
  help: HELP,
  options: {
    planes: { type: 'boolean', default: false },
    own: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1' },
    sheets: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  positionalsMax: GOLDEN_NAMES.length,
  readOptions: ({ planes, own, seeds, sheets, json }, given): Options => {
    const names = given.map((one) => {
      const name = GOLDEN_NAMES.find((known) => known === one);
      if (name === undefined) throw new Error(`there is no golden scenario ${one}`);
      return name;
    });
    const all = names.length === 0 ? GOLDEN_NAMES : names;
    return { names: all, planes, own, seeds: wholeNumber('seeds', seeds, 1, 100), sheets, json };
  },
  main: async (options, { progress }) => {
    const { names, sheets, json } = options;
    if (sheets !== undefined) {
      mkdirSync(sheets, { recursive: true });
      for (const name of names) writeFileSync(join(sheets, `${name}.png`), await drawSheet(name));
      writeFileSync(join(sheets, 'all.png'), await drawOverview(names));
      return 0;
    }
    const rows: Row[] = [];
    for (const name of names) {
      rows.push(await rowOf(name, playsOf(name, options)));
      progress(`${String(rows.length)}/${String(names.length)} ${name}`);
    }
    printResult(json, rows, textOf(rows));
    return options.own && rows.some(({ passed, plays, isKnownFailing }) => passed < plays && !isKnownFailing) ? 1 : 0;
  },
});

function playsOf(name: GoldenName, { planes, own, seeds }: Options): readonly Play[] {
  const { isNight = false, isLightFixed = false } = GOLDEN[name];
  const lights = own || isLightFixed ? [{}] : [{ isNight }, { isNight: !isNight }];
  const rates = own ? [{}] : RATES.map((framesPerSecond) => ({ framesPerSecond }));
  const pictures = own || planes ? [{}] : [{}, ...QUALITIES.map((quality) => ({ quality }))];
  return Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
    lights.flatMap((light) =>
      rates.flatMap((rate) => pictures.map((picture): Play => ({ seed, ...light, ...rate, ...picture }))),
    ),
  );
}

async function rowOf(name: GoldenName, plays: readonly Play[]): Promise<Row> {
  const faults: string[] = [];
  const shares: number[] = [];
  let passed = 0;
  for (const play of plays) {
    const played = await playGolden(name, play);
    const wrong = faultsOf(name, play, played);
    if (wrong.length === 0) passed++;
    else faults.push(`${JSON.stringify(play)}: ${wrong.join('; ')}: ${JSON.stringify(played.events)}`);
    for (const [fromMs, toMs] of GOLDEN[name].events) shares.push(openShare(played.events, fromMs, toMs));
  }
  const coverage = shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return { name, plays: plays.length, passed, coverage, isKnownFailing: KNOWN_FAILING[name] !== undefined, faults };
}

function textOf(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ name, plays, passed, coverage, isKnownFailing, faults }) => [
    `${name.padEnd(20)} ${String(passed).padStart(3)} of ${String(plays).padEnd(3)} as expected` +
      (coverage === null ? '' : `, open for ${(100 * coverage).toFixed(0)} % of the visits`) +
      (isKnownFailing ? ', known to fail' : ''),
    ...faults.map((fault) => `    ${fault}`),
  ]);
  const whole = rows.filter(({ passed, plays }) => passed === plays).length;
  return [...lines, `${String(whole)} of ${String(rows.length)} scenarios as expected in all their plays`].join('\n');
}
