import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { Remote } from '../drill/rpc.js';
import { until } from '../../support/runner/wait.js';
import type { LoadProcedures, Progress } from './load-process.js';
import { judge, type Judged } from './oracle.js';
import { Site, type BrokerKind, type StoreKind } from './site.js';

export interface FleetSettings {
  readonly folder: string;
  readonly cameras: number;
  /** Of each camera, beside its accept. */
  readonly records: number;
  readonly resendMs: number;
  readonly say: (text: string) => void;
}

export type Fault = 'worker killed' | 'postgres crashed' | 'broker node killed';

export interface FaultResult extends Judged {
  readonly fault: Fault;
  readonly store: StoreKind;
  readonly broker: BrokerKind;
  readonly workers: number;
  readonly cameras: number;
  /** Between the fault and its end. */
  readonly outage_s: number;
  /** From the fault until everything was receipted that should have gone out by its end. */
  readonly recovered_s: number;
  /** The longest time in which nobody got a receipt. */
  readonly pause_s: number;
  readonly resent: number;
}

export interface RateResult extends Judged {
  readonly store: StoreKind;
  readonly workers: number;
  readonly cameras: number;
  readonly records_per_s: number;
  /** One core that only checks the same records, measured before the run. */
  readonly verify_per_s: number;
  readonly resent: number;
  /** Of the largest worker. */
  readonly worker_mib: number | null;
  /** In the database with its indexes; null on SQLite. */
  readonly bytes_per_record: number | null;
  readonly bytes_per_picture: number | null;
}

const OUTAGE_MS = 3000;
const SETTLE_MS = 180_000;
const VERIFY_MS = 1000;
const LOOK_MS = 100;
const PROGRESS_MS = 10_000;
/** Where only the rate counts, what waits its turn is not sent again. */
const RATE_RESEND_MS = 60_000;
/** From the first record to the last, where nothing is in their way. */
const LOAD_MS = 15_000;

interface Load {
  readonly remote: Remote<LoadProcedures>;
  readonly site: Site;
}

const running = new Set<() => Promise<void>>();

/** For whoever is interrupted: leaves no process behind. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((end) => end()));
}

/** A fleet from claim to the last receipt; `during` happens while it is under load. */
async function run<T>(
  settings: FleetSettings,
  name: string,
  where: { readonly store: StoreKind; readonly broker: BrokerKind; readonly workers: number },
  everyMs: number,
  during: (load: Load) => Promise<T>,
): Promise<{ readonly judged: Judged; readonly progress: Progress; readonly during: T; readonly verifyPerS: number }> {
  const { cameras, records, resendMs, say } = settings;
  const folder = join(settings.folder, name.replaceAll(/[^a-z0-9]+/g, '-'));
  mkdirSync(folder);
  say(`${name}: ${String(cameras)} cameras`);
  const remote = new Remote<LoadProcedures>('../fleet/load-process.js', 'load');
  let site: Site | null = null;
  const end = async (): Promise<void> => {
    await remote.kill();
    await site?.close();
  };
  running.add(end);
  try {
    site = await Site.open({ folder, ...where });
    const { port, protocol } = site.broker;
    const made = await remote.call('prepare', {
      cameras,
      records,
      resendMs,
      everyMs,
      brokerPort: port,
      protocol,
      receiptKeys: site.receiptKeys,
    });
    const verifyPerS = await remote.call('verifyRate', VERIFY_MS);
    await remote.call('connect', null);
    await settled(say, remote, 'every claim is receipted', (progress) => progress.receipted >= cameras);
    await remote.call('start', null);
    const done = await during({ remote, site });
    const progress = await settled(say, remote, 'everything is receipted', ({ waiting }) => waiting === 0);
    await remote.call('stop', null);
    for (const { name: worker, complaints } of site.workers) {
      const [first] = complaints;
      if (first !== undefined) say(`  ${worker} complained ${String(complaints.length)} times: ${first}`);
    }
    const judged = await site.withStore((store) => judge(store, made));
    if (progress.strange > 0) throw new Error(`${String(progress.strange)} receipts of other records`);
    return { judged, progress, during: done, verifyPerS };
  } finally {
    await end();
    running.delete(end);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function settled(
  say: (text: string) => void,
  remote: Remote<LoadProcedures>,
  what: string,
  isDone: (progress: Progress) => boolean,
): Promise<Progress> {
  let last = await remote.call('progress', null);
  let saidMs = realClock.monotonicMs();
  await until(
    what,
    async () => {
      if (isDone(last)) return true;
      await sleep(realClock, LOOK_MS);
      last = await remote.call('progress', null);
      if (realClock.monotonicMs() - saidMs > PROGRESS_MS) {
        saidMs = realClock.monotonicMs();
        say(
          `  ${String(last.waiting)} records wait, ${String(last.resent)} were sent again, ${String(last.refused)} subscriptions were refused`,
        );
      }
      return isDone(last);
    },
    SETTLE_MS,
  );
  return last;
}

/** Somebody pulls a plug while records come, and puts it back. */
export async function faultRun(
  settings: FleetSettings,
  fault: Fault,
  where: { readonly store: StoreKind; readonly broker: BrokerKind; readonly workers: number },
): Promise<FaultResult> {
  const { say, cameras, records } = settings;
  const name = `${fault}, ${where.store}, ${where.broker}`;
  const { judged, progress, during } = await run(settings, name, where, LOAD_MS / records, async ({ remote, site }) => {
    const third = (cameras * records) / 3;
    await settled(say, remote, 'a third is receipted', ({ receipted }) => receipted >= third);
    await remote.call('mark', null);
    const begunMs = realClock.monotonicMs();
    await breakIt(fault, site);
    say(`  ${fault}`);
    await sleep(realClock, OUTAGE_MS);
    await mendIt(fault, site);
    const outageMs = realClock.monotonicMs() - begunMs;
    await remote.call('mended', null);
    say(`  mended after ${(outageMs / 1000).toFixed(1)} s`);
    await settled(say, remote, 'it has recovered', ({ recoveredMs }) => recoveredMs !== null);
    return outageMs;
  });
  return {
    fault,
    ...where,
    cameras,
    ...judged,
    outage_s: seconds(during),
    recovered_s: seconds(progress.recoveredMs ?? 0),
    pause_s: seconds(progress.pauseMs),
    resent: progress.resent,
  };
}

async function breakIt(fault: Fault, { workers, postgres, cluster }: Site): Promise<void> {
  if (fault === 'worker killed') await workers[0]?.stop('kill');
  else if (fault === 'postgres crashed') await postgres?.stop('kill');
  else await cluster?.killNode(0);
}

async function mendIt(fault: Fault, { workers, postgres, cluster }: Site): Promise<void> {
  if (fault === 'worker killed') await workers[0]?.start();
  else if (fault === 'postgres crashed') await postgres?.start();
  else await cluster?.startNode(0);
}

/** As fast as receipts come. */
export async function rateRun(settings: FleetSettings, store: StoreKind, workers: number): Promise<RateResult> {
  const { cameras, records, say } = settings;
  const where = { store, broker: 'mosquitto', workers } as const;
  const name = `rate, ${store}, ${String(workers)} workers`;
  const { judged, progress, during, verifyPerS } = await run(
    { ...settings, resendMs: RATE_RESEND_MS },
    name,
    where,
    0,
    async ({ remote, site }) => {
      const begunMs = realClock.monotonicMs();
      await settled(say, remote, 'everything is receipted', ({ waiting }) => waiting === 0);
      const tookMs = realClock.monotonicMs() - begunMs;
      return { tookMs, sizes: await site.sizes(), mib: site.workers.map((worker) => worker.peakMib() ?? 0) };
    },
  );
  return {
    store,
    workers,
    cameras,
    ...judged,
    resent: progress.resent,
    records_per_s: Math.round((1000 * cameras * records) / during.tookMs),
    verify_per_s: Math.round(verifyPerS),
    worker_mib: Math.max(...during.mib) || null,
    bytes_per_record: during.sizes?.record ?? null,
    bytes_per_picture: during.sizes?.picture ?? null,
  };
}

function seconds(ms: number): number {
  return Number((ms / 1000).toFixed(1));
}
