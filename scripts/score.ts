import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from './checkout.js';
import { saveResult, writePart } from './results.js';
import { playLive } from './score/live.js';
import type { LabelledClip, Score } from './score/rules.js';
import { longReplay } from './score/long.js';
import { study, studyTable } from './score/study.js';

const HELP = `npm run score -- DIR [options]
npm run score -- --long [options]

Runs every clip that DIR/labels.json names through \`sealcam replay\`, and scores the events.

  --events FILE    keeps the events there, a JSON object a line
  --scorer FILE    the scoring script; default DIR/score_motion.py
  --live           as a live camera looks at them: few frames while nothing moves; says on stderr how many
  --study          instead: scores over sensitivity, with other tunings, and with clips left out of the choice
  --long           instead, without DIR: ten minutes of 1080p made of a mock scene; memory, and where pictures come from
  --seconds N      so many instead of ten minutes
  --save           the study or the long replay also into docs/results/, with commit and date
  --json           the score as JSON
  --help           this text

Exit status: 0 scored, 1 the long replay has a fault, 2 wrong usage, 3 a clip could not be played, 4 the scorer is missing.
`;

interface Labels {
  readonly clips: Readonly<Record<string, LabelledClip>>;
}

function fail(status: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(status);
}

/** The events of one clip, a JSON line each; the replay's own words go to stderr. */
function replay(path: string): Promise<string> {
  const cli = join(checkout, 'dist', 'agent', 'cli', 'cli.js');
  const child = spawn(process.execPath, [cli, 'replay', path, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (status) => {
      if (status === 0) done(Buffer.concat(parts).toString());
      else failed(new Error(`${path}: sealcam replay ended with ${String(status)}`));
    });
  });
}

async function runStudy(folder: string, labels: string): Promise<never> {
  const { clips } = JSON.parse(readFileSync(labels, 'utf8')) as Labels;
  const result = await study(folder, Object.values(clips), (text) => process.stderr.write(`${text}\n`));
  if (values.save) {
    saveResult('detector-study', { command: 'npm run score -- DIR --study', ...result });
    writePart('docs/detector.md', 'study', studyTable(result));
  }
  const line = (name: string, { precision, recall, f1, falseEvents, falseTime }: Score): string =>
    `${name.padEnd(44)} precision ${precision.toFixed(2)}  recall ${recall.toFixed(2)}  strict F1 ${f1.toFixed(3)}` +
    `  false events ${String(falseEvents)}  false time ${(falseTime * 100).toFixed(2)} %\n`;
  const { halves, variants, asGood, worst } = result;
  const text =
    result.sensitivity.map((one) => line(`sensitivity ${String(one.sensitivity)}`, one)).join('') +
    result.changed.map((one) => line(one.change, one)).join('') +
    line('leave one out', result.leaveOneOut) +
    `${String(asGood)} of ${String(variants)} other tunings as good as the defaults; worst strict F1 ${worst.toFixed(3)}\n` +
    `${String(halves.count)} halves: F1 lower on the other half by ${halves.meanGap.toFixed(3)} in the mean; worst ${halves.worstOther.toFixed(3)}\n`;
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : text);
  process.exit(0);
}

async function runLong(seconds: number): Promise<never> {
  if (!Number.isInteger(seconds) || seconds < 1) fail(2, HELP);
  const result = await longReplay(seconds, (text) => process.stderr.write(`${text}\n`)).catch((error: unknown) =>
    fail(4, error instanceof Error ? error.message : String(error)),
  );
  if (values.save) saveResult('long-replay', { command: 'npm run score -- --long', ...result });
  const { events, thumbnails, outside, rss, faults } = result;
  const memory =
    rss === null
      ? 'too short for memory'
      : `memory ${rss.middleMiB.toFixed(1)} MiB in the middle third, ${rss.lastMiB.toFixed(1)} in the last, ${rss.slopeMiBPerMinute.toFixed(2)} MiB a minute`;
  const text =
    `${String(events)} events, ${String(outside)} pictures from outside their events; ` +
    `thumbnails ${String(thumbnails.p50Bytes)} bytes, 95 % ${String(thumbnails.p95Bytes)}, at most ${String(thumbnails.maxBytes)}; ${memory}\n`;
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : text);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.exit(faults.length === 0 ? 0 : 1);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: 'string' },
    scorer: { type: 'string' },
    live: { type: 'boolean', default: false },
    study: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '600' },
    save: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (values.long && positionals.length === 0) await runLong(Number(values.seconds));
const [folder, ...rest] = positionals;
if (folder === undefined || rest.length > 0) fail(2, HELP);
const labels = join(folder, 'labels.json');
if (!existsSync(labels)) fail(2, `${labels} is missing: a labelled folder has one, as docs/testing.md says.`);
if (values.study) await runStudy(folder, labels);
const scorer = resolve(values.scorer ?? join(folder, 'score_motion.py'));
if (!existsSync(scorer)) fail(4, `${scorer} is missing; name it with --scorer FILE.`);

const { clips } = JSON.parse(readFileSync(labels, 'utf8')) as Labels;
const queue = Object.values(clips);
const found = new Map<string, string>();
const total = queue.length;
const workers = Array.from({ length: Math.min(total, availableParallelism()) }, async () => {
  for (let clip = queue.shift(); clip !== undefined; clip = queue.shift()) {
    const { file } = clip;
    const live = values.live ? await playLive(folder, clip) : null;
    found.set(file, live === null ? await replay(join(folder, file)) : live.events);
    const watched = live === null ? '' : `, ${String(live.frames - live.unwatched)} of ${String(live.frames)} frames`;
    process.stderr.write(`${String(found.size).padStart(3)}/${String(total)} ${file}${watched}\n`);
  }
});
try {
  await Promise.all(workers);
} catch (error) {
  fail(3, error instanceof Error ? error.message : String(error));
}

const scratch = mkdtempSync(join(tmpdir(), 'sealcam-score-'));
const events = values.events ?? join(scratch, 'events.jsonl');
writeFileSync(
  events,
  Object.values(clips)
    .map(({ file }) => found.get(file) ?? '')
    .join(''),
);
const args = [scorer, events, '--labels', resolve(labels), ...(values.json ? ['--json'] : [])];
const { status, error } = spawnSync('python3', args, { stdio: ['ignore', 'inherit', 'inherit'] });
rmSync(scratch, { recursive: true, force: true });
if (error !== undefined) fail(4, `python3 cannot be started: ${error.message}`);
process.exitCode = status ?? 1;
