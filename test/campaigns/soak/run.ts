import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout } from '../../../scripts/checkout.js';
import { startLocalCloud, untilHealthy } from '../../../scripts/demo/local-cloud.js';
import { Watcher } from '../../../scripts/demo/watcher.js';
import { endProcess } from '../../../scripts/end-process.js';
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
  /** When measuring began: in the last, longest life of the process, after its warm-up. */
  readonly from_s: number;
  readonly samples: number;
  /** Growth an hour by least squares; null without samples. */
  readonly slopes_per_hour: Readonly<Record<string, number | null>>;
  readonly first: Sample | null;
  readonly last: Sample | null;
  readonly most: { readonly rss_kib: number; readonly handles: number; readonly file_bytes: number };
}

/** Shares of the run. The process is killed and stopped early, so that the rest is one long life. */
const KILL_SHARE = 0.1;
const STOP_SHARE = 0.2;
const OUTAGE_FROM_SHARE = 0.35;
const OUTAGE_TO_SHARE = 0.55;
/** Of the last life. */
const WARM_UP_SHARE = 0.35;
const FLAP_EVERY_S = 23;
const FLAP_FOR_S = 4;
const HEAP_EVERY_S = 30;
/** The smallest outbox that can be set; it is full after a minute or two without a network. */
const OUTBOX_MAX_BYTES = '1 MiB';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs an agent as a process over a flapping network, with one kill, one stop, and a long outage that fills its outbox.
 */
export async function soak({ seconds, sampleS, onSample }: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sealcam-soak-'));
  const httpPort = await freePort();
  const brokerPort = await freePort();
  const proxyPort = await freePort();
  const origins = { cloud: `http://127.0.0.1:${String(httpPort)}`, page: 'http://127.0.0.1:1' };
  const proxy = new FlappingProxy(brokerPort);
  const cloud = startLocalCloud({
    folder,
    httpPort,
    brokerPort,
    pageOrigin: origins.page,
    environment: { SEALCLOUD_PACING_DRAIN_INTERVAL: '200 ms' },
  });
  const watcher = new Watcher('soak', origins.cloud, origins.page, () => undefined);
  const camera = new SoakCamera(folder, proxyPort);
  try {
    await proxy.listen(proxyPort);
    await untilHealthy(cloud, origins.cloud);
    const code = camera.makeKeys();
    camera.start();
    await watcher.claim(code);
    const startedMs = Date.now();
    const elapsed = (): number => (Date.now() - startedMs) / 1000;
    const samples: Sample[] = [];
    let restarts = 0;
    let lifeFromS = 0;
    let heapAtS = 0;
    const restartsAt: [number, NodeJS.Signals][] = [
      [KILL_SHARE * seconds, 'SIGKILL'],
      [STOP_SHARE * seconds, 'SIGTERM'],
    ];
    while (elapsed() < seconds) {
      const atS = elapsed();
      const isLongOutage = atS > OUTAGE_FROM_SHARE * seconds && atS < OUTAGE_TO_SHARE * seconds;
      const isFlap = atS % FLAP_EVERY_S > FLAP_EVERY_S - FLAP_FOR_S;
      const phase = isFlap ? 'flap' : 'up';
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
      // A process that is still loading its modules holds a hundred of their files open.
      const sample = camera.hasLogged ? probe(camera.pid, camera.data, Math.round(elapsed()), heap) : null;
      if (sample !== null) {
        samples.push(sample);
        onSample(sample, isLongOutage ? 'long outage' : phase);
      }
      await wait(1000 * sampleS);
    }
    const fromS = lifeFromS + WARM_UP_SHARE * (seconds - lifeFromS);
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

/** The agent under test, in a process that can be killed and started again on the same data folder. */
class SoakCamera {
  readonly data: string;
  records = 0;
  private readonly heapFile: string;
  private readonly environment: NodeJS.ProcessEnv;
  private child: ChildProcess | null = null;
  /** Whether it has logged a line, and so loaded its modules. A SIGUSR2 before that would end the process. */
  hasLogged = false;

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
      SEALCAM_OUTBOX_MAX_BYTES: OUTBOX_MAX_BYTES,
      SEALCAM_CAMERA_FRAMES_PER_SECOND: '5',
      SEALCAM_MOTION_MAX_PER_HOUR: '0',
      SEALCAM_LOG_LEVEL: 'debug',
      SOAK_HEAP_FILE: this.heapFile,
    };
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Makes the keys of the camera. Returns its claim code. */
  makeKeys(): string {
    const cli = join(checkout, 'dist/agent/cli/cli.js');
    const made = spawnSync(process.execPath, [cli, 'keygen', '--json'], { env: this.environment, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`keygen: ${made.stderr}${made.stdout}`);
    return (JSON.parse(made.stdout) as { readonly claim_code: string }).claim_code;
  }

  start(): void {
    const inside = join(checkout, 'dist/test/campaigns/soak/inside.js');
    const args = ['--expose-gc', '--import', inside, join(checkout, 'dist/agent/cli/cli.js'), 'run'];
    const child = spawn(process.execPath, args, { env: this.environment, stdio: ['ignore', 'pipe', 'ignore'] });
    this.hasLogged = false;
    child.stdout.on('data', (chunk: Buffer) => {
      this.hasLogged = true;
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
    if (child !== null) await endProcess(child, signal);
  }

  /** Returns the heap after a garbage collection; null where the process does not answer within 2 s. */
  async heap(): Promise<Heap | null> {
    rmSync(this.heapFile, { force: true });
    if (!this.hasLogged || this.child?.kill('SIGUSR2') !== true) return null;
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
