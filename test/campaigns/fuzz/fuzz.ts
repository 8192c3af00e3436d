import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { toBase64 } from '../../../common/bytes.js';
import { saveResult } from '../../../scripts/results.js';
import { limitMs } from '../../support/runner/speed.js';
import { inputOf, type Failure } from './harness.js';
import { TARGETS } from './targets/index.js';
import type { Job, Result } from './worker.js';

const HELP = `npm run fuzz [-- options]

Feeds every decoder of bytes from outside with valid inputs that were spoiled, and with noise. Three properties: nothing
but the typed error comes out, no call hangs, what is accepted encodes to the same bytes again.

  --minutes N      run for so long (1)
  --iterations N   so many executions of each decoder instead
  --seed S         0 to 2097151; the same seed gives the same inputs (a new one each time, and it is told)
  --from I         begin with this iteration: --seed S --from I --iterations 1 --only NAME repeats a failure
  --only NAME      decoders whose name has this in it; --list names them
  --list           their names
  --json           one JSON object on stdout
  --save           also into docs/results/fuzz.json, with commit and date
  --help           this text

Exit status: 0 clean, 1 a property did not hold, 2 wrong usage.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    iterations: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const SEED_MAX = 2 ** 21 - 1;
const ITERATIONS_MAX = 2 ** 31 - 1;
/** A call that never ends is noticed by the thread that waits. */
const HANG_MS = 20_000;
const PROGRESS_MS = 5000;

function usage(why: string): never {
  process.stderr.write(`${why}\n\n${HELP}`);
  process.exit(2);
}

function number(text: string | undefined, name: string, most: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value >= 0 && value <= most)) usage(`--${name}: a number from 0 to ${String(most)}`);
  return value;
}

if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (values.list) {
  process.stdout.write(`${TARGETS.map(({ name }) => name).join('\n')}\n`);
  process.exit(0);
}
const targets = TARGETS.flatMap(({ name }, index) => (name.includes(values.only) ? [index] : []));
if (targets.length === 0) usage(`no decoder has ${values.only} in its name; --list names them`);

const seed = Math.trunc(number(values.seed, 'seed', SEED_MAX, Math.random() * SEED_MAX));
const minutes = number(values.minutes, 'minutes', 10_000, 1);
const iterations = Math.trunc(number(values.iterations, 'iterations', ITERATIONS_MAX, ITERATIONS_MAX));
const hasEnd = values.iterations !== undefined && values.minutes === undefined;
const begunMs = Date.now();
const job: Job = {
  seed,
  targets,
  iterations,
  firstIteration: Math.trunc(number(values.from, 'from', ITERATIONS_MAX, 0)),
  untilMs: hasEnd ? Infinity : begunMs + 60_000 * minutes,
  now: new Int32Array(new SharedArrayBuffer(12)),
};
process.stderr.write(`seed ${String(seed)}, ${String(targets.length)} decoders\n`);

const { tallies, failures } = await watched(job);
const seconds = Math.round((Date.now() - begunMs) / 1000);
const executions = tallies.reduce((sum, tally) => sum + tally.executions, 0);
const result = {
  command: `npm run fuzz -- ${process.argv.slice(2).join(' ')}`.trim(),
  seed,
  seconds,
  executions,
  failures,
  targets: tallies.map(({ slowestMs, ...tally }) => ({ ...tally, slowestMs: Math.round(slowestMs * 10) / 10 })),
};
if (values.save) saveResult('fuzz', result);
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else process.stdout.write(report());
process.exit(failures.length === 0 ? 0 : 1);

/** Runs the job in a thread of its own and waits; a call that does not return is a failure, and ends it. */
function watched(work: Job): Promise<Result> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: work });
  return new Promise((resolve, reject) => {
    let [before, sinceMs, toldMs] = [-1, Date.now(), Date.now()];
    const watch = setInterval(() => {
      const count = Atomics.load(work.now, 2);
      if (count !== before) [before, sinceMs] = [count, Date.now()];
      else if (count > 0 && Date.now() - sinceMs > limitMs(HANG_MS)) {
        clearInterval(watch);
        void worker.terminate();
        resolve({ tallies: [], failures: [hang(work)] });
      }
      if (Date.now() - toldMs < PROGRESS_MS) return;
      toldMs = Date.now();
      process.stderr.write(`${String(Math.round((toldMs - begunMs) / 1000))} s: ${String(count)} executions\n`);
    }, 250);
    worker.once('message', (message: Result) => {
      clearInterval(watch);
      resolve(message);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      clearInterval(watch);
      if (code !== 0) reject(new Error(`the decoding thread ended with ${String(code)}`));
    });
  });
}

function hang(work: Job): Failure {
  const target = TARGETS[work.targets[Atomics.load(work.now, 0)] ?? 0];
  const iteration = Atomics.load(work.now, 1);
  if (target === undefined) throw new Error('no target');
  const input = toBase64(inputOf(target, work.seed, iteration));
  const what = `no answer for ${String(HANG_MS / 1000)} s; the run ended here`;
  return { target: target.name, seed: work.seed, iteration, property: 'no hang', what, input };
}

function report(): string {
  const head = ['decoder', 'executions', 'accepted', 'refused', 'slowest ms'];
  const rows = tallies.map(({ target, slowestMs, ...tally }) => [
    target,
    String(tally.executions),
    String(tally.accepted),
    String(tally.refused),
    slowestMs.toFixed(1),
  ]);
  const line = ([name = '', ...cells]: readonly string[]): string =>
    `${name.padEnd(28)}${cells.map((cell) => cell.padStart(12)).join('')}\n`;
  const failed = failures.map(
    ({ target, iteration, property, what, input }) =>
      `\nFAILED ${target}: ${property}\n  ${what}\n  npm run fuzz -- --seed ${String(seed)} --from ${String(iteration)} ` +
      `--iterations 1 --only '${target}'\n  input, base64: ${input}\n`,
  );
  return (
    `\n${[head, ...rows].map(line).join('')}${failed.join('')}\n${String(executions)} executions of ` +
    `${String(tallies.length)} decoders in ${String(seconds)} s, seed ${String(seed)}: ` +
    `${failures.length === 0 ? 'clean' : `${String(failures.length)} failed`}\n`
  );
}
