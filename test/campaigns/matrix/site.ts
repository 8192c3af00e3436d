import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realRandom } from '../../../common/adapters/real-random.js';
import { Child } from '../../../scripts/demo/children.js';
import { untilHealthy } from '../../../scripts/demo/local-cloud.js';
import { freePort } from '../../../scripts/free-port.js';
import { until } from '../../support/runner/wait.js';
import { PAGE_ORIGIN } from '../../support/worlds/test-cloud.js';
import { Remote } from '../common/remote.js';
import type { PageProcedures } from './page-process.js';
import type { Program } from './programs.js';

/** How long an owner waits for a claim, an order or a picture, on an idle machine. */
const PATIENCE_MS = 60_000;

/** One cloud, one camera and the pages of its owner, each a process of its own program; a part may go on as another program. */
export class Site {
  readonly master = realRandom.bytes(32);
  private readonly folder: string;
  private readonly httpPort: number;
  private readonly brokerPort: number;
  private readonly pages: Remote<PageProcedures>[] = [];
  private cloud: Child | null = null;
  private camera: Child | null = null;
  /** Records that waited when the camera stopped last. */
  private waiting: number | null = null;

  private constructor(folder: string, httpPort: number, brokerPort: number) {
    this.folder = folder;
    this.httpPort = httpPort;
    this.brokerPort = brokerPort;
  }

  static async prepare(folder: string): Promise<Site> {
    mkdirSync(folder, { recursive: true });
    return new Site(folder, await freePort(), await freePort());
  }

  get origin(): string {
    return `http://127.0.0.1:${String(this.httpPort)}`;
  }

  /** Starts the cloud with its embedded broker, in place of the one that runs, on the same data. */
  async startCloud({ cloud }: Program): Promise<void> {
    await this.cloud?.stop();
    this.cloud = new Child({
      name: 'cloud',
      args: [cloud, 'serve'],
      environment: {
        SEALCLOUD_DATA_FOLDER: join(this.folder, 'cloud'),
        SEALCLOUD_HTTP_PORT: String(this.httpPort),
        SEALCLOUD_HTTP_PAGE_ORIGINS: JSON.stringify([PAGE_ORIGIN]),
        SEALCLOUD_MQTT_EMBEDDED: 'true',
        SEALCLOUD_MQTT_EMBEDDED_PORT: String(this.brokerPort),
        SEALCLOUD_PACING_DRAIN_INTERVAL: '50 ms',
      },
      logFolder: join(this.folder, 'logs'),
    });
    await untilHealthy(this.cloud, this.origin);
  }

  /** Starts the camera, in place of the one that runs, on the same data. Returns its claim code and device. */
  async startCamera({ camera }: Program): Promise<{ readonly code: string; readonly device: string }> {
    await this.stopCamera();
    const environment = {
      SEALCAM_DATA_FOLDER: join(this.folder, 'camera'),
      SEALCAM_UPLINK_URL: `mqtt://127.0.0.1:${String(this.brokerPort)}`,
      SEALCAM_UPLINK_INITIAL_WINDOW: '300 ms',
      SEALCAM_CAMERA_FRAMES_PER_SECOND: '5',
      SEALCAM_HEALTH_INTERVAL: '2 s',
      SEALCAM_MOTION_COOLDOWN: '0 ms',
      SEALCAM_MOTION_MAX_PER_HOUR: '0',
    };
    const keys = spawnSync(process.execPath, [camera, 'keygen', '--json'], {
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    });
    if (keys.status !== 0) throw new Error(`keygen: ${keys.stderr}${keys.stdout}`);
    const { device, claim_code: code } = JSON.parse(keys.stdout) as { device: string; claim_code: string };
    this.camera = new Child({
      name: 'camera',
      args: [camera, 'run'],
      environment,
      logFolder: join(this.folder, 'logs'),
      onLine: ({ msg, queued }) => {
        if (msg === 'sealcam stopped') this.waiting = Number(queued);
      },
    });
    return { code, device };
  }

  /** Stops the camera. Returns how many records still waited for their receipt; null where none ran. */
  async stopCamera(): Promise<number | null> {
    this.waiting = null;
    await this.camera?.stop();
    this.camera = null;
    return this.waiting;
  }

  /** Opens another page of the owner. */
  async openPage({ page }: Program): Promise<Remote<PageProcedures>> {
    const remote = new Remote<PageProcedures>(new URL('page-process.js', import.meta.url), 'page');
    this.pages.push(remote);
    await remote.call('open', { page, origin: this.origin, master: this.master });
    return remote;
  }

  async stop(): Promise<void> {
    for (const page of this.pages.splice(0)) await page.kill();
    await this.stopCamera();
    await this.cloud?.stop();
    this.cloud = null;
  }
}

/** Returns what a call answers. @throws Error where it takes longer than an owner waits */
export async function patiently<T>(what: string, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  const late = until(what, () => isDone, PATIENCE_MS).then(() => work);
  return Promise.race([done, late]);
}

/** Asks again and again until the answer is the one that is waited for, and returns it. @throws Error where it does not come */
export async function answerOf<T>(what: string, ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  let answer = await ask();
  await until(
    what,
    async () => {
      if (isIt(answer)) return true;
      answer = await ask();
      return false;
    },
    PATIENCE_MS,
  );
  return answer;
}
