/** `npm run page:bench`: the owner's page on a slow line, and with many events. docs/testing.md names it. */
import { join } from 'node:path';
import {
  CommandFailure,
  commandLine,
  printResult,
  runCommand,
  TOOL_MISSING_STATUS,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult } from '../../../scripts/results.js';
import { missingTool } from '../../support/engines/programs.js';
import { launch } from '../../support/engines/browser.js';
import { timeOpening } from './opening.js';
import { Site } from './site.js';
import { FAST, Owner, type MainThreadFigures, type VisitFigures } from './visit.js';

const HELP = `npm run page:bench [-- options]

Measures how long an owner waits on a slow line for the first event and the first opened picture, in Chromium, and what a
new event costs when the page holds many. Cloud, broker and page's host run on this machine; the line is Chromium's
imitation. Times are this machine's: compare them with the floor, which is the line's.

  --cameras N   cameras of the owner (default 4)
  --events N    events of each camera for the visits (default 100)
  --many N      events in all for the second measurement; 0 leaves it out (default 10000)
  --kbit N      bandwidth, kbit/s (default 1600)
  --latency N   added to each request, ms (default 150)
  --visits N    cold visits, of which the median counts (default 3); 0 times only how pictures are opened, suite 1 beside 2
  --json        print one JSON object on stdout
  --save        also write docs/results/page.json, with commit and date
  --help        print this text

Exit status: 0 measured; 1 failed; 2 wrong usage; 4 Chromium is missing.
`;

interface Options {
  readonly cameras: number;
  readonly events: number;
  readonly many: number;
  readonly kbit: number;
  readonly latency: number;
  readonly visits: number;
  readonly json: boolean;
  readonly save: boolean;
}

const CHANGES = 5;
/** Pictures that are scrolled through, this often each way. */
const SCROLL = { pictures: 48, rounds: 5 };

await runCommand({
  name: 'page:bench',
  help: HELP,
  options: {
    cameras: { type: 'string', default: '4' },
    events: { type: 'string', default: '100' },
    many: { type: 'string', default: '10000' },
    kbit: { type: 'string', default: '1600' },
    latency: { type: 'string', default: '150' },
    visits: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ cameras, events, many, kbit, latency, visits, json, save }): Options => ({
    cameras: wholeNumber('cameras', cameras, 1, 64),
    events: wholeNumber('events', events, 1, 10_000),
    many: wholeNumber('many', many, 0, 100_000),
    kbit: wholeNumber('kbit', kbit, 50, 1_000_000),
    latency: wholeNumber('latency', latency, 0, 10_000),
    visits: wholeNumber('visits', visits, 0, 50),
    json,
    save,
  }),
  main,
});

async function main(options: Options, { folder, progress, onInterrupt }: CommandContext): Promise<number> {
  const missing = missingTool(['chromium']);
  if (missing !== null) throw new CommandFailure(TOOL_MISSING_STATUS, missing);
  const { cameras, events, many, kbit, latency, visits, json, save } = options;
  const browser = await launch();
  onInterrupt(() => browser.close());
  const line = { kbitPerSecond: kbit, latencyMs: latency };
  const onSite = async <T>(name: string, perCamera: number, work: (owner: Owner) => Promise<T>): Promise<T> => {
    const site = await Site.open({ folder: join(folder, name), cameras, events: perCamera, progress });
    try {
      return await work(await Owner.arrive(browser, site));
    } finally {
      await site.close();
    }
  };
  try {
    const opening = await timeOpening(browser, folder);
    progress(`opening: ${JSON.stringify(opening)}`);
    if (visits === 0) {
      printResult(json, { command: commandLine('page:bench'), opening }, `${JSON.stringify(opening, null, 2)}\n`);
      return 0;
    }
    const visited = await onSite('visits', events, async (owner) => {
      const cold: VisitFigures[] = [];
      for (let i = 0; i < visits; i++) {
        cold.push(await owner.visit(line, true));
        progress(`cold visit: ${JSON.stringify(cold.at(-1))}`);
      }
      const warm = await owner.visit(line, false);
      progress(`warm visit: ${JSON.stringify(warm)}`);
      const scroll = await scrollOf(owner);
      progress(`scrolling: ${JSON.stringify(scroll)}`);
      return { cold: middleOf(cold, ({ firstPictureMs }) => firstPictureMs), warm, scroll };
    });
    const sizes: SizeFigures[] = [];
    // Few events beside many, in the same run: the page must not cost more for what it does not draw.
    for (const perCamera of many === 0 ? [] : [events, Math.ceil(many / cameras)]) {
      sizes.push(await onSite(String(perCamera), perCamera, (owner) => sizeOf(owner, perCamera * cameras, progress)));
      progress(JSON.stringify(sizes.at(-1)));
    }
    const result = { command: commandLine('page:bench'), cameras, events, line, opening, ...visited, sizes };
    if (save) saveResult('page', result);
    printResult(json, result, `${JSON.stringify(result, null, 2)}\n`);
    return 0;
  } finally {
    await browser.close();
  }
}

interface ScrollComparison {
  readonly pictures: number;
  readonly withWorker: MainThreadFigures;
  readonly without: MainThreadFigures;
}

/** Scrolls with and without the worker that opens pictures, in turn. */
async function scrollOf(owner: Owner): Promise<ScrollComparison> {
  const { pictures, rounds } = SCROLL;
  const withWorker: MainThreadFigures[] = [];
  const without: MainThreadFigures[] = [];
  const cpu = ({ cpuMs }: MainThreadFigures): number => cpuMs;
  for (let i = 0; i < rounds; i++) {
    withWorker.push(await owner.scroll(pictures, true));
    without.push(await owner.scroll(pictures, false));
  }
  return { pictures, withWorker: middleOf(withWorker, cpu), without: middleOf(without, cpu) };
}

interface SizeFigures {
  readonly events: number;
  /** What each new event cost, ascending. */
  readonly changes: readonly MainThreadFigures[];
  readonly heapMiB: number;
  /** Elements in the document. */
  readonly elements: number;
}

async function sizeOf(owner: Owner, events: number, progress: CommandContext['progress']): Promise<SizeFigures> {
  await owner.visit(FAST, false);
  await owner.loadAll(progress);
  const changes: MainThreadFigures[] = [];
  for (let i = 0; i < CHANGES; i++) changes.push(await owner.change(i));
  return { events, changes: changes.sort((a, b) => a.cpuMs - b.cpuMs), ...(await owner.size()) };
}

function middleOf<T>(figures: readonly T[], size: (figure: T) => number): T {
  const middle = [...figures].sort((a, b) => size(a) - size(b))[Math.floor(figures.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}
