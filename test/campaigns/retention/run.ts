import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { sleep } from '../../../common/clock.js';
import type { StoreKind } from '../../../cloud/store/kinds.js';
import { openPostgresStore } from '../../../cloud/store/postgres/postgres-store.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { freePort } from '../../../scripts/free-port.js';
import { mosquitto } from '../../support/engines/brokers.js';
import { postgres } from '../../support/engines/postgres.js';
import { until } from '../../support/runner/wait.js';
import { Remote } from '../common/remote.js';
import { Worker } from '../common/worker.js';
import type { LoadProcedures } from '../fleet/load-process.js';
import { Backlog } from './backlog.js';
import { figuresOf, type RetentionFigures, type Sample } from './report.js';

export interface RetentionSettings {
  readonly folder: string;
  /** Cameras that send, and as many silent ones with old records. */
  readonly cameras: number;
  /** Old records of each silent camera. */
  readonly old: number;
  /** New records of each camera that sends. */
  readonly records: number;
  /** Length of each measurement; that of both ends with the backlog. */
  readonly windowMs: number;
  readonly progress: (text: string) => void;
  /** Registers what ends something that was started. */
  readonly onStarted: (end: () => Promise<unknown>) => void;
}

/** The shortest that the setting takes. */
const KEPT_MS = 3_600_000;
/** Old records span this time, which ended before the time for which records are kept. */
const SPAN_MS = 3_600_000;
const MARGIN_MS = 600_000;
const RESEND_MS = 60_000;
const SAMPLE_MS = 1000;
const SETTLE_TIMEOUT_MS = 300_000;
const TOO_FEW_NEW = 'the cameras had no more records to send; raise --records';

/**
 * Fills a store with old records, then starts a cloud on it, as shipped: it deletes alone first, then while cameras send,
 * and at the end ingests alone.
 */
export async function retentionRun(settings: RetentionSettings, store: StoreKind): Promise<RetentionFigures> {
  const { cameras, old, records, progress, onStarted } = settings;
  const folder = join(settings.folder, store);
  const data = join(folder, 'cloud');
  mkdirSync(data, { recursive: true });
  const { current, successor } = loadReceiptKeys(data, nodeSuite, realRandom);
  const receiptKeys = [current, successor].map(({ signer }) => signer.publicKey);
  const server = store === 'postgres' ? postgres(folder) : null;
  const broker = mosquitto(folder, await freePort());
  onStarted(() => Promise.all([broker.stop('kill'), server?.stop()]));
  await Promise.all([broker.start(), server?.start()]);
  const url = (await server?.database('sealcam')) ?? null;

  const fromMs = realClock.wallMs() - KEPT_MS - SPAN_MS - MARGIN_MS;
  const backlog = new Backlog({ cameras, records: old, receiptKeys, fromMs, everyMs: Math.floor(SPAN_MS / (old + 1)) });
  progress(`${store}: storing ${String(cameras * old)} old records`);
  await withStore(data, url, (opened) => backlog.fill(opened));

  const remote = new Remote<LoadProcedures>(new URL('../fleet/load-process.js', import.meta.url), 'load');
  onStarted(() => remote.kill());
  const { port: brokerPort, protocol } = broker;
  await remote.call('prepare', {
    cameras,
    records,
    resendMs: RESEND_MS,
    everyMs: 0,
    brokerPort,
    protocol,
    receiptKeys,
  });
  const operatorPort = await freePort();
  const worker = new Worker('the cloud', {
    SEALCLOUD_DATA_FOLDER: data,
    SEALCLOUD_HTTP_PORT: '0',
    SEALCLOUD_OPERATOR_PORT: String(operatorPort),
    SEALCLOUD_MQTT_URL: `mqtt://127.0.0.1:${String(brokerPort)}`,
    SEALCLOUD_MQTT_USERNAME: broker.cloudUser,
    SEALCLOUD_RETENTION_RECORDS: '1 h',
    SEALCLOUD_LOG_LEVEL: 'info',
    ...(url === null ? {} : { SEALCLOUD_STORE_KIND: 'postgres', SEALCLOUD_STORE_URL: url }),
  });
  onStarted(() => worker.stop('kill'));
  const sample = (): Promise<Sample> => sampleOf(operatorPort);
  const { windowMs } = settings;

  await worker.start();
  const deletingAlone = await during(sample, windowMs, ({ overdue }) => overdue === 0);
  progress(`  deleted alone: ${JSON.stringify(deletingAlone[1])}`);
  await remote.call('connect', null);
  await until(
    'every claim has a receipt',
    async () => (await remote.call('status', null)).claimed === cameras,
    SETTLE_TIMEOUT_MS,
  );
  await remote.call('start', null);
  const both = await during(sample, windowMs, ({ overdue }) => overdue === 0);
  progress(`  both: ${JSON.stringify(both[1])}`);
  await until(
    'every old record is deleted',
    async () => {
      await sleep(realClock, SAMPLE_MS);
      return (await sample()).overdue === 0;
    },
    SETTLE_TIMEOUT_MS,
  );
  const ingestingAlone = await during(sample, windowMs, () => false);
  progress(`  ingested alone: ${JSON.stringify(ingestingAlone[1])}`);
  const status = await remote.call('status', null);
  if (status.waiting === 0) throw new Error(TOO_FEW_NEW);
  await remote.call('stop', null);
  await worker.stop();
  const faults = await withStore(data, url, (opened) => backlog.faults(opened));
  await Promise.all([remote.kill(), broker.stop('kill'), server?.stop()]);
  return figuresOf(
    {
      store,
      cameras,
      backlog: backlog.due,
      faults: [...faults, ...worker.errors, ...(status.strange > 0 ? ['receipts of other cameras'] : [])],
    },
    { deletingAlone, both, ingestingAlone },
  );
}

/** Samples once a second, until `windowMs` are over or `isOver`; returns the first and the last. */
async function during(
  sample: () => Promise<Sample>,
  windowMs: number,
  isOver: (sample: Sample) => boolean,
): Promise<readonly [Sample, Sample]> {
  const first = await sample();
  let last = first;
  while (!isOver(last) && last.atMs - first.atMs < windowMs) {
    await sleep(realClock, Math.min(SAMPLE_MS, windowMs));
    last = await sample();
  }
  return [first, last];
}

async function sampleOf(operatorPort: number): Promise<Sample> {
  const response = await fetch(`http://127.0.0.1:${String(operatorPort)}/metrics`);
  const text = await response.text();
  const value = (name: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    if (line === undefined) throw new Error(`the cloud has no metric ${name}`);
    return Number(line.slice(name.length + 1));
  };
  return {
    atMs: realClock.monotonicMs(),
    stored: value('sealcam_records_total{verdict="stored"}'),
    deleted: value('sealcam_retention_deleted_total'),
    overdue: value('sealcam_retention_overdue_records'),
  };
}

async function withStore<T>(data: string, url: string | null, use: (store: CloudStore) => Promise<T>): Promise<T> {
  const store =
    url === null
      ? openSqliteStore(join(data, 'cloud.db'))
      : await openPostgresStore({ url, password: undefined, connections: 4 });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
