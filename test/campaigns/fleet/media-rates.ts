import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realClock } from '../../../common/adapters/real-clock.js';
import { toHex } from '../../../common/bytes.js';
import { HttpPut } from '../../../agent/upload/http-put.js';
import { FilesStore } from '../../../cloud/media/files-store.js';
import type { MediaKind } from '../../../cloud/media/kinds.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import { S3Store } from '../../../cloud/media/s3-store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { mediaReceiptKind } from '../../../protocol/objects/media-receipt.js';
import { openSigned } from '../../../protocol/objects/signed-object.js';
import { freePort } from '../../../scripts/free-port.js';
import { radosgw, type TestS3 } from '../../support/engines/s3.js';
import { storeFilmed, type FilmedCamera } from '../common/filmed.js';
import { Worker } from '../common/worker.js';
import { median, rounded, round2 } from './rates.js';

export interface MediaRateSettings {
  readonly folder: string;
  readonly cameras: number;
  /** Of each camera, of seven bodies. */
  readonly clips: number;
  /** Pairs of runs, a worker and its floor. */
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

/** Medians of the rounds, sums of all. */
export interface MediaRateResult {
  readonly store: MediaKind;
  readonly cameras: number;
  readonly bodies: number;
  /** Bodies with a receipt that are not whole in the store. */
  readonly lost: number;
  readonly puts_per_s: number;
  readonly mib_per_s: number;
  /** What a server carries into the same store that asks nothing and signs nothing, measured in turn. */
  readonly floor_per_s: number;
  readonly share: number;
  readonly shares: readonly number[];
  /** Processor time of the worker for each body; null without /proc. */
  readonly worker_us: number | null;
  readonly floor_worker_us: number | null;
  readonly worker_mib: number | null;
  /** Requests that the engine logged, for each body; null for files. */
  readonly s3_requests_per_body: number | null;
}

interface Run {
  readonly perS: number;
  readonly bytesPerS: number;
  readonly workerUs: number | null;
  readonly mib: number;
}

/** A clip of 12 s at 2 Mbit/s: the initialisation, and six segments of 2 s. */
const CLIP_LENGTHS: readonly number[] = [16_400, ...new Array<number>(6).fill(508_032)];
const TRUSTING: readonly string[] = [fileURLToPath(new URL('./trusting-media.js', import.meta.url))];
const TIMEOUT_MS = 60_000;

/** Measures how many bodies of clips a second one worker takes into a store, beside a floor, round by round. */
export async function mediaRateRun(
  settings: MediaRateSettings,
  kind: MediaKind,
  keep: (close: () => Promise<unknown>) => void,
): Promise<MediaRateResult> {
  const { cameras, clips, rounds, progress } = settings;
  const folder = join(settings.folder, `media-${kind}`);
  const data = join(folder, 'cloud');
  mkdirSync(data, { recursive: true });
  const engine = kind === 's3' ? radosgw(folder) : null;
  if (engine !== null) keep(() => engine.kill());
  await engine?.start();
  const place = engine === null ? filesIn(data) : await bucketIn(engine, folder);
  const taken: Run[] = [];
  const carried: Run[] = [];
  let lost = 0;
  let requests = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const filmed: FilmedCamera[] = [];
      for (let i = 0; i < cameras; i++) filmed.push(await storeFilmed(data, clips, CLIP_LENGTHS));
      const carry = async (): Promise<void> => {
        carried.push(await oneRun(data, place.environment, filmed, keep, TRUSTING));
      };
      // In turn: what comes second finds the bodies of the first.
      if (round % 2 === 0) await carry();
      const before = engine?.requests() ?? 0;
      taken.push(await oneRun(data, place.environment, filmed, keep));
      requests += (engine?.requests() ?? 0) - before;
      lost += await lostOf(filmed, place.store);
      if (round % 2 === 1) await carry();
      progress(`  ${kind}, round ${String(round)}: ${rates(taken)} bodies a second, floor ${rates(carried)}`);
    }
  } finally {
    await place.store.close();
    await engine?.kill();
    rmSync(folder, { recursive: true, force: true });
  }
  const bodies = rounds * cameras * clips * CLIP_LENGTHS.length;
  const shares = carried.map(({ perS }, i) => round2((taken[i]?.perS ?? 0) / perS));
  const of = (runs: readonly Run[], figure: (run: Run) => number | null): number | null => median(runs.map(figure));
  return {
    store: kind,
    cameras,
    bodies,
    lost,
    puts_per_s: Math.round(of(taken, ({ perS }) => perS) ?? 0),
    mib_per_s: Math.round((of(taken, ({ bytesPerS }) => bytesPerS) ?? 0) / 2 ** 20),
    floor_per_s: Math.round(of(carried, ({ perS }) => perS) ?? 0),
    share: median(shares) ?? 0,
    shares,
    worker_us: rounded(of(taken, ({ workerUs }) => workerUs)),
    floor_worker_us: rounded(of(carried, ({ workerUs }) => workerUs)),
    worker_mib: Math.max(...taken.map(({ mib }) => mib)) || null,
    s3_requests_per_body: engine === null ? null : round2(requests / bodies),
  };
}

interface Place {
  readonly store: MediaStore;
  readonly environment: Readonly<Record<string, string>>;
}

function filesIn(data: string): Place {
  return { store: new FilesStore(join(data, 'media', 'bodies')), environment: {} };
}

async function bucketIn(engine: TestS3, folder: string): Promise<Place> {
  const url = await engine.bucket('clips');
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, engine.access.secret);
  return {
    store: new S3Store({ ...engine.access, url }, realClock),
    environment: {
      SEALCLOUD_MEDIA_KIND: 's3',
      SEALCLOUD_MEDIA_S3_URL: url,
      SEALCLOUD_MEDIA_S3_KEY_ID: engine.access.keyId,
      SEALCLOUD_MEDIA_S3_SECRET_FILE: secretFile,
    },
  };
}

/** Lets each camera bring its bodies one after the other, as fast as they are answered, with the agent's own client. */
async function oneRun(
  data: string,
  environment: Readonly<Record<string, string>>,
  filmed: readonly FilmedCamera[],
  keep: (close: () => Promise<unknown>) => void,
  command?: readonly string[],
): Promise<Run> {
  const port = await freePort();
  const settings = {
    SEALCLOUD_DATA_FOLDER: data,
    SEALCLOUD_HTTP_PORT: String(port),
    SEALCLOUD_MQTT_EMBEDDED: 'true',
    SEALCLOUD_MQTT_EMBEDDED_PORT: '0',
    ...environment,
  };
  const worker = new Worker('media', settings, command);
  keep(() => worker.stop('kill'));
  await worker.start();
  try {
    const [startedMs, startedCpuMs] = [realClock.monotonicMs(), worker.cpuMs()];
    const isTrusting = command !== undefined;
    await Promise.all(filmed.map((camera) => bring(camera, `http://127.0.0.1:${String(port)}`, isTrusting)));
    const tookS = (realClock.monotonicMs() - startedMs) / 1000;
    const cpuMs = worker.cpuMs();
    const bodies = filmed.flatMap((camera) => camera.bodies);
    return {
      perS: bodies.length / tookS,
      bytesPerS: bodies.reduce((sum, { length }) => sum + length, 0) / tookS,
      workerUs: cpuMs === null || startedCpuMs === null ? null : (1000 * (cpuMs - startedCpuMs)) / bodies.length,
      mib: worker.peakMib() ?? 0,
    };
  } finally {
    await worker.stop('kill');
  }
}

/** @throws Error where a body gets no receipt */
async function bring({ claim, bodies }: FilmedCamera, url: string, isTrusting: boolean): Promise<void> {
  const limits = { connectTimeoutMs: TIMEOUT_MS, answerTimeoutMs: TIMEOUT_MS };
  const put = new HttpPut({ url, ca: undefined, cert: undefined, key: undefined, ...limits }, realClock);
  try {
    for (const body of bodies) {
      const hash = nodeSuite.sha256(body);
      const answer = await put.put({
        path: `/v1/media/${toHex(claim.value.device)}/1/${toHex(hash)}`,
        length: body.length,
        read: () => body,
        giveWay: () => Promise.resolve(),
      });
      if (answer?.status !== 200 || answer.receipt === null)
        throw new Error(`a body was answered with ${String(answer?.status)}`);
      if (isTrusting) continue;
      const { value } = openSigned(mediaReceiptKind, nodeSuite, answer.receipt);
      if (value.entries[0]?.[1] !== 'stored') throw new Error('a body was refused');
    }
  } finally {
    put.close();
  }
}

async function lostOf(filmed: readonly FilmedCamera[], store: MediaStore): Promise<number> {
  let lost = 0;
  for (const { claim, bodies } of filmed) {
    for (const body of bodies) {
      const key = { device: claim.value.device, epoch: 1, bodyHash: nodeSuite.sha256(body) };
      const found = await store.get(key);
      if (found === undefined || Buffer.compare(found, body) !== 0) lost++;
    }
  }
  return lost;
}

function rates(runs: readonly Run[]): string {
  return String(Math.round(runs.at(-1)?.perS ?? 0));
}
