/** `npm run bench`: times the stages of an event beside floors that are timed in the same run. */
import { comparisonText, compareWithSaved } from './bench/against-saved.js';
import { clipLine } from './bench/clip-figures.js';
import { benchClips } from './bench/clips.js';
import { benchDetector, detectorTable } from './bench/detector.js';
import { benchHandshake } from './bench/handshake.js';
import { benchIngest } from './bench/ingest.js';
import { lookLine } from './bench/look-figures.js';
import { benchLooks } from './bench/looks.js';
import { benchMemory } from './bench/memory.js';
import type { Figure } from './bench/measure.js';
import { benchOpening } from './bench/opening.js';
import { benchSeals } from './bench/seals.js';
import { benchStages, wireBytes } from './bench/stages.js';
import { benchStart } from './bench/start.js';
import { benchWrap, type WrapMemory } from './bench/wrap.js';
import { benchVerify, type VerifyShare } from './bench/verify.js';
import { BenchWorld } from './bench/world.js';
import { commandLine, numberIn, printResult, runCommand, wholeNumber, type CommandContext } from './command.js';
import { readResult, saveResult, writePart } from './results.js';

const HELP = `npm run bench [-- [clips | detector | looks | memory | seals | start | wrap] [options]]

Measures what one event costs, stage by stage, each beside a floor that is timed in the same run; what a record costs the
cloud beside its bare signature check; and how many bytes an event takes on the wire. Compare the ratios: absolute times
are this machine's.

  clips        run the packaged camera without clips, with clips of JPEG files and of H.264 from a stand-in encoder, at the same
               time and uploading; sample their memory and that of what they start
  detector     measure only what a frame costs the detector, beside decoding it
  looks        the same camera, with JPEG files and with H.264, looked through by its owner beside nobody, at the same time
  seals        measure only the two seal suites, beside each other; saved and compared with all others only
  wrap         measure only what wrapping a period's key leaves in the memory of the process that asks for it
  memory       run the packaged camera, claimed, publishing and receipted, and sample its memory
  start        start the packaged camera beside an empty Node, and with a full outbox beside an empty one
  --minutes N  clips, looks and memory: how long, 0.1 to 1440 (30); a look at most the 9 that its signer has in an hour (9)
  --node TEXT  memory: options of Node that are added to the package's, for a trial
  --protocol N memory and start: version of the camera's claim, 1 or 2 (2)
  --queued N   start: records in the full outbox, 1 to 1000000 (100000)
  --rounds N   start: how often each is started, 3 to 1000 (9)
  --compare    also name what got worse than docs/results/bench.json (detector: bench-detector.json) by more than the
               figure varied in this run and in that one
  --json       print one JSON object on stdout
  --save       also write that file (detector: docs/detector.md too; clips: clips.json; looks: looks.json; memory: memory.json; start: start.json)
  --help       print this text

Exit status: 0 measured, also where something got worse; 1 failed, 2 wrong usage.
`;

const PARTS = ['clips', 'detector', 'looks', 'memory', 'seals', 'start', 'wrap'] as const;

interface Options {
  readonly only: (typeof PARTS)[number] | null;
  readonly minutes: number;
  readonly queued: number;
  readonly rounds: number;
  readonly nodeOptions: string;
  readonly protocol: 1 | 2;
  readonly compare: boolean;
  readonly json: boolean;
  readonly save: boolean;
}

/** A signer looks for ten minutes in an hour; a look begins a little before it is measured. */
const LOOK_MINUTES_MAX = 9;
/** Samples at most this many seconds apart; a short run is sampled more often. */
const SAMPLE_S = 30;

await runCommand({
  name: 'bench',
  help: HELP,
  options: {
    compare: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '30' },
    node: { type: 'string', default: '' },
    protocol: { type: 'string', default: '2' },
    queued: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '9' },
  },
  positionalsMax: 1,
  readOptions: ({ compare, json, save, minutes, node, protocol, queued, rounds }, [name]): Options => {
    const only = PARTS.find((part) => part === name) ?? null;
    if (name !== undefined && only === null) throw new Error(`"${name}" is not a benchmark`);
    return {
      only,
      compare,
      json,
      save,
      minutes: numberIn('minutes', minutes, 0.1, 1440),
      nodeOptions: node,
      protocol: wholeNumber('protocol', protocol, 1, 2) === 1 ? 1 : 2,
      queued: wholeNumber('queued', queued, 1, 1_000_000),
      rounds: wholeNumber('rounds', rounds, 3, 1000),
    };
  },
  main: (options, context) => {
    const { only } = options;
    return (only === null ? stages : { clips, detector, looks, memory, seals, start, wrap: wraps }[only])(
      options,
      context,
    );
  },
});

async function memory(
  { minutes, nodeOptions, protocol, json, save }: Options,
  context: CommandContext,
): Promise<number> {
  const sampleS = Math.min(SAMPLE_S, (60 * minutes) / 6);
  const { folder, progress, onInterrupt } = context;
  const figures = await benchMemory(folder, { minutes, sampleS, nodeOptions, protocol }, progress, onInterrupt);
  const result = { command: commandLine('bench'), ...figures };
  if (save) saveResult('memory', result);
  const thirds = figures.thirdsRssAnonMiB.map((mib) => mib.toFixed(2)).join(', ');
  const text = [
    `own memory (RssAnon) by thirds: ${thirds} MiB, peak ${figures.agentPeakRssAnonMiB.toFixed(2)}`,
    `slope of the last two thirds: ${String(figures.slopeMiBPerHour)} MiB an hour`,
    `with pages of files: ${figures.agentRssMiB.toFixed(1)} MiB resident`,
    `the process that wraps a period's key: at most ${figures.wrapPeakRssAnonMiB.toFixed(1)} MiB of its own`,
    `${String(figures.recorded)} events recorded, ${String(figures.receipted)} records receipted, ${String(figures.queued)} queued`,
  ];
  printResult(json, result, text.join('\n'));
  return 0;
}

async function clips({ minutes, json, save }: Options, context: CommandContext): Promise<number> {
  const { folder, progress, onInterrupt } = context;
  const figures = await benchClips(folder, minutes, progress, onInterrupt);
  const result = { command: commandLine('bench'), minutes, figures };
  if (save) saveResult('clips', result);
  printResult(json, result, figures.map((figure) => `${clipLine(figure)}\n`).join(''));
  return 0;
}

async function looks({ minutes, json, save }: Options, context: CommandContext): Promise<number> {
  const { folder, progress, onInterrupt } = context;
  const lookedMinutes = Math.min(LOOK_MINUTES_MAX, minutes);
  const figures = await benchLooks(folder, lookedMinutes, progress, onInterrupt);
  const result = { command: commandLine('bench'), minutes: lookedMinutes, figures };
  if (save) saveResult('looks', result);
  printResult(json, result, figures.map((figure) => `${lookLine(figure)}\n`).join(''));
  return 0;
}

async function start({ protocol, queued, rounds, json, save }: Options, context: CommandContext): Promise<number> {
  const { folder, progress, onInterrupt } = context;
  const figures = await benchStart(folder, { protocol, queued, rounds }, progress, onInterrupt);
  const result = { command: commandLine('bench'), protocol, figures };
  if (save) saveResult('start', result);
  printResult(json, result, figures.map(line).join(''));
  return 0;
}

async function detector({ compare, json, save }: Options, { progress }: CommandContext): Promise<number> {
  const figures = await benchDetector(new BenchWorld(), progress);
  const compared = compare ? compareWithSaved('bench-detector', readResult('bench-detector'), figures) : undefined;
  const result = { command: commandLine('bench'), figures, compared };
  if (save) {
    saveResult('bench-detector', result);
    writePart('docs/detector.md', 'cost', detectorTable(figures));
  }
  printResult(json, result, figures.map(line).join('') + comparisonText(compared));
  return 0;
}

async function seals({ json }: Options, { progress }: CommandContext): Promise<number> {
  const figures = await sealFigures(progress);
  printResult(json, { command: commandLine('bench'), figures }, figures.map(line).join(''));
  return 0;
}

async function sealFigures(progress: (text: string) => void): Promise<Figure[]> {
  const opening = await benchOpening(progress);
  return [...(await benchSeals(progress)), ...(opening === null ? [] : [opening])];
}

async function wraps({ json }: Options, { folder, progress }: CommandContext): Promise<number> {
  const figures = await benchWrap(folder, progress);
  const row = ({ beforeMiB, afterMiB, childPeakMiB, wrapMs }: WrapMemory): string =>
    `own memory ${beforeMiB.toFixed(2)} MiB before, ${afterMiB.toFixed(2)} after five, ${wrapMs.toFixed(0)} ms each` +
    (childPeakMiB === null ? '' : `; the process itself at most ${childPeakMiB.toFixed(1)} MiB`);
  const text = `in a process that ends: ${row(figures.inChild)}\nin the process itself: ${row(figures.here)}`;
  printResult(json, { command: commandLine('bench'), ...figures }, text);
  return 0;
}

async function stages({ compare, json, save }: Options, { folder, progress }: CommandContext): Promise<number> {
  const world = new BenchWorld();
  const handshake = await benchHandshake(folder, progress);
  const figures = [
    ...(await benchStages(world, folder, progress)),
    ...(await sealFigures(progress)),
    ...(handshake === null ? [] : [handshake]),
  ];
  progress('verify …');
  const verify = await benchVerify(world);
  progress('ingest …');
  const stored = await benchIngest(world, folder);
  const wire = await wireBytes(world);
  const ofVerify = verify.map(({ figure }) => figure);
  const compared = compare ? compareWithSaved('bench', readResult('bench'), [...figures, ...ofVerify]) : undefined;
  const result = { command: commandLine('bench'), stages: figures, verify, ingest: { stored }, wire, compared };
  if (save) saveResult('bench', result);
  const head = `${'stage'.padEnd(58)}${'median'.padStart(10)}${'floor'.padStart(10)}${'ratio'.padStart(8)}  floor is`;
  const text = [
    '',
    head,
    figures.map(line).join(''),
    ...verify.map(verifyLine),
    `${String(stored)} records a second through ingest into SQLite, with a picture each`,
    `${String(wire.event)} bytes on the wire for an event of start, update and end ` +
      `(start ${String(wire.startMessage)}: record ${String(wire.record)}, sealed picture ${String(wire.sealedPicture)} ` +
      `of a JPEG of ${String(wire.pictureJpeg)}; end ${String(wire.endMessage)})`,
  ];
  printResult(json, result, text.join('\n') + comparisonText(compared));
  return 0;
}

function verifyLine({ keys, share, recordUs, bareUs }: VerifyShare): string {
  return (
    `${String(Math.round(1e6 / recordUs))} records verified and bound in a second of processor time with ${String(keys)} ` +
    `${keys === 1 ? 'key' : 'keys'}, ${String(Math.round(share * 100))} % of bare Ed25519 (${String(Math.round(1e6 / bareUs))})`
  );
}

function line({ name, us, floorUs, ratio, floor }: Figure): string {
  const time = (value: number): string =>
    value >= 1000 ? `${(value / 1000).toFixed(2)} ms` : `${value.toFixed(1)} µs`;
  return `${name.padEnd(58)}${time(us).padStart(10)}${time(floorUs).padStart(10)}${ratio.toFixed(2).padStart(8)}  ${floor}\n`;
}
