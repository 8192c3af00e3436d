import { copyOf, equal, toBase64 } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import type { Random } from '../../../common/random.js';
import { seededRandom } from '../../../common/seeded-random.js';

/** A decoder of bytes from outside, and the source of its inputs. */
export interface Target {
  readonly name: string;
  /** Returns the input of one execution: a mutated valid one, or noise. Depends only on the random source. */
  readonly input: (random: Random) => Uint8Array;
  /**
   * Decodes an input. Returns the bytes that the accepted value encodes to, or undefined where there is no encoder.
   * @throws SealcamError; any other error is a failure
   */
  readonly run: (input: Uint8Array) => Decoded | Promise<Decoded>;
}

export type Decoded = Uint8Array | undefined;

export interface Failure {
  readonly target: string;
  readonly seed: number;
  readonly iteration: number;
  readonly property: 'typed error only' | 'no hang' | 're-encodes to the same bytes';
  readonly what: string;
  /** Base64. */
  readonly input: string;
}

export interface Tally {
  readonly target: string;
  executions: number;
  accepted: number;
  refused: number;
  slowestMs: number;
}

/** Longest processor time of a call. Decoders take well under a millisecond, but a garbage collection may fall into it. */
export const CALL_MAX_MS = 250;
/** A slow call is a failure only where it is slow this many times in a row. */
const SLOW_CALLS_MIN = 3;

/** Returns the input of one iteration, which depends on target, seed and iteration alone. */
export function inputOf(target: Target, seed: number, iteration: number): Uint8Array {
  return target.input(seededRandom(seed * 2 ** 32 + iteration));
}

/** Runs one execution and checks every property. Returns null if they hold. */
async function execute(target: Target, seed: number, iteration: number, tally: Tally): Promise<Failure | null> {
  const input = inputOf(target, seed, iteration);
  const fail = (property: Failure['property'], what: string): Failure => ({
    target: target.name,
    seed,
    iteration,
    property,
    what,
    input: toBase64(input),
  });
  tally.executions++;
  let elapsedMs = 0;
  for (let attempt = 0; attempt < SLOW_CALLS_MIN; attempt++) {
    const startMs = performance.now();
    const cpuStart = process.cpuUsage();
    try {
      // A copy each time: a decoder that writes into its input must not change the reported one.
      const again = await target.run(copyOf(input));
      if (attempt === 0) tally.accepted++;
      if (again !== undefined && !equal(again, input)) {
        return fail('re-encodes to the same bytes', `accepted, but encodes to ${toBase64(again)}`);
      }
    } catch (error) {
      if (!isSealcamError(error)) return fail('typed error only', describe(error));
      if (error.code === 'internal') return fail('typed error only', `internal: ${error.message}`);
      if (attempt === 0) tally.refused++;
    }
    // Waiting for a core that others have is not the decoder's time.
    elapsedMs = Math.min(performance.now() - startMs, cpuMs(cpuStart));
    if (elapsedMs <= CALL_MAX_MS) break;
  }
  tally.slowestMs = Math.max(tally.slowestMs, elapsedMs);
  return elapsedMs > CALL_MAX_MS
    ? fail('no hang', `${elapsedMs.toFixed(0)} ms, ${String(SLOW_CALLS_MIN)} times`)
    : null;
}

/** Processor time of this process since then. */
export function cpuMs(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error);
}

function newTally(target: Target): Tally {
  return { target: target.name, executions: 0, accepted: 0, refused: 0, slowestMs: 0 };
}

export interface Plan {
  readonly seed: number;
  readonly firstIteration: number;
  /** Executions of each target. */
  readonly iterations: number;
  /** Checked before each execution. */
  readonly isOver: () => boolean;
  /** Called before each execution, so that a watching thread can name one that never ends. */
  readonly onStart: (target: number, iteration: number) => void;
}

/** Iterations of one target before the next one's turn. */
const ROUND_ITERATIONS = 50;

/** Runs the targets in turns. A target that failed is not run again. */
export async function fuzz(
  targets: readonly Target[],
  { seed, firstIteration, iterations, isOver, onStart }: Plan,
): Promise<{ readonly tallies: readonly Tally[]; readonly failures: readonly Failure[] }> {
  const tallies = targets.map(newTally);
  const failures: Failure[] = [];
  const end = firstIteration + iterations;
  for (let from = firstIteration; from < end; from += ROUND_ITERATIONS) {
    for (const [at, target] of targets.entries()) {
      const tally = tallies[at] ?? newTally(target);
      const hasFailed = failures.some((failure) => failure.target === target.name);
      for (let i = from; i < Math.min(end, from + ROUND_ITERATIONS) && !hasFailed; i++) {
        if (isOver()) return { tallies, failures };
        onStart(at, i);
        const failure = await execute(target, seed, i, tally);
        if (failure !== null) {
          failures.push(failure);
          break;
        }
      }
    }
  }
  return { tallies, failures };
}
