import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../../../scripts/checkout.js';
import { Child } from '../../../scripts/demo/children.js';
import { Watcher } from '../../../scripts/demo/watcher.js';
import { freePort } from '../../../scripts/free-port.js';
import { FlappingProxy } from './flapping.js';
import { probe, slopePerHour, type Heap, type Sample } from './probe.js';

export interface SoakOptions {
  readonly seconds: number;
  readonly sampleS: number;
  readonly onSample: (sample: Sample, phase: string) => void;
}

export interface SoakResult {
  readonly seconds: number;
  readonly restarts: number;
  readonly outages: number;
  readonly records: number;
  /** Of the last, longest life of the process, after it has warmed up. */
  readonly from_s: number;
  readonly samples: number;
  /** Growth an hour by least squares; null where there was nothing to measure. */
  readonly slopes_per_hour: Readonly<Record<string, number | null>>;
  readonly first: Sample | null;
  readonly last: Sample | null;
  readonly most: { readonly rss_kib: number; readonly handles: number; readonly file_bytes: number };
}

/** Shares of the run: the process is killed and stopped early, so that the rest is one long life. */
const KILL_AT = 0.1;
const STOP_AT = 0.2;
const OUTAGE_FROM = 0.35;
const OUTAGE_TO = 0.55;
const WARM_UP = 0.35;
const FLAP_EVERY_S = 23;
const FLAP_FOR_S = 4;
const HEAP_EVERY_S = 30;
/** The least that may be set: it is full after a minute or two without a network. */
const QUEUE = '1 MiB';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A real agent's process over a network that flaps, killed and stopped on the way, with a long outage that fills its queue. */
export async function soak({ seconds, sampleS, onSample }: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-soak-'));
  const [httpPort, brokerPort, proxyPort] = [await freePort(), await freePort(), await freePort()];
  const origins = { cloud: `http://127.0.0.1:${String(httpPort)}`, page: 'http://127.0.0.1:1' };
  const proxy = new FlappingProxy(brokerPort);
  const cloud = startCloud(folder, httpPort, brokerPort, origins.page);
  const watcher = new Watcher('soak', origins.cloud, origins.page, () => undefined);
  const camera = new SoakCamera(folder, proxyPort);
  try {
    await proxy.listen(proxyPort);
    await healthy(origins.cloud);
    const code = camera.keys();
    camera.start();
    await watcher.claim(code);
    const begunMs = Date.now();
    const elapsed = (): number => (Date.now() - begunMs) / 1000;
    const samples: Sample[] = [];
    let [restarts, lifeFromS, heapAtS] = [0, 0, 0];
    const restartsAt: [number, NodeJS.Signals][] = [
      [KILL_AT * seconds, 'SIGKILL'],
      [STOP_AT * seconds, 'SIGTERM'],
    ];
    while (elapsed() < seconds) {
      const atS = elapsed();
      const isLongOutage = atS > OUTAGE_FROM * seconds && atS < OUTAGE_TO * seconds;
      const isFlap = atS % FLAP_EVERY_S > FLAP_EVERY_S - FLAP_FOR_S;
      if (isLongOutage || isFlap) proxy.down();
      else proxy.up();
      const [next] = restartsAt;
      if (next !== undefined && atS > next[0]) {
        restartsAt.shift();
        await camera.restart(next[1]);
        restarts++;
        lifeFromS = elapsed();
      }
      let heap: Heap | null = null;
      if (atS - heapAtS > Math.min(HEAP_EVERY_S, seconds / 10)) {
        heapAtS = atS;
        heap = await camera.heap();
      }
      const sample = probe(camera.pid, camera.data, Math.round(elapsed()), heap);
      if (sample !== null) {
        samples.push(sample);
        onSample(sample, isLongOutage ? 'long outage' : isFlap ? 'flap' : 'up');
      }
      await wait(1000 * sampleS);
    }
    const fromS = lifeFromS + WARM_UP * (seconds - lifeFromS);
    return { seconds, restarts, outages: proxy.drops, records: camera.records, ...figures(samples, fromS) };
  } finally {
    await camera.stop('SIGTERM');
    await watcher.stop();
    await proxy.close();
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function figures(
  all: readonly Sample[],
  fromS: number,
): Omit<SoakResult, 'seconds' | 'restarts' | 'outages' | 'records'> {
  const samples = all.filter(({ atS }) => atS >= fromS);
  const of = (value: (sample: Sample) => number | undefined): number | null => {
    const slope = slopePerHour(
      samples.flatMap((sample) => {
        const found = value(sample);
        return found === undefined ? [] : [[sample.atS, found] as const];
      }),
    );
    return slope === null ? null : Math.round(slope * 10) / 10;
  };
  const kib = (bytes: number | undefined): number | undefined => (bytes === undefined ? undefined : bytes / 1024);
  return {
    from_s: Math.round(fromS),
    samples: samples.length,
    slopes_per_hour: {
      rss_kib: of(({ rssKiB }) => rssKiB),
      rss_anon_kib: of(({ anonKiB }) => anonKiB),
      handles: of(({ handles }) => handles),
      file_kib: of(({ fileBytes }) => fileBytes / 1024),
      heap_used_kib: of(({ heap }) => kib(heap?.heapUsed)),
      heap_total_kib: of(({ heap }) => kib(heap?.heapTotal)),
      external_kib: of(({ heap }) => kib(heap?.external)),
      array_buffers_kib: of(({ heap }) => kib(heap?.arrayBuffers)),
    },
    first: samples[0] ?? null,
    last: samples.at(-1) ?? null,
    most: {
      rss_kib: Math.max(...all.map(({ rssKiB }) => rssKiB)),
      handles: Math.max(...all.map(({ handles }) => handles)),
      file_bytes: Math.max(...all.map(({ fileBytes }) => fileBytes)),
    },
  };
}

class SoakCamera {
  readonly data: string;
  records = 0;
  private readonly heapFile: string;
  private readonly environment: NodeJS.ProcessEnv;
  private child: ChildProcess | null = null;
  /** A signal before the process listens would end it. */
  private hasSpoken = false;

  constructor(folder: string, proxyPort: number) {
    this.data = join(folder, 'camera');
    this.heapFile = join(folder, 'heap.json');
    mkdirSync(this.data, { recursive: true });
    this.environment = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEALCAM_'))),
      SEALCAM_DATA_FOLDER: this.data,
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(proxyPort)}`,
      SEALCAM_UPLINK_INITIAL_WINDOW: '2 s',
      SEALCAM_HEALTH_INTERVAL: '5 s',
      SEALCAM_OUTBOX_MAX_BYTES: QUEUE,
      SEALCAM_CAMERA_FRAMES_PER_SECOND: '5',
      SEALCAM_MOTION_MAX_PER_HOUR: '0',
      SEALCAM_LOG_LEVEL: 'debug',
      SOAK_HEAP_FILE: this.heapFile,
    };
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Makes the keys, and returns the claim code. */
  keys(): string {
    const cli = join(checkout, 'dist/agent/cli/cli.js');
    const made = spawnSync(process.execPath, [cli, 'keygen', '--json'], { env: this.environment, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`keygen: ${made.stderr}${made.stdout}`);
    return (JSON.parse(made.stdout) as { readonly claim_code: string }).claim_code;
  }

  start(): void {
    const inside = join(checkout, 'dist/test/campaigns/soak/inside.js');
    const args = ['--expose-gc', '--import', inside, join(checkout, 'dist/agent/cli/cli.js'), 'run'];
    const child = spawn(process.execPath, args, { env: this.environment, stdio: ['ignore', 'pipe', 'ignore'] });
    this.hasSpoken = false;
    child.stdout.on('data', (chunk: Buffer) => {
      this.hasSpoken = true;
      this.records += chunk.toString().split('"recorded"').length - 1;
    });
    this.child = child;
  }

  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.stop(signal);
    this.start();
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await closed;
  }

  /** After a collection of garbage; null if the process does not answer in time. */
  async heap(): Promise<Heap | null> {
    rmSync(this.heapFile, { force: true });
    if (!this.hasSpoken || this.child?.kill('SIGUSR2') !== true) return null;
    for (let i = 0; i < 20; i++) {
      await wait(100);
      try {
        return JSON.parse(readFileSync(this.heapFile, 'utf8')) as Heap;
      } catch {
        // Not yet.
      }
    }
    return null;
  }
}

function startCloud(folder: string, httpPort: number, brokerPort: number, pageOrigin: string): Child {
  return new Child(
    'cloud',
    [join(checkout, 'dist/cloud/cli/cli.js'), 'serve'],
    {
      SEALCLOUD_HTTP_PORT: String(httpPort),
      SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([pageOrigin]),
      SEALCLOUD_MQTT_EMBEDDED: 'true',
      SEALCLOUD_MQTT_EMBEDDED_PORT: String(brokerPort),
      SEALCLOUD_DATA_FOLDER: join(folder, 'cloud'),
      SEALCLOUD_PACING_DRAIN_INTERVAL: '200 ms',
    },
    join(folder, 'logs'),
    () => undefined,
  );
}

async function healthy(origin: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(`${origin}/healthz`).catch(() => null);
    if (answer?.ok === true) return;
    await wait(100);
  }
  throw new Error('the cloud did not start');
}
