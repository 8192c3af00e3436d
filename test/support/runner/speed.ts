import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

/**
 * How slow this machine is now, and the limits that follow from it. A limit in a test only ends what hangs, so it grows where
 * the machine is slow or shared: no test may fail for want of a core.
 */

/** Processor time of {@link fixedWork} on the machine that the limits were chosen on. */
const REFERENCE_MS = 40;
const SLOWNESS_MAX = 40;
/** Kept in the environment, so that workers and the commands that tests start do not measure again. The agent refuses unknown variables that begin with SEALCAM_. */
const VARIABLE = 'TESTS_CORE_SLOWNESS';

/** 1 on the reference machine or a faster one, 2 where one core needs twice the processor time. */
export function coreSlowness(): number {
  const known = Number(process.env[VARIABLE]);
  if (known >= 1) return known;
  fixedWork();
  const start = process.cpuUsage();
  fixedWork();
  const { user, system } = process.cpuUsage(start);
  const measured = Math.max(1, (user + system) / 1000 / REFERENCE_MS);
  process.env[VARIABLE] = measured.toFixed(2);
  return measured;
}

function fixedWork(): void {
  let bytes: Uint8Array = new Uint8Array(64 * 1024);
  for (let i = 0; i < 100; i++) {
    const hash = createHash('sha256').update(bytes).digest();
    bytes = bytes.map((byte, at) => byte ^ (hash[at % hash.length] ?? 0));
  }
}

/** Processes that want a core, for each core: the larger of this moment's and the last minute's. */
export function crowding(): number {
  return Math.max(runnable(), loadavg()[0] ?? 0) / availableParallelism();
}

/** The fourth field of /proc/loadavg counts what wants a core now; elsewhere only the average is known. */
function runnable(): number {
  if (process.platform !== 'linux') return 0;
  try {
    return parseRunnable(readFileSync('/proc/loadavg', 'utf8'));
  } catch {
    return 0;
  }
}

/** Returns 7 for `4.14 3.28 2.35 7/134 21499`, and 0 for what is not such a line. */
export function parseRunnable(line: string): number {
  return Number(/ (\d+)\/\d+ /.exec(line)?.[1] ?? 0);
}

/** How many times longer than alone on the reference machine work may take now: from 1 to 40. */
export function slowness(core = coreSlowness(), crowd = crowding()): number {
  return Math.min(SLOWNESS_MAX, Math.max(1, core * Math.max(1, crowd)));
}

/** A wall limit for this moment: `baseMs` is ample on the idle reference machine. */
export function limitMs(baseMs: number): number {
  return Math.ceil(baseMs * slowness());
}

/** Counts waited time down at the machine's pace: a second on a machine that is ten times slower costs a tenth of one. */
export class Patience {
  private leftMs: number;
  private lastMs: number;

  constructor(ms: number, nowMs: number) {
    this.leftMs = ms;
    this.lastMs = nowMs;
  }

  get isSpent(): boolean {
    return this.leftMs < 0;
  }

  /** Returns false once the patience is used up. */
  wait(nowMs: number, slow: number): boolean {
    this.leftMs -= (nowMs - this.lastMs) / slow;
    this.lastMs = nowMs;
    return !this.isSpent;
  }
}
