import { mkdirSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../../../common/adapters/real-clock.js';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { sleep } from '../../../../common/clock.js';
import { loadReceiptKeys } from '../../../../cloud/trust/receipt-keys.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { freePort } from '../../../../scripts/free-port.js';
import { judgeStore, type Bound } from '../../drill/oracle.js';
import { Remote } from '../../drill/rpc.js';
import { mosquittoTls, type TestBroker } from '../../../support/engines/brokers.js';
import { TestCloud } from '../../../support/worlds/test-cloud.js';
import { until } from '../../../support/runner/wait.js';
import type { Outcome } from '../simulate.js';
import { fleetCertificates } from './fleet-certificates.js';
import type { FleetProcedures, Progress } from './fleet-process.js';

export interface SocketsPlan {
  readonly cameras: number;
  readonly processes: number;
  readonly outageMs: number;
  readonly windowMs: number;
  readonly folder: string;
  readonly say: (text: string) => void;
}

export interface SocketsOutcome extends Pick<
  Outcome,
  'name' | 'perSecond' | 'peakPerS' | 'peakToMean' | 't99S' | 'attemptsPerDevice'
> {
  /** The events of so many cameras may take longer than was asked for. */
  readonly outageMs: number;
  readonly bound: Bound;
  /** Records that the cameras made. */
  readonly produced: number;
  /** Stored beyond what was made. */
  readonly doubled: number;
}

/** Linux answers on all of 127.0.0.0/8, others on one address until told more. */
const ADDRESSES = platform() === 'linux' ? ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'] : ['127.0.0.1'];
const CAMERAS_PER_ACCOUNT = 5;
/** The first time they come in over a window that this machine's handshakes can follow. */
const FIRST_PER_S = 100;
const PATIENCE_MS = 120_000;

/** So many of the agent's uplinks over TLS with client certificates, one Mosquitto, the cloud; and an outage of the broker. */
export async function realSockets(plan: SocketsPlan): Promise<SocketsOutcome> {
  const { cameras, outageMs, windowMs, folder, say } = plan;
  const [port, tlsPort, httpPort] = [await freePort(), await freePort(), await freePort()];
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
    (_, i) => new Remote<FleetProcedures>('../herd/sockets/fleet-process.js', `fleet ${String(i + 1)}`),
  );
  try {
    await startFleet(plan, fleet, certificates, tlsPort, cloudKey(folder));
    await settled('all are claimed', fleet, cameras, say, PATIENCE_MS + (1000 * cameras) / FIRST_PER_S);
    await all(fleet, 'mark');
    say('the broker is killed');
    const beganAtMs = Date.now();
    await broker.stop('kill');
    await all(fleet, 'produce');
    await sleep(realClock, Math.max(0, beganAtMs + outageMs - Date.now()));
    await broker.start();
    const outageS = (Date.now() - beganAtMs) / 1000;
    say(`the broker is back after ${outageS.toFixed(1)} s`);
    await settled('all are back', fleet, cameras, say, PATIENCE_MS + 3 * windowMs);
    const times = await Promise.all(fleet.map((process) => process.call('times', null)));
    const reports = (await Promise.all(fleet.map((process) => process.call('report', null)))).flat();
    const truth = new Map(reports.map(({ device, account }) => [device, account]));
    const bound = await judgeStore(cloud.store, truth, reports, new Set());
    const produced = reports.reduce((sum, { totals }) => sum + totals.produced, 0);
    return {
      ...curveOf(
        cameras,
        beganAtMs,
        outageS,
        times.flatMap(({ attempts }) => attempts),
        times.flatMap(({ returns }) => returns),
      ),
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

async function startFleet(
  { cameras, windowMs, folder, say }: SocketsPlan,
  fleet: readonly Remote<FleetProcedures>[],
  certificates: ReturnType<typeof fleetCertificates>,
  tlsPort: number,
  receiptKey: Uint8Array,
): Promise<void> {
  const shares = fleet.map((_, i) => Math.floor((cameras + i) / fleet.length));
  const urls = ADDRESSES.map((address) => `mqtts://${address}:${String(tlsPort)}`);
  await Promise.all(
    fleet.map(async (process, i) => {
      const plan = { cameras: shares[i] ?? 0, camerasPerAccount: CAMERAS_PER_ACCOUNT, receiptKey };
      const certs = await certificates.issue(await process.call('prepare', plan));
      say(`${String(certs.length)} certificates`);
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

async function all(fleet: readonly Remote<FleetProcedures>[], what: 'mark' | 'produce'): Promise<void> {
  await Promise.all(fleet.map((process) => process.call(what, null)));
}

/** Everybody is connected, and nothing waits for a receipt. */
async function settled(
  what: string,
  fleet: readonly Remote<FleetProcedures>[],
  cameras: number,
  say: (text: string) => void,
  patienceMs: number,
): Promise<void> {
  let saidAtMs = Date.now();
  await until(
    what,
    async () => {
      await sleep(realClock, 250);
      const progress = await Promise.all(fleet.map((process) => process.call('progress', null)));
      const sum = (key: keyof Progress): number => progress.reduce((total, one) => total + one[key], 0);
      const [connected, queued] = [sum('connected'), sum('queued')];
      if (Date.now() - saidAtMs > 5000) {
        saidAtMs = Date.now();
        say(`${String(connected)} of ${String(cameras)} connected, ${String(queued)} records queued`);
      }
      return connected === cameras && queued === 0;
    },
    patienceMs,
  );
  say(what);
}

function curveOf(
  cameras: number,
  beganAtMs: number,
  outageS: number,
  attempts: readonly number[],
  returns: readonly number[],
): Omit<SocketsOutcome, 'outageMs' | 'bound' | 'produced' | 'doubled'> {
  const secondOf = (atMs: number): number => Math.max(0, Math.floor((atMs - beganAtMs) / 1000));
  const perSecond = new Float64Array(Math.max(...attempts.map(secondOf)) + 1);
  for (const at of attempts) perSecond[secondOf(at)] = (perSecond[secondOf(at)] ?? 0) + 1;
  const sorted = [...returns].sort((a, b) => a - b);
  const t99S = ((sorted[Math.ceil(0.99 * cameras) - 1] ?? Infinity) - beganAtMs) / 1000 - outageS;
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
