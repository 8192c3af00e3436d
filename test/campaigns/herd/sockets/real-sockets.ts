import { mkdirSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { sleep } from '../../../../common/clock.js';
import { loadReceiptKeys } from '../../../../cloud/trust/receipt-keys.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { throttled } from '../../../../scripts/command.js';
import { freePort } from '../../../../scripts/free-port.js';
import { judgeStore, type Bound } from '../../drill/oracle.js';
import { Remote } from '../../common/remote.js';
import { mosquittoTls, type TestBroker } from '../../../support/engines/brokers.js';
import { TestCloud } from '../../../support/worlds/test-cloud.js';
import { until } from '../../../support/runner/wait.js';
import type { Outcome } from '../simulate.js';
import { fleetCertificates, type FleetCertificates } from './fleet-certificates.js';
import type { FleetProcedures, FleetStatus } from './fleet-process.js';

export interface SocketsPlan {
  readonly cameras: number;
  readonly processes: number;
  readonly outageMs: number;
  readonly windowMs: number;
  readonly folder: string;
  readonly progress: (text: string) => void;
}

export interface SocketsOutcome extends Pick<
  Outcome,
  'name' | 'perSecond' | 'peakPerS' | 'peakToMean' | 't99S' | 'attemptsPerDevice'
> {
  /** As measured: producing the events of all cameras may take longer than the outage that was asked for. */
  readonly outageMs: number;
  readonly bound: Bound;
  /** Records that the cameras made. */
  readonly produced: number;
  /** Records in the store beyond those that were made. */
  readonly doubled: number;
}

/**
 * Linux answers on all of 127.0.0.0/8, other systems only on configured addresses. Ports of one address limit the
 * connections.
 */
const ADDRESSES = platform() === 'linux' ? ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'] : ['127.0.0.1'];
const CAMERAS_PER_ACCOUNT = 5;
/** For the first connections the window is long enough for this rate, which this machine's handshakes can follow. */
const FIRST_PER_S = 100;
const SETTLE_TIMEOUT_MS = 120_000;

/**
 * Runs the agent's uplinks over TLS with client certificates against one Mosquitto and the cloud, through an outage of
 * the broker.
 */
export async function realSockets(plan: SocketsPlan): Promise<SocketsOutcome> {
  const { cameras, outageMs, windowMs, folder, progress } = plan;
  const port = await freePort();
  const tlsPort = await freePort();
  const httpPort = await freePort();
  const certificates = fleetCertificates(folder, ADDRESSES);
  const broker = mosquittoTls(folder, port, tlsPort, {
    ca: certificates.ca,
    cert: certificates.cert,
    key: certificates.key,
    addresses: ADDRESSES,
    isNameTheUser: true,
  });
  await broker.start();
  const cloud = new TestCloud(folder, httpPort, broker);
  await cloud.start();
  const fleet = Array.from(
    { length: plan.processes },
    (_, i) => new Remote<FleetProcedures>(new URL('./fleet-process.js', import.meta.url), `fleet ${String(i + 1)}`),
  );
  try {
    await startFleet(plan, fleet, { certificates, tlsPort, receiptKey: cloudKey(folder) });
    await untilSettled('all are claimed', fleet, plan, SETTLE_TIMEOUT_MS + (1000 * cameras) / FIRST_PER_S);
    await all(fleet, 'forgetTimes');
    progress('the broker is killed');
    const startedAtMs = Date.now();
    await broker.stop('kill');
    await all(fleet, 'produce');
    await sleep(realClock, Math.max(0, startedAtMs + outageMs - Date.now()));
    await broker.start();
    const outageS = (Date.now() - startedAtMs) / 1000;
    progress(`the broker is back after ${outageS.toFixed(1)} s`);
    await untilSettled('all are back', fleet, plan, SETTLE_TIMEOUT_MS + 3 * windowMs);
    const times = await Promise.all(fleet.map((process) => process.call('times', null)));
    const reports = (await Promise.all(fleet.map((process) => process.call('report', null)))).flat();
    const truth = new Map(reports.map(({ device, account }) => [device, account]));
    const bound = await judgeStore({ store: cloud.store, bodies: null }, truth, reports, new Set());
    const produced = reports.reduce((sum, { totals }) => sum + totals.produced, 0);
    return {
      ...curveOf({
        cameras,
        startedAtMs,
        outageS,
        attempts: times.flatMap(({ attempts }) => attempts),
        returns: times.flatMap(({ returns }) => returns),
      }),
      outageMs: Math.round(1000 * outageS),
      bound,
      produced,
      doubled: bound.records + bound.lost + bound.waiting - produced,
    };
  } finally {
    await Promise.all(fleet.map((process) => process.kill()));
    await end(cloud, broker);
  }
}

function cloudKey(folder: string): Uint8Array {
  return loadReceiptKeys(join(folder, 'cloud'), nodeSuite, realRandom).current.signer.publicKey;
}

interface Site {
  readonly certificates: FleetCertificates;
  readonly tlsPort: number;
  readonly receiptKey: Uint8Array;
}

async function startFleet(
  { cameras, windowMs, folder, progress }: SocketsPlan,
  fleet: readonly Remote<FleetProcedures>[],
  { certificates, tlsPort, receiptKey }: Site,
): Promise<void> {
  const shares = fleet.map((_, i) => Math.floor((cameras + i) / fleet.length));
  const urls = ADDRESSES.map((address) => `mqtts://${address}:${String(tlsPort)}`);
  await Promise.all(
    fleet.map(async (process, i) => {
      const plan = { cameras: shares[i] ?? 0, camerasPerAccount: CAMERAS_PER_ACCOUNT, receiptKey };
      const certs = await certificates.issue(await process.call('prepare', plan));
      progress(`${String(certs.length)} certificates`);
      const own = join(folder, `fleet-${String(i)}`);
      mkdirSync(own);
      await process.call('start', {
        folder: own,
        urls,
        certs,
        ca: certificates.caText,
        key: certificates.cameraKey,
        windowMs: Math.max(windowMs, (1000 * cameras) / FIRST_PER_S),
      });
    }),
  );
}

async function all(fleet: readonly Remote<FleetProcedures>[], what: 'forgetTimes' | 'produce'): Promise<void> {
  await Promise.all(fleet.map((process) => process.call(what, null)));
}

/** Resolves when every camera is connected and no record waits for a receipt. */
async function untilSettled(
  what: string,
  fleet: readonly Remote<FleetProcedures>[],
  { cameras, progress }: SocketsPlan,
  timeoutMs: number,
): Promise<void> {
  const sometimes = throttled(progress);
  await until(
    what,
    async () => {
      await sleep(realClock, 250);
      const statuses = await Promise.all(fleet.map((process) => process.call('status', null)));
      const sum = (key: keyof FleetStatus): number => statuses.reduce((total, one) => total + one[key], 0);
      const connected = sum('connected');
      const queued = sum('queued');
      sometimes(() => `${String(connected)} of ${String(cameras)} connected, ${String(queued)} records wait`);
      return connected === cameras && queued === 0;
    },
    timeoutMs,
  );
  progress(what);
}

interface Observed {
  readonly cameras: number;
  /** Wall clock, as are all times here: one clock for all processes of a machine. */
  readonly startedAtMs: number;
  readonly outageS: number;
  readonly attempts: readonly number[];
  readonly returns: readonly number[];
}

function curveOf({
  cameras,
  startedAtMs,
  outageS,
  attempts,
  returns,
}: Observed): Omit<SocketsOutcome, 'outageMs' | 'bound' | 'produced' | 'doubled'> {
  const secondOf = (atMs: number): number => Math.max(0, Math.floor((atMs - startedAtMs) / 1000));
  const perSecond = new Float64Array(Math.max(...attempts.map(secondOf)) + 1);
  for (const at of attempts) perSecond[secondOf(at)] = (perSecond[secondOf(at)] ?? 0) + 1;
  const sorted = [...returns].sort((a, b) => a - b);
  const t99S = ((sorted[Math.ceil(0.99 * cameras) - 1] ?? Infinity) - startedAtMs) / 1000 - outageS;
  const peakPerS = perSecond.reduce((a, b) => Math.max(a, b), 0);
  return {
    name: 'measured',
    perSecond,
    peakPerS,
    t99S,
    peakToMean: peakPerS / ((0.99 * cameras) / t99S),
    attemptsPerDevice: attempts.length / cameras,
  };
}

async function end(cloud: TestCloud, broker: TestBroker): Promise<void> {
  await cloud.stop();
  await broker.stop('kill');
}
