import { realClock } from '../../../common/adapters/real-clock.js';
import type { Judged } from './oracle.js';
import { run, untilStatus, type FleetSettings } from './runs.js';
import type { StoreKind } from './site.js';

export interface RateSettings extends FleetSettings {
  /** Pairs of runs, one that verifies and one that does not. */
  readonly rounds: number;
}

/** Sums of all runs, medians of the rounds. */
export interface RateResult extends Judged {
  readonly store: StoreKind;
  readonly workers: number;
  readonly cameras: number;
  /** Runs whose records are in `records`. */
  readonly runs: number;
  readonly resent: number;
  readonly records_per_s: number;
  /** What workers carry through the same broker and store without verifying, measured in turn; null without a floor. */
  readonly floor_per_s: number | null;
  /** Median of the rounds' own ratios of the two. */
  readonly share: number | null;
  readonly shares: readonly number[];
  /** Processor time of a worker for each record, all its threads; null without /proc. */
  readonly worker_us: number | null;
  readonly floor_worker_us: number | null;
  /** Of one core that only verifies the same records, measured before each run. */
  readonly verify_per_s: number;
  /** Peak memory of the largest worker. */
  readonly worker_mib: number | null;
  /** In the database with its indexes; null on SQLite. */
  readonly bytes_per_record: number | null;
  readonly bytes_per_picture: number | null;
}

interface Run {
  readonly judged: Judged;
  readonly resent: number;
  readonly perS: number;
  readonly verifyPerS: number;
  readonly workerUs: number | null;
  readonly mib: number;
  readonly sizes: { readonly record: number; readonly picture: number } | null;
}

/** Long enough that a record which only waits its turn is not sent again, since that would count against the rate. */
const RATE_RESEND_MS = 60_000;

/**
 * Measures how many records a second get receipts when cameras send as fast as they may. One worker is compared with a
 * floor, round by round, so that both see the same machine.
 */
export async function rateRun(settings: RateSettings, store: StoreKind, workers: number): Promise<RateResult> {
  const { cameras, rounds } = settings;
  const verifying: Run[] = [];
  const trusting: Run[] = [];
  for (let round = 1; round <= (workers === 1 ? rounds : 1); round++) {
    verifying.push(await oneRun(settings, store, workers, false, round));
    if (workers === 1) trusting.push(await oneRun(settings, store, workers, true, round));
  }
  const all = [...verifying, ...trusting];
  const sum = (of: (run: Run) => number): number => all.reduce((total, one) => total + of(one), 0);
  const shares = trusting.map(({ perS }, i) => round2((verifying[i]?.perS ?? 0) / perS));
  const sizes = verifying.at(-1)?.sizes ?? null;
  return {
    store,
    workers,
    cameras,
    runs: all.length,
    records: sum(({ judged }) => judged.records),
    lost: sum(({ judged }) => judged.lost),
    doubled: sum(({ judged }) => judged.doubled),
    misbound: sum(({ judged }) => judged.misbound),
    alarms: sum(({ judged }) => judged.alarms),
    resent: sum(({ resent }) => resent),
    records_per_s: Math.round(median(verifying.map(({ perS }) => perS)) ?? 0),
    floor_per_s: rounded(median(trusting.map(({ perS }) => perS))),
    share: median(shares),
    shares,
    worker_us: rounded(median(verifying.map(({ workerUs }) => workerUs))),
    floor_worker_us: rounded(median(trusting.map(({ workerUs }) => workerUs))),
    verify_per_s: Math.round(median(all.map(({ verifyPerS }) => verifyPerS)) ?? 0),
    worker_mib: Math.max(...verifying.map(({ mib }) => mib)) || null,
    bytes_per_record: sizes?.record ?? null,
    bytes_per_picture: sizes?.picture ?? null,
  };
}

async function oneRun(
  settings: RateSettings,
  store: StoreKind,
  workers: number,
  isTrusting: boolean,
  round: number,
): Promise<Run> {
  const { cameras, records, progress } = settings;
  const { judged, status, during, verifyPerS } = await run(
    { ...settings, resendMs: RATE_RESEND_MS },
    {
      name: `rate, ${store}, ${String(workers)} workers${isTrusting ? ', not verifying' : ''}, round ${String(round)}`,
      engines: { store, broker: 'mosquitto', workers, isTrusting },
      everyMs: 0,
      during: async ({ remote, site }) => {
        const cpuMs = (): number | null => {
          const each = site.workers.map((worker) => worker.cpuMs());
          return each.includes(null) ? null : each.reduce<number>((total, ms) => total + (ms ?? 0), 0);
        };
        const [startedMs, startedCpuMs] = [realClock.monotonicMs(), cpuMs()];
        await untilStatus(progress, remote, 'every record has a receipt', ({ waiting }) => waiting === 0);
        const tookMs = realClock.monotonicMs() - startedMs;
        const endedCpuMs = cpuMs();
        return {
          tookMs,
          cpuMs: startedCpuMs === null || endedCpuMs === null ? null : endedCpuMs - startedCpuMs,
          sizes: await site.sizes(),
          mib: site.workers.map((worker) => worker.peakMib() ?? 0),
        };
      },
    },
  );
  const perS = (1000 * cameras * records) / during.tookMs;
  progress(`  ${String(Math.round(perS))} records a second`);
  return {
    judged,
    resent: status.resent,
    perS,
    verifyPerS,
    workerUs: during.cpuMs === null ? null : (1000 * during.cpuMs) / (cameras * records),
    mib: Math.max(...during.mib),
    sizes: during.sizes,
  };
}

/** Returns the middle one of these; null where one is missing, or without any. */
export function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (known.length < values.length) return null;
  return known[Math.floor(known.length / 2)] ?? null;
}

export function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

export function round2(value: number): number {
  return Number(value.toFixed(2));
}
