import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { fromHex } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { freePort } from '../../../scripts/free-port.js';
import { mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import { natsCluster } from '../../support/engines/nats.js';
import { postgres, type TestPostgres } from '../../support/engines/postgres.js';
import { until } from '../../support/runner/wait.js';
import type { CloudProcedures, CloudReport } from './cloud-process.js';
import { readFiled } from './control.js';
import { Fleet } from './fleet.js';
import type { Started } from './fleet-process.js';
import { Household } from './household.js';
import { judgeControl, judgeStore, type Bound, type Leak } from './oracle.js';
import { pageFetch } from './page-fetch.js';
import { Remote } from '../common/remote.js';
import { openDrillStore, type StoreSetup } from './store-setup.js';
import type { StrangerProcedures, StrangerReport } from './stranger-process.js';

/** On which engines the cloud runs. */
export interface Engines {
  readonly store: 'sqlite' | 'postgres';
  readonly broker: 'mosquitto' | 'nats';
}

export interface IncidentSettings extends Engines {
  readonly folder: string;
  readonly cameras: number;
  readonly accounts: number;
  readonly processes: number;
  readonly seed: number;
  readonly progress: (text: string) => void;
}

export interface IncidentReport {
  readonly control: Leak & { readonly misbound_before: number };
  readonly sealcam: Bound & {
    readonly decryptable: number;
    /** Rows of another camera that ingest was given, and alarms that it raised for them. */
    readonly crossed: number;
    readonly alarms: number;
    /** What the households' own pages showed, opened and refused, when all was over. */
    readonly pages: Pages;
    readonly tries: Pick<StrangerReport, 'objects' | 'tries' | 'ownRefused'>;
  };
}

export interface Pages {
  readonly events: number;
  readonly pictures: number;
  readonly refused: number;
  /** Of strangers' cameras, asked for by name: what the API gave. */
  readonly asked: number;
  readonly given: number;
}

const PAGE_ORIGIN = 'http://127.0.0.1:1';
const SETTLE_MS = 180_000;
const PROGRESS_MS = 5000;
/** Asking every camera is work too. */
const LOOK_MS = 400;
/** Most of a claim is waiting for the camera. */
const CLAIMS_AT_ONCE = 32;
const PAGES_AT_ONCE = 8;
/** So many strangers' cameras each household asks the API for. */
const STRANGE_CAMERAS = 3;
/** Every stranger tries each sealed object up to here; with more objects and accounts, a turn of them does. */
const TRIES_MAX = 150_000;

/** The incident, replayed: an outage, everybody back at once, and a caching client that crosses its answers. */
export class Incident {
  private readonly settings: IncidentSettings;
  private readonly broker: TestBroker;
  private readonly postgres: TestPostgres | null;
  private postgresUrl: string | null = null;
  private readonly httpPort: number;
  private readonly fleet: Fleet;
  private readonly households: readonly Household[];
  private readonly truth = new Map<string, string>();
  private cloud: Remote<CloudProcedures> | null = null;
  /** Processes of the end, while they run. */
  private readonly helpers = new Set<Remote<StrangerProcedures>>();

  private constructor(settings: IncidentSettings, broker: TestBroker, httpPort: number) {
    const { folder, store, cameras, processes, accounts } = settings;
    this.settings = settings;
    this.httpPort = httpPort;
    mkdirSync(join(folder, 'cloud'), { recursive: true });
    this.broker = broker;
    this.postgres = store === 'postgres' ? postgres(folder) : null;
    // Short, so that it is a storm; at a camera it is 300 s until the cloud says better.
    const windowMs = Math.max(500, cameras * 8);
    this.fleet = new Fleet({ cameras, processes, folder, brokerPort: broker.port, windowMs });
    const origin = `http://127.0.0.1:${String(httpPort)}`;
    this.households = Array.from({ length: accounts }, (_, i) => new Household(origin, PAGE_ORIGIN, pageFetch(i)));
  }

  static async prepare(settings: IncidentSettings): Promise<Incident> {
    const { folder, broker } = settings;
    const port = await freePort();
    const started = broker === 'nats' ? await natsCluster(folder, port) : mosquitto(folder, port);
    return new Incident(settings, started, await freePort());
  }

  /** Replays it once; whatever comes of it, {@link end} has to follow. */
  async run(): Promise<IncidentReport> {
    const { progress, cameras, accounts, seed } = this.settings;
    const { broker, fleet } = this;
    progress(`${String(cameras)} cameras of ${String(accounts)} accounts start, and are claimed`);
    await broker.start();
    await this.postgres?.start();
    this.postgresUrl = (await this.postgres?.database('drill')) ?? null;
    await this.startCloud(this.newCloud(), false);
    await this.claim(await fleet.start());
    await this.drained('the accepts are receipted');

    progress('an ordinary day: somebody walks by every camera');
    await fleet.walkBy(seed);
    await this.drained('its events are receipted');
    const before = this.control(new Set()).misbound;

    progress('the outage: broker and cloud are killed; the cameras go on recording');
    await broker.stop('kill');
    await this.cloud?.kill();
    // A few cameras need more of a backlog to make a storm.
    for (let walk = 0; walk < (cameras < 100 ? 2 : 1); walk++) await fleet.walkBy(seed + 1 + walk);
    const waiting = await this.queued();

    progress(`everybody back at once, with ${String(waiting)} records; the cache is cold, and crosses its answers`);
    // Loaded before the broker answers, so that the cloud is there before the first camera is.
    const cloud = this.newCloud();
    await cloud.call('load', null);
    await broker.start();
    const storm = await this.storm(cloud);

    progress(
      `after ${String(storm.crossedForUs)} crossed rows the cache is bypassed; the cameras connect anew, and drain`,
    );
    await cloud.call('bypass', null);
    await fleet.drop();
    await this.drained('everything is receipted');
    return this.judge(cloud, before);
  }

  private store(): StoreSetup {
    return { folder: join(this.settings.folder, 'cloud'), postgresUrl: this.postgresUrl };
  }

  private newCloud(): Remote<CloudProcedures> {
    this.cloud = new Remote<CloudProcedures>(new URL('./cloud-process.js', import.meta.url), 'cloud');
    return this.cloud;
  }

  private async startCloud(cloud: Remote<CloudProcedures>, isCacheCold: boolean): Promise<void> {
    const { seed, cameras } = this.settings;
    const { port, cloudUser } = this.broker;
    await cloud.call('start', {
      ...this.store(),
      seed,
      cameras,
      isCacheCold,
      httpPort: this.httpPort,
      pageOrigin: PAGE_ORIGIN,
      brokerUrl: `mqtt://127.0.0.1:${String(port)}`,
      brokerUser: cloudUser,
    });
  }

  private async claim(started: readonly Started[]): Promise<void> {
    const { households } = this;
    const waiting = [...started];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const household = households[next.camera % households.length];
        if (household === undefined) throw new Error('no household');
        await household.claim(next.code);
        this.truth.set(next.device, household.account);
      }
    };
    await Promise.all(Array.from({ length: CLAIMS_AT_ONCE }, worker));
  }

  /** Everybody is back, and somebody walks by every camera meanwhile. */
  private async storm(cloud: Remote<CloudProcedures>): Promise<CloudReport> {
    await this.startCloud(cloud, true);
    const isBack = async (): Promise<boolean> => {
      await sleep(realClock, LOOK_MS);
      return (await this.fleet.report()).every(({ isConnected }) => isConnected);
    };
    await Promise.all([until('everybody is back', isBack, SETTLE_MS), this.fleet.walkBy(this.settings.seed + 9)]);
    return cloud.call('report', null);
  }

  private async queued(): Promise<number> {
    return (await this.fleet.report()).reduce((sum, { totals }) => sum + totals.queued, 0);
  }

  private async drained(what: string): Promise<void> {
    let saidMs = realClock.monotonicMs();
    await until(
      what,
      async () => {
        await sleep(realClock, LOOK_MS);
        const sum = await this.queued();
        if (realClock.monotonicMs() - saidMs > PROGRESS_MS) {
          saidMs = realClock.monotonicMs();
          this.settings.progress(`  ${String(sum)} records wait`);
        }
        return sum === 0;
      },
      SETTLE_MS,
    );
  }

  private control(pictures: ReadonlySet<string>): Leak {
    return judgeControl(readFiled(join(this.settings.folder, 'cloud', 'control.jsonl')), this.truth, pictures);
  }

  private async judge(cloud: Remote<CloudProcedures>, misboundBefore: number): Promise<IncidentReport> {
    const { progress, cameras: count } = this.settings;
    progress('every household opens its page');
    const pages = await this.openPages();
    const { crossedForUs: crossed, counters, refused } = await cloud.call('report', null);
    const cameras = await this.fleet.report();
    if (cameras.length !== count) throw new Error(`${String(cameras.length)} cameras reported of ${String(count)}`);
    await this.fleet.stop();
    await cloud.call('stop', null);
    await cloud.kill();

    progress('strangers try every sealed object');
    const tried = await this.tryStrangers();
    const store = await openDrillStore(this.store());
    const bound = await judgeStore(store, this.truth, cameras, new Set(refused)).finally(() => store.close());
    return {
      control: { ...this.control(new Set(tried.ownPictures)), misbound_before: misboundBefore },
      sealcam: {
        ...bound,
        misbound: bound.misbound + pages.given,
        decryptable: new Set(tried.opened).size,
        crossed,
        alarms: counters['refused.foreign'] ?? 0,
        pages,
        tries: { objects: tried.objects, tries: tried.tries, ownRefused: tried.ownRefused },
      },
    };
  }

  /** What each page shows and refuses of its own cameras, and what the API gives it of others'. */
  private async openPages(): Promise<Pages> {
    const random = seededRandom(this.settings.seed);
    const devices = [...this.truth.keys()].sort();
    const pages = { events: 0, pictures: 0, refused: 0, asked: 0, given: 0 };
    const waiting = [...this.households];
    const worker = async (): Promise<void> => {
      for (let household = waiting.shift(); household !== undefined; household = waiting.shift()) {
        const { account } = household;
        const { view, opened } = await household.look();
        pages.events += view.events.length;
        pages.pictures += opened;
        pages.refused += view.alarms.length;
        pages.given += view.events.filter(({ device }) => this.truth.get(device) !== account).length;
        const strange = devices.filter((device) => this.truth.get(device) !== account);
        for (let i = 0; i < STRANGE_CAMERAS && strange.length > 0; i++) {
          const device = strange[Math.floor(random.uniform() * strange.length)] ?? '';
          pages.asked++;
          if (await isGiven(household, device)) pages.given++;
        }
      }
    };
    await Promise.all(Array.from({ length: PAGES_AT_ONCE }, worker));
    return pages;
  }

  private async tryStrangers(): Promise<StrangerReport> {
    const { households, truth } = this;
    const keys = households.map(({ account, keys: { recipient } }) => ({ account, keys: recipient }));
    const devices = [...truth].map(([device, account]) => ({ device, account }));
    // About eight objects of each camera.
    const strangers = Math.max(1, Math.min(keys.length - 1, Math.floor(TRIES_MAX / (devices.length * 8))));
    const parts = Math.min(4, cpus().length);
    const reports = await Promise.all(
      Array.from({ length: parts }, async (_, part) => {
        const process = new Remote<StrangerProcedures>(
          new URL('./stranger-process.js', import.meta.url),
          `strangers ${String(part + 1)}`,
        );
        this.helpers.add(process);
        const own = devices.filter((_device, i) => i % parts === part);
        const report = await process.call('tryKeys', { store: this.store(), devices: own, keys, strangers });
        await process.kill();
        this.helpers.delete(process);
        return report;
      }),
    );
    return reports.reduce((a, b) => ({
      objects: a.objects + b.objects,
      tries: a.tries + b.tries,
      ownRefused: a.ownRefused + b.ownRefused,
      opened: [...a.opened, ...b.opened],
      ownPictures: [...a.ownPictures, ...b.ownPictures],
    }));
  }

  /** Leaves no process behind. */
  async end(): Promise<void> {
    await Promise.all([this.fleet.kill(), this.cloud?.kill(), ...[...this.helpers].map((helper) => helper.kill())]);
    await Promise.all([this.broker.stop('kill'), this.postgres?.stop()]);
  }
}

/** Whether the API answers a household about somebody else's camera. */
async function isGiven({ client }: Household, device: string): Promise<boolean> {
  try {
    await client.records(fromHex(device, 32) ?? new Uint8Array(32), 1, null, 10);
    return true;
  } catch (error) {
    if (isSealcamError(error) && error.code === 'not-found') return false;
    throw error;
  }
}
