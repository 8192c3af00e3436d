/** `npm run demo`: the whole system on one machine, with mock cameras. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { realClock } from '../common/adapters/real-clock.js';
import { sleep } from '../common/clock.js';
import { isInstalled } from '../hal/adapters/is-installed.js';
import { findWasmEncoder } from '../hal/mock/wasm-encoder.js';
import { buildPage } from './build-page.js';
import { checkout } from './checkout.js';
import { commandLine, runCommand, wholeNumber } from './command.js';
import { Child, type LogLine } from './demo/children.js';
import { startLocalCloud, untilHealthy } from './demo/local-cloud.js';
import { NO_EVENTS, RING_FILLS_MS } from './demo/quiet.js';
import { ClipWatch } from './demo/clip-watch.js';
import { StageTimes } from './demo/stages.js';
import { LookWatch, type LeftRecord, type LookSummary } from './demo/look-watch.js';
import { Watcher, type OpenedEvent } from './demo/watcher.js';
import { saveResult } from './results.js';
import { freePort } from './free-port.js';
import { servePage } from './page-server.js';

const HELP = `npm run demo [-- options]

Runs three mock cameras of two owners, a broker, the cloud and the owner's page on free ports of this machine.

  --video FILE   add a camera of the first owner that plays this video (needs ffmpeg)
  --clips        film the events too, every second camera in H.264 and the others in JPEG
  --looks N      look N times through the first owner's cameras in Chromium, and print a JSON summary with how long pictures took
  --events N     stop after N events were received, verified and opened (with --clips also N clips), and print a JSON summary
  --json         print only that summary
  --save         also write it to docs/results/demo.json, with looks to demo-looks.json, with commit and date
  --keep         keep the temporary folder with databases and logs
  --help         print this text

Exit status: 0 done; 1 fewer events than asked for, an alarm, or a part that did not start; 2 wrong usage.
`;

interface Options {
  readonly video: string | null;
  readonly clips: boolean;
  readonly looks: number | null;
  readonly events: number | null;
  readonly json: boolean;
  readonly keep: boolean;
  readonly save: boolean;
}

interface DemoCamera {
  readonly name: string;
  readonly owner: 'Anna' | 'Ben';
  readonly environment: Readonly<Record<string, string>>;
}

const MOCKS: readonly DemoCamera[] = [
  { name: 'Front door', owner: 'Anna', environment: { SEALCAM_MOCK_SCENE: 'porch', SEALCAM_MOCK_SEED: '11' } },
  { name: 'Driveway', owner: 'Anna', environment: { SEALCAM_MOCK_SCENE: 'driveway', SEALCAM_MOCK_SEED: '23' } },
  { name: 'Garden', owner: 'Ben', environment: { SEALCAM_MOCK_SCENE: 'garden', SEALCAM_MOCK_SEED: '37' } },
];
/** With --events the demo gives up after this time, so that a fault cannot hang a build. */
const EVENTS_TIMEOUT_MS = 180_000;

/** Ports and page of one run. */
interface Site {
  readonly httpPort: number;
  readonly brokerPort: number;
  readonly cloudOrigin: string;
  readonly pageOrigin: string;
}

type Watchers = ReadonlyMap<string, Watcher>;

class Demo {
  private readonly options: Options;
  private readonly folder = mkdtempSync(join(tmpdir(), 'sealcam-demo-'));
  private readonly children: Child[] = [];
  private readonly stages = new StageTimes();
  /** Stage times that cameras reported, by device and seq. */
  private readonly reported = new Map<string, LogLine>();
  private readonly opened = new Set<string>();
  private readonly names = new Map<string, string>();
  private readonly clips: ClipWatch | null;
  private looked: LookSummary | null = null;
  private readonly left: LeftRecord[] = [];
  private onEnough: () => void = () => undefined;

  constructor(options: Options) {
    this.options = options;
    this.clips = options.clips
      ? new ClipWatch(realClock, () => {
          this.endIfEnough();
        })
      : null;
  }

  async run(): Promise<number> {
    const started = realClock.monotonicMs();
    const httpPort = await freePort();
    const brokerPort = await freePort();
    const pagePort = await freePort();
    const cloudOrigin = `http://127.0.0.1:${String(httpPort)}`;
    const pageOrigin = `http://127.0.0.1:${String(pagePort)}`;
    const site: Site = { httpPort, brokerPort, cloudOrigin, pageOrigin };
    this.printLine('Building the page …');
    const page = join(this.folder, 'page');
    await buildPage({ outFolder: page, cloudOrigin, demo: true });
    const server = await servePage(page, pagePort);
    const stopped = this.stopSignal();
    const watchers = new Map<string, Watcher>();
    try {
      this.printLine('Starting broker and cloud …');
      await this.startCloud(site);
      for (const owner of ['Anna', 'Ben'] as const) {
        const watcher = new Watcher(owner, cloudOrigin, pageOrigin, (opened) => {
          this.eventOpened(owner, opened);
        });
        watchers.set(owner, watcher);
        if (this.clips !== null) watcher.followClips(this.clips);
        watcher.start();
      }
      const cameras = this.cameras();
      this.printLine(`Starting ${String(cameras.length)} cameras, each claimed by its owner …`);
      const links = new Map<string, string[]>();
      await Promise.all(
        cameras.map(async (camera, i) => {
          const device = await this.startCamera(camera, i, site, watchers);
          const list = links.get(camera.owner) ?? [];
          links.set(camera.owner, [...list, `camera=${device}:${encodeURIComponent(camera.name)}`]);
        }),
      );
      this.printLine('');
      for (const [owner, watcher] of watchers) {
        const fragment = [`demo-owner=${watcher.fragment}`, ...(links.get(owner) ?? [])].join('&');
        this.printLine(`${owner}'s page:  ${pageOrigin}/#${fragment}`);
      }
      this.printLine(
        `\nLogs: ${join(this.folder, 'logs')}. ${this.options.events === null ? 'Ctrl-C ends the demo.' : ''}\n`,
      );
      const enough = new Promise<'enough'>((resolve) => {
        this.onEnough = () => {
          resolve('enough');
        };
      });
      if (this.options.looks !== null) await this.runLooks(links.get('Anna') ?? [], watchers, pageOrigin);
      const ended = new AbortController();
      const timeout: Promise<'late'> =
        this.options.events === null && this.options.looks === null
          ? new Promise(() => undefined)
          : sleep(realClock, EVENTS_TIMEOUT_MS, ended.signal).then(() => 'late' as const);
      this.endIfEnough();
      const end = await Promise.race([enough, stopped, timeout]);
      ended.abort();
      return this.finish(end, watchers, started);
    } finally {
      this.clips?.stop();
      await Promise.all([...watchers.values()].map((watcher) => watcher.stop()));
      // Cameras first: what they have not sent is in their outbox.
      for (const child of [...this.children].reverse()) await child.stop();
      await server.close();
      if (!this.options.keep) rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private async runLooks(cameras: readonly string[], watchers: Watchers, pageOrigin: string): Promise<void> {
    const anna = watchers.get('Anna');
    if (anna === undefined || this.options.looks === null) return;
    this.printLine('Looking …');
    const link = `${pageOrigin}/#${[`demo-owner=${anna.fragment}`, ...cameras].join('&')}`;
    const devices = cameras.map((entry) => entry.slice('camera='.length).split(':')[0] ?? '');
    const screenshot = this.options.keep ? join(this.folder, 'look.png') : null;
    this.looked = await new LookWatch(link, this.options.looks, screenshot).run(
      () => anna.lookEnds(devices),
      () => this.left,
    );
    if (screenshot !== null) this.printLine(`Screenshot: ${screenshot}`);
  }

  private finish(end: string, watchers: Watchers, startedMs: number): number {
    if (this.options.events === null && this.looked === null) return 0;
    const alarms = [...watchers.values()].reduce((sum, watcher) => sum + watcher.alarms(), 0);
    const summary = {
      events: this.opened.size,
      cameras: this.names.size,
      owners: watchers.size,
      alarms,
      seconds: Math.round((realClock.monotonicMs() - startedMs) / 100) / 10,
      stages: this.stages.summary(),
      ...(this.clips === null ? {} : { clips: this.clips.summary() }),
      ...(this.looked === null ? {} : { looks: this.looked }),
    };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    if (this.options.save)
      saveResult(this.looked === null ? 'demo' : 'demo-looks', { command: commandLine('demo'), ...summary });
    if (end === 'enough' && alarms === 0) return 0;
    process.stderr.write(
      end === 'late'
        ? `demo: only ${String(this.opened.size)} events in ${String(EVENTS_TIMEOUT_MS / 1000)} s; --keep keeps the logs\n`
        : 'demo: stopped before all events were seen, or with alarms\n',
    );
    return 1;
  }

  private cameras(): readonly DemoCamera[] {
    const { video } = this.options;
    if (video === null) return MOCKS;
    const environment = { SEALCAM_CAMERA_DRIVER: 'replay', SEALCAM_REPLAY_PATH: video };
    return [...MOCKS, { name: basename(video), owner: 'Anna', environment }];
  }

  private async startCloud(site: Site): Promise<void> {
    const cloud = startLocalCloud({ ...site, folder: this.folder });
    this.children.push(cloud);
    await untilHealthy(cloud, site.cloudOrigin);
  }

  /** Starts a camera, and has its owner claim it. Returns its device id in hex. */
  private async startCamera(
    camera: DemoCamera,
    number: number,
    { brokerPort, pageOrigin, cloudOrigin }: Site,
    watchers: Watchers,
  ): Promise<string> {
    const settings = join(this.folder, `camera-${String(number + 1)}.toml`);
    writeFileSync(settings, this.options.clips ? NO_EVENTS : '');
    const environment = {
      SEALCAM_CONFIG: settings,
      SEALCAM_DATA_FOLDER: join(this.folder, `camera-${String(number + 1)}`),
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(brokerPort)}`,
      SEALCAM_UPLINK_INITIAL_WINDOW: '1 s',
      SEALCAM_CLAIM_PAGE_URL: `${pageOrigin}/`,
      SEALCAM_HEALTH_INTERVAL: '30 s',
      // In a mock scene somebody comes every 14 seconds.
      SEALCAM_MOTION_MAX_PER_HOUR: '0',
      SEALCAM_LOG_LEVEL: 'debug',
      ...(this.options.clips || this.options.looks !== null ? clipSettings(number, cloudOrigin) : {}),
      ...camera.environment,
    };
    const cli = join(checkout, 'dist/agent/cli/cli.js');
    const keys = spawnSync(process.execPath, [cli, 'keygen', '--json'], {
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    });
    if (keys.status !== 0) throw new Error(`keygen: ${keys.stderr}${keys.stdout}`);
    const { device, claim_code: code } = JSON.parse(keys.stdout) as { device: string; claim_code: string };
    this.names.set(device, camera.name);
    const child = new Child({
      name: `camera-${String(number + 1)}`,
      args: [cli, 'run'],
      environment,
      logFolder: join(this.folder, 'logs'),
      onLine: (line) => {
        if (line.msg === 'recorded') this.reported.set(`${device}/${String(line['seq'])}`, line);
        if (line.level === 'error') this.printLine(`${camera.name}: ${String(line.msg)}`);
      },
    });
    this.children.push(child);
    await watchers.get(camera.owner)?.claim(code);
    this.printLine(`  ${camera.name} belongs to ${camera.owner}`);
    if (this.options.clips) {
      await sleep(realClock, RING_FILLS_MS);
      writeFileSync(settings, '');
      child.signal('SIGHUP');
    }
    return device;
  }

  private eventOpened(owner: string, opened: OpenedEvent): void {
    const { event, device, openedAtMs, verifiedAtMs, jpegBytes } = opened;
    this.opened.add(event.key);
    const time = new Date(event.startedAtMs ?? openedAtMs).toISOString().slice(11, 19);
    this.printLine(
      `${time}  ${owner}: ${this.names.get(device) ?? device} – ${event.verdict}, picture of ${String(jpegBytes)} bytes opened`,
    );
    const first = event.records[0];
    const report = first === undefined ? undefined : this.reported.get(`${device}/${String(first.record.value.seq)}`);
    // A page may first receive a later record of an event; stage times are measured for the start only.
    if (first?.record.value.event?.phase === 'start' && report !== undefined && event.startedAtMs !== null) {
      const number = (field: string): number => Number(report[field] ?? NaN);
      const decidedWallMs = event.startedAtMs + number('decidedMs');
      this.stages.add('frame_to_decision_ms', number('decidedMs'));
      this.stages.add('thumbnail_ms', number('thumbnailMs'));
      this.stages.add('seal_ms', number('sealMs'));
      this.stages.add('sign_and_store_ms', number('storeMs'));
      const toCloudMs = first.receivedAtMs - number('storedWallMs');
      this.stages.add('stored_to_cloud_ms', toCloudMs);
      this.left.push({ camera: this.names.get(device) ?? device, atMs: number('storedWallMs'), toCloudMs });
      this.stages.add('cloud_to_verified_ms', verifiedAtMs - first.receivedAtMs);
      this.stages.add('verified_to_opened_ms', openedAtMs - verifiedAtMs);
      this.stages.add('decision_to_opened_ms', openedAtMs - decidedWallMs);
      this.stages.add('frame_to_opened_ms', openedAtMs - event.startedAtMs);
    }
    this.endIfEnough();
  }

  private endIfEnough(): void {
    const { events } = this.options;
    if (this.opened.size < (events ?? 0) || (events === null && this.looked === null)) return;
    if (this.clips === null || this.clips.verified >= (events ?? 0)) this.onEnough();
  }

  private stopSignal(): Promise<'stopped'> {
    return new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => {
          resolve('stopped');
        });
      }
    });
  }

  private printLine(text: string): void {
    if (!this.options.json) process.stdout.write(`${text}\n`);
  }
}

/** Settings of the clips: H.264 for every second camera, JPEG for the others. */
function clipSettings(number: number, cloudOrigin: string): Readonly<Record<string, string>> {
  const hasEncoder = isInstalled('ffmpeg') || findWasmEncoder() !== null;
  return {
    SEALCAM_CLIP_CODEC: hasEncoder && number % 2 === 1 ? 'h264' : 'jpeg',
    SEALCAM_CLIP_UPLOAD_URL: cloudOrigin,
  };
}

await runCommand({
  name: 'demo',
  help: HELP,
  options: {
    video: { type: 'string' },
    clips: { type: 'boolean', default: false },
    looks: { type: 'string' },
    events: { type: 'string' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
  readOptions: ({ video, clips, looks, events, json, keep, save }): Options => ({
    video: video === undefined ? null : resolve(video),
    clips,
    looks: looks === undefined ? null : wholeNumber('looks', looks, 1, 100),
    events: events === undefined ? null : wholeNumber('events', events, 1, 1_000_000),
    json,
    keep,
    save,
  }),
  main: (options) => new Demo(options).run(),
});
