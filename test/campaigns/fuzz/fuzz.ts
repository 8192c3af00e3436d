/** `npm run fuzz`: feeds every decoder of bytes from outside with mutated and random input. */
import { Worker } from 'node:worker_threads';
import { toBase64 } from '../../../common/bytes.js';
import {
  commandLine,
  numberIn,
  printResult,
  runCommand,
  throttled,
  wholeNumber,
  type CommandContext,
} from '../../../scripts/command.js';
import { saveResult } from '../../../scripts/results.js';
import { limitMs } from '../../support/runner/speed.js';
import { inputOf, type Failure } from './harness.js';
import { TARGETS } from './targets/index.js';
import type { Job, Result } from './worker.js';

const HELP = `npm run fuzz [-- options]

Feeds every decoder of bytes from outside with mutated valid inputs and with noise, and checks three properties: a decoder
throws only the typed error, no call hangs, and an accepted input encodes to the same bytes again.

  --minutes N      length of the run (1)
  --iterations N   instead: this many executions of each decoder
  --seed S         0 to 2097151; the same seed gives the same inputs (random by default, and printed)
  --from I         first iteration: --seed S --from I --iterations 1 --only NAME repeats a failure
  --only TEXT      only decoders whose name contains TEXT
  --list           print the names of all decoders
  --json           print one JSON object on stdout
  --save           also write docs/results/fuzz.json, with commit and date
  --help           print this text

Exit status: 0 every property held, 1 one did not, 2 wrong usage.
`;

const SEED_MAX = 2 ** 21 - 1;
const ITERATIONS_MAX = 2 ** 31 - 1;
const MINUTES_MAX = 10_000;
/** Time after which the waiting thread reports a call as one that never returns. */
const HANG_MS = 20_000;
const WATCH_INTERVAL_MS = 250;

interface Options {
  readonly seed: number;
  readonly targets: readonly number[];
  readonly firstIteration: number;
  readonly iterations: number;
  /** Infinity where the iterations end the run. */
  readonly durationMs: number;
  readonly list: boolean;
  readonly json: boolean;
  readonly save: boolean;
}

async function main(options: Options, { progress }: CommandContext): Promise<number> {
  const { seed, targets, firstIteration, iterations, durationMs, list, json, save } = options;
  if (list) {
    process.stdout.write(`${TARGETS.map(({ name }) => name).join('\n')}\n`);
    return 0;
  }
  const startedMs = Date.now();
  progress(`seed ${String(seed)}, ${String(targets.length)} decoders`);
  const { tallies, failures } = await runWatched(
    {
      seed,
      targets,
      iterations,
      firstIteration,
      untilMs: startedMs + durationMs,
      now: new Int32Array(new SharedArrayBuffer(12)),
    },
    progress,
  );
  const result = {
    command: commandLine('fuzz'),
    seed,
    seconds: Math.round((Date.now() - startedMs) / 1000),
    executions: tallies.reduce((sum, tally) => sum + tally.executions, 0),
    failures,
    targets: tallies.map(({ slowestMs, ...tally }) => ({ ...tally, slowestMs: Math.round(slowestMs * 10) / 10 })),
  };
  if (save) saveResult('fuzz', result);
  printResult(json, result, reportOf(result));
  return failures.length === 0 ? 0 : 1;
}

/** Runs the job in a thread and watches it. A call that does not return is a failure, and ends the run. */
function runWatched(job: Job, progress: (text: string) => void): Promise<Result> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: job });
  const sometimes = throttled(progress);
  return new Promise((resolve, reject) => {
    let countBefore = -1;
    let sinceMs = Date.now();
    const watch = setInterval(() => {
      const count = Atomics.load(job.now, 2);
      if (count !== countBefore) {
        countBefore = count;
        sinceMs = Date.now();
      } else if (count > 0 && Date.now() - sinceMs > limitMs(HANG_MS)) {
        clearInterval(watch);
        void worker.terminate();
        resolve({ tallies: [], failures: [hangOf(job)] });
      }
      sometimes(() => `${String(count)} executions`);
    }, WATCH_INTERVAL_MS);
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

function hangOf({ targets, seed, now }: Job): Failure {
  const target = TARGETS[targets[Atomics.load(now, 0)] ?? 0];
  const iteration = Atomics.load(now, 1);
  if (target === undefined) throw new Error('no target');
  const input = toBase64(inputOf(target, seed, iteration));
  const what = `no answer within ${String(HANG_MS / 1000)} s; the run ended here`;
  return { target: target.name, seed, iteration, property: 'no hang', what, input };
}

interface Summary extends Pick<Result, 'failures'> {
  readonly seed: number;
  readonly seconds: number;
  readonly executions: number;
  readonly targets: Result['tallies'];
}

function reportOf({ seed, seconds, executions, failures, targets }: Summary): string {
  const head = ['decoder', 'executions', 'accepted', 'refused', 'slowest ms'];
  const rows = targets.map(({ target, slowestMs, ...tally }) => [
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
    `${String(targets.length)} decoders in ${String(seconds)} s, seed ${String(seed)}: ` +
    (failures.length === 0 ? 'clean' : `${String(failures.length)} failed`)
  );
}

await runCommand({
  name: 'fuzz',
  help: HELP,
  options: {
    minutes: { type: 'string' },
    iterations: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ minutes, iterations, seed, from, only, list, json, save }): Options => {
    const targets = TARGETS.flatMap(({ name }, index) => (name.includes(only) ? [index] : []));
    if (targets.length === 0) throw new Error(`no decoder has ${only} in its name; --list prints them`);
    const isEndless = iterations !== undefined && minutes === undefined;
    return {
      seed: seed === undefined ? Math.floor(Math.random() * SEED_MAX) : wholeNumber('seed', seed, 0, SEED_MAX),
      targets,
      firstIteration: wholeNumber('from', from, 0, ITERATIONS_MAX),
      iterations: iterations === undefined ? ITERATIONS_MAX : wholeNumber('iterations', iterations, 0, ITERATIONS_MAX),
      durationMs: isEndless ? Infinity : 60_000 * numberIn('minutes', minutes ?? '1', 0, MINUTES_MAX),
      list,
      json,
      save,
    };
  },
  main,
});
