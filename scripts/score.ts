/** `npm run score`: scores the detector on labelled clips, studies its tuning, and replays a long video. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { checkout } from './checkout.js';
import {
  commandLine,
  CommandFailure,
  messageOf,
  printResult,
  runCommand,
  TOOL_MISSING_STATUS,
  wholeNumber,
  type CommandContext,
} from './command.js';
import { inParallel } from './in-parallel.js';
import { saveResult, writePart } from './results.js';
import { playLive } from './score/live.js';
import { longReplay, type LongReplay } from './score/long.js';
import { coverageOf, withCoverage } from './score/report.js';
import type { LabelledClip, Score } from './score/rules.js';
import { study, studyTable, type Study } from './score/study.js';

const HELP = `npm run score -- DIR [options]
npm run score -- --long [options]

Runs every clip that DIR/labels.json names through \`sealcam replay\`, and scores the events.

  --events FILE    keep the events there, one JSON object a line
  --scorer FILE    the scoring script; default DIR/score_motion.py
  --live           play each clip as a live camera sees it: at a low frame rate while nothing moves
  --study          instead: scores by sensitivity, by other tunings, and with clips left out of the choice
  --long           instead, without DIR: ten minutes of 1080p drawn from a mock scene; memory, and times of the pictures
  --seconds N      length of the long replay; default 600
  --save           with --study or --long: also write docs/results/ (and docs/detector-study.md)
  --json           print JSON
  --help           print this text

Exit status: 0 scored, 1 the long replay has a fault, 2 wrong usage, 3 a clip could not be played, 4 the scorer or ffmpeg is missing.
`;

const UNPLAYABLE_STATUS = 3;

interface Labels {
  readonly clips: Readonly<Record<string, LabelledClip>>;
}

interface Options {
  /** Null for the long replay, which draws its own video. */
  readonly folder: string | null;
  readonly events: string | undefined;
  readonly scorer: string | undefined;
  readonly live: boolean;
  readonly study: boolean;
  readonly seconds: number;
  readonly save: boolean;
  readonly json: boolean;
}

await runCommand({
  name: 'score',
  help: HELP,
  options: {
    events: { type: 'string' },
    scorer: { type: 'string' },
    live: { type: 'boolean', default: false },
    study: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '600' },
    save: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  positionalsMax: 1,
  readOptions: ({ events, scorer, live, study: isStudy, long, seconds, save, json }, [folder]): Options => {
    if (folder === undefined && !long) throw new Error('a folder of clips is required');
    if (folder !== undefined && !existsSync(join(folder, 'labels.json'))) {
      throw new Error(`${folder} has no labels.json; docs/testing.md describes labelled folders`);
    }
    return {
      folder: folder ?? null,
      events,
      scorer,
      live,
      study: isStudy,
      seconds: wholeNumber('seconds', seconds, 1, 86_400),
      save,
      json,
    };
  },
  main: (options, context) => {
    if (options.folder === null) return runLong(options, context);
    return options.study ? runStudy(options.folder, options, context) : runScore(options.folder, options, context);
  },
});

function clipsOf(folder: string): readonly LabelledClip[] {
  const { clips } = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as Labels;
  return Object.values(clips);
}

async function runScore(folder: string, options: Options, context: CommandContext): Promise<number> {
  const scorer = resolve(options.scorer ?? join(folder, 'score_motion.py'));
  if (!existsSync(scorer)) {
    throw new CommandFailure(TOOL_MISSING_STATUS, `${scorer} is missing; name it with --scorer FILE`);
  }
  const clips = clipsOf(folder);
  const found = new Map<string, string>();
  try {
    await inParallel(clips, availableParallelism(), async (clip) => {
      const { file } = clip;
      const live = options.live ? await playLive(folder, clip) : null;
      found.set(file, live === null ? await replay(join(folder, file)) : live.events);
      const seen = live === null ? '' : `, ${String(live.frames - live.unwatched)} of ${String(live.frames)} frames`;
      context.progress(`${String(found.size).padStart(3)}/${String(clips.length)} ${file}${seen}`);
    });
  } catch (error) {
    throw new CommandFailure(UNPLAYABLE_STATUS, messageOf(error));
  }
  const events = options.events ?? join(context.folder, 'events.jsonl');
  writeFileSync(events, clips.map(({ file }) => found.get(file) ?? '').join(''));
  const labels = resolve(folder, 'labels.json');
  const coverage = coverageOf(clips, found);
  const args = [scorer, events, '--labels', labels, ...(options.json ? ['--json'] : [])];
  const { status, error, stdout } = spawnSync('python3', args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (error !== undefined) throw new CommandFailure(TOOL_MISSING_STATUS, `python3 cannot be started: ${error.message}`);
  const share = `coverage ${coverage.all.toFixed(3)} of the labelled time has an open event\n`;
  process.stdout.write(options.json && status === 0 ? withCoverage(stdout, coverage) : `${stdout}${share}`);
  return status ?? 1;
}

/** Returns the events of one clip, a JSON line each; the log of the replay goes to stderr. */
function replay(path: string): Promise<string> {
  const cli = join(checkout, 'dist', 'agent', 'cli', 'cli.js');
  const child = spawn(process.execPath, [cli, 'replay', path, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  return new Promise((resolveEvents, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolveEvents(Buffer.concat(parts).toString());
      else reject(new Error(`${path}: sealcam replay ended with ${String(status)}`));
    });
  });
}

async function runStudy(folder: string, { save, json }: Options, { progress }: CommandContext): Promise<number> {
  const result = await study(folder, clipsOf(folder), progress);
  if (save) {
    saveResult('detector-study', { command: 'npm run score -- DIR --study --save', ...result });
    writePart('docs/detector-study.md', 'study', studyTable(result));
  }
  printResult(json, result, studyText(result));
  return 0;
}

function studyText({ sensitivity, changed, leaveOneOut, halves, variants, asGood, worst }: Study): string {
  const line = (name: string, { precision, recall, f1, falseEvents, falseTime, coverage, onsetP90S }: Score): string =>
    `${name.padEnd(44)} precision ${precision.toFixed(2)}  recall ${recall.toFixed(2)}  strict F1 ${f1.toFixed(3)}` +
    `  false events ${String(falseEvents)}  false time ${(falseTime * 100).toFixed(2)} %` +
    `  coverage ${(coverage * 100).toFixed(0)} %  onset, 90 % ${onsetP90S?.toFixed(2) ?? '–'} s`;
  return [
    ...sensitivity.map((one) => line(`sensitivity ${String(one.sensitivity)}`, one)),
    ...changed.map((one) => line(one.change, one)),
    line('leave one out', leaveOneOut),
    `${String(asGood)} of ${String(variants)} other tunings score at least as well as the defaults; worst strict F1 ${worst.toFixed(3)}`,
    `${String(halves.count)} halves: F1 lower on the other half by ${halves.meanGap.toFixed(3)} in the mean; worst ${halves.worstOther.toFixed(3)}`,
  ].join('\n');
}

async function runLong({ seconds, save, json }: Options, { folder, progress }: CommandContext): Promise<number> {
  const result = await longReplay(seconds, folder, progress).catch((error: unknown) => {
    throw new CommandFailure(TOOL_MISSING_STATUS, messageOf(error));
  });
  if (save) saveResult('long-replay', { command: commandLine('score'), ...result });
  printResult(json, result, longText(result));
  for (const fault of result.faults) progress(fault);
  return result.faults.length === 0 ? 0 : 1;
}

function longText({ events, thumbnails, outside, rss }: LongReplay): string {
  const memory =
    rss === null
      ? 'too short to measure memory'
      : `memory ${rss.middleMiB.toFixed(1)} MiB in the middle third, ${rss.lastMiB.toFixed(1)} in the last, ${rss.slopeMiBPerMinute.toFixed(2)} MiB a minute`;
  return (
    `${String(events)} events, ${String(outside)} pictures from outside their events; ` +
    `thumbnails ${String(thumbnails.p50Bytes)} bytes, 95 % ${String(thumbnails.p95Bytes)}, at most ${String(thumbnails.maxBytes)}; ${memory}`
  );
}
