import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { throttled } from '../../../scripts/command.js';
import { Remote } from '../common/remote.js';
import { until } from '../../support/runner/wait.js';
import type { LoadProcedures, LoadStatus } from './load-process.js';
import { judge, type Judged } from './oracle.js';
import { Site, type BrokerKind, type StoreKind } from './site.js';

export interface FleetSettings {
  readonly folder: string;
  readonly cameras: number;
  /** Of each camera, beside its accept. */
  readonly records: number;
  readonly resendMs: number;
  readonly progress: (text: string) => void;
}

export type Fault = 'worker killed' | 'postgres crashed' | 'broker node killed';

/** What a run is made of, besides its cameras. */
interface Engines {
  readonly store: StoreKind;
  readonly broker: BrokerKind;
  readonly workers: number;
  readonly isTrusting?: boolean;
}

export interface FaultResult extends Judged {
  readonly fault: Fault;
  readonly store: StoreKind;
  readonly broker: BrokerKind;
  readonly workers: number;
  readonly cameras: number;
  /** Between the fault and its repair. */
  readonly outage_s: number;
  /** Records without a receipt when it was repaired: 0 where the fault held nothing up. */
  readonly overdue: number;
  /** From the fault until every record that was due by its repair had a receipt. */
  readonly recovered_s: number;
  /** The longest time without any receipt. */
  readonly pause_s: number;
  readonly resent: number;
}

const OUTAGE_MS = 3000;
const SETTLE_TIMEOUT_MS = 180_000;
const VERIFY_MS = 1000;
const POLL_MS = 100;
const PROGRESS_INTERVAL_MS = 10_000;
/** Time over which a camera spreads its records, where nothing delays them. */
const LOAD_MS = 15_000;

interface Load {
  readonly remote: Remote<LoadProcedures>;
  readonly site: Site;
}

interface Run<T> {
  readonly name: string;
  readonly engines: Engines;
  /** Between two records of a camera; 0 sends as fast as receipts come. */
  readonly everyMs: number;
  /** Happens while the fleet is under load. */
  readonly during: (load: Load) => Promise<T>;
}

interface RunOutcome<T> {
  readonly judged: Judged;
  readonly status: LoadStatus;
  readonly during: T;
  readonly verifyPerS: number;
}

const running = new Set<() => Promise<void>>();
let isEnding = false;

/** Ends the processes of every run that is under way; from now on none starts another. */
export async function endAll(): Promise<void> {
  isEnding = true;
  await Promise.all([...running].map((end) => end()));
}

/** Runs a fleet from the claims to the last receipt, and compares the store with what the cameras made. */
export async function run<T>(
  settings: FleetSettings,
  { name, engines, everyMs, during }: Run<T>,
): Promise<RunOutcome<T>> {
  const { cameras, records, resendMs, progress } = settings;
  const folder = join(settings.folder, name.replaceAll(/[^a-z0-9]+/g, '-'));
  mkdirSync(folder);
  progress(`${name}: ${String(cameras)} cameras`);
  const remote = new Remote<LoadProcedures>(new URL('./load-process.js', import.meta.url), 'load');
  // Each is known before its process starts: a signal may come while the site opens.
  const closers: (() => Promise<unknown>)[] = [];
  const keep = (close: () => Promise<unknown>): void => {
    if (isEnding) throw new Error('interrupted');
    closers.unshift(close);
  };
  const end = async (): Promise<void> => {
    await remote.kill();
    await Promise.all(closers.map((close) => close()));
  };
  running.add(end);
  try {
    const site = await Site.open({ folder, ...engines }, keep);
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
    await untilStatus(progress, remote, 'every claim has a receipt', ({ claimed }) => claimed === cameras);
    await remote.call('start', null);
    const result = await during({ remote, site });
    const status = await untilStatus(progress, remote, 'every record has a receipt', ({ waiting }) => waiting === 0);
    await remote.call('stop', null);
    for (const { name: worker, errors } of site.workers) {
      const [first] = errors;
      if (first !== undefined) progress(`  ${worker} logged ${String(errors.length)} errors, first: ${first}`);
    }
    const judged = await site.withStore((store) => judge(store, made));
    if (status.strange > 0) throw new Error(`${String(status.strange)} receipts of other cameras' records`);
    return { judged, status, during: result, verifyPerS };
  } finally {
    await end();
    running.delete(end);
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function untilStatus(
  progress: (text: string) => void,
  remote: Remote<LoadProcedures>,
  what: string,
  isDone: (status: LoadStatus) => boolean,
): Promise<LoadStatus> {
  const sometimes = throttled(progress, PROGRESS_INTERVAL_MS);
  let last = await remote.call('status', null);
  await until(
    what,
    async () => {
      if (isDone(last)) return true;
      await sleep(realClock, POLL_MS);
      last = await remote.call('status', null);
      sometimes(
        () =>
          `  ${String(last.waiting)} records wait, ${String(last.resent)} were sent again, ${String(last.refused)} subscriptions were refused`,
      );
      return isDone(last);
    },
    SETTLE_TIMEOUT_MS,
  );
  return last;
}

/** Injects a fault while records arrive, repairs it after 3 s, and measures how the fleet recovers. */
export async function faultRun(settings: FleetSettings, fault: Fault, engines: Engines): Promise<FaultResult> {
  const { progress, cameras, records } = settings;
  const { judged, status, during } = await run(settings, {
    name: `${fault}, ${engines.store}, ${engines.broker}`,
    engines,
    everyMs: LOAD_MS / records,
    during: async ({ remote, site }) => {
      const third = (cameras * records) / 3;
      await untilStatus(progress, remote, 'a third has receipts', ({ receipted }) => receipted >= third);
      await remote.call('beginFault', null);
      const startedMs = realClock.monotonicMs();
      await inject(fault, site);
      progress(`  ${fault}`);
      await sleep(realClock, OUTAGE_MS);
      await repair(fault, site);
      const outageMs = realClock.monotonicMs() - startedMs;
      const overdue = await remote.call('endFault', null);
      progress(`  repaired after ${(outageMs / 1000).toFixed(1)} s`);
      await untilStatus(progress, remote, 'the fleet has recovered', ({ recoveredMs }) => recoveredMs !== null);
      return { outageMs, overdue };
    },
  });
  return {
    fault,
    ...engines,
    cameras,
    ...judged,
    outage_s: seconds(during.outageMs),
    overdue: during.overdue,
    recovered_s: seconds(status.recoveredMs ?? 0),
    pause_s: seconds(status.pauseMs),
    resent: status.resent,
  };
}

async function inject(fault: Fault, { workers, postgres, cluster }: Site): Promise<void> {
  if (fault === 'worker killed') await workers[0]?.stop('kill');
  else if (fault === 'postgres crashed') await postgres?.stop('kill');
  else await cluster?.killNode(0);
}

async function repair(fault: Fault, { workers, postgres, cluster }: Site): Promise<void> {
  if (fault === 'worker killed') await workers[0]?.start();
  else if (fault === 'postgres crashed') await postgres?.start();
  else await cluster?.startNode(0);
}

function seconds(ms: number): number {
  return Number((ms / 1000).toFixed(1));
}
