import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../../common/adapters/real-clock.js';
import { sleep } from '../../../common/clock.js';
import { fromHex } from '../../../common/bytes.js';
import { isSealcamError } from '../../../common/errors.js';
import { seededRandom } from '../../../common/seeded-random.js';
import { throttled } from '../../../scripts/command.js';
import { freePort } from '../../../scripts/free-port.js';
import { inParallel } from '../../../scripts/in-parallel.js';
import { mosquitto, type TestBroker } from '../../support/engines/brokers.js';
import { natsCluster } from '../../support/engines/nats.js';
import { postgres, type TestPostgres } from '../../support/engines/postgres.js';
import { until } from '../../support/runner/wait.js';
import type { CloudProcedures, CloudReport } from './cloud-process.js';
import { readFiled } from './control.js';
import { Fleet } from './fleet.js';
import type { CameraReport, Started } from './fleet-process.js';
import { Household } from './household.js';
import { judgeControl, judgeStore, type Bound, type CrossedUpload, type Leak, type Real } from './oracle.js';
import { pageFetch } from './page-fetch.js';
import { Remote } from '../common/remote.js';
import { openDrillMedia, openDrillStore, type StoreSetup } from './store-setup.js';
import type { Tries } from './stranger-process.js';
import { Strangers } from './strangers.js';
import type { ProtocolVersion } from '../../../protocol/objects/signed-object.js';

/** Store and broker that the cloud runs on. */
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

/** Cameras by the version of their claims. Those of version 2 seal with suite 2, those of version 1 with suite 1. */
export interface VersionShare {
  readonly protocol: ProtocolVersion;
  readonly seal_suite: ProtocolVersion;
  readonly accounts: number;
  readonly cameras: number;
}

export interface IncidentReport {
  readonly versions: readonly VersionShare[];
  /** How often a person walked by each camera. */
  readonly walks: number;
  readonly control: Leak & { readonly misbound_before: number };
  readonly sealcam: Bound & {
    readonly decryptable: number;
    /** Rows of another camera that ingest was given, and of another segment that an upload was. */
    readonly crossed: number;
    /** Those of segments among them. */
    readonly crossed_uploads: number;
    /** Alarms that ingest raised for them. */
    readonly alarms: number;
    /** What the households' own pages showed, opened and refused at the end. */
    readonly pages: Pages;
    readonly tries: Tries;
  };
}

export interface Pages {
  readonly events: number;
  readonly pictures: number;
  /** Segments of clips that they play. */
  readonly segments: number;
  /** Clips of which they say that something is missing. */
  readonly named: number;
  readonly refused: number;
  /** Requests for cameras of other accounts. */
  readonly asked: number;
  /** Those of them that the API answered with data. */
  readonly given: number;
}

const PAGE_ORIGIN = 'http://127.0.0.1:1';
const SETTLE_TIMEOUT_MS = 180_000;
/** Rounds of the storm, at most: how requests interleave is the machine's, and a round may leave one of the two paths right. */
const ROUNDS_MAX = 10;
/** Asking every camera for a report is work too, so it is done no more often than this. */
const POLL_MS = 400;
/** Claims made at the same time. Most of a claim is waiting for the camera. */
const CLAIMS_WIDTH = 32;
const PAGES_WIDTH = 8;
/** Cameras of other accounts that each household requests from the API. */
const STRANGE_CAMERAS = 3;
/** Before anybody tried to open them. */
const ALL: Real = { pictures: { has: () => true }, segments: { has: () => true } };
/** Every fifth household has a page of version 0.1, whose cameras are of version 1. */
const EARLIER_EVERY = 5;

/** Replays the incident: an outage, all cameras back at the same time, and a caching client that mixes up its answers. */
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
  private walks = 0;
  private readonly strangers = new Strangers();

  private constructor(settings: IncidentSettings, broker: TestBroker, httpPort: number) {
    const { folder, store, cameras, processes, accounts } = settings;
    this.settings = settings;
    this.httpPort = httpPort;
    mkdirSync(join(folder, 'cloud'), { recursive: true });
    this.broker = broker;
    this.postgres = store === 'postgres' ? postgres(folder) : null;
    // Short, so that the reconnects are a storm. A real camera's window is 300 s until the cloud announces another.
    const windowMs = Math.max(500, cameras * 8);
    const cloudOrigin = `http://127.0.0.1:${String(httpPort)}`;
    this.fleet = new Fleet({
      cameras,
      processes,
      folder,
      brokerPort: broker.port,
      windowMs,
      uploadUrl: cloudOrigin,
    });
    this.households = Array.from({ length: accounts }, (_, i) => {
      const version = i % EARLIER_EVERY === EARLIER_EVERY - 1 ? 1 : 2;
      return new Household({ cloudOrigin, pageOrigin: PAGE_ORIGIN, fetch: pageFetch(i), version });
    });
  }

  static async prepare(settings: IncidentSettings): Promise<Incident> {
    const { folder, broker } = settings;
    const port = await freePort();
    const started = broker === 'nats' ? await natsCluster(folder, port) : mosquitto(folder, port);
    return new Incident(settings, started, await freePort());
  }

  /** Replays the incident once. The caller has to call {@link end} afterwards, also after an error. */
  async run(): Promise<IncidentReport> {
    const { progress, cameras, accounts, seed } = this.settings;
    const { broker, fleet } = this;
    progress(`${String(cameras)} cameras of ${String(accounts)} accounts start and are claimed`);
    await broker.start();
    await this.postgres?.start();
    this.postgresUrl = (await this.postgres?.database('drill')) ?? null;
    await this.startCloud(this.newCloud(), false);
    await this.claim(await fleet.start());
    await this.untilDrained('every accept has a receipt');

    progress('an ordinary day: a person walks by every camera');
    await this.walkBy(seed);
    await this.untilDrained('every event has a receipt');
    const before = this.control([], ALL).misbound;

    progress('the outage: broker and cloud are killed, every second camera starts again, and all record on');
    await broker.stop('kill');
    await this.cloud?.kill();
    // Their key records come in the storm too.
    await fleet.restart();
    // Few cameras need a larger backlog each to make a storm.
    for (let walk = 0; walk < (cameras < 100 ? 2 : 1); walk++) await this.walkBy(seed + 1 + walk);
    const waiting = await this.queued();

    progress(
      `the storm: all cameras reconnect with ${String(waiting)} records; the cache is cold, and mixes up its answers`,
    );
    // The program is loaded before the broker starts, so that the cloud is up before the first camera reconnects.
    const cloud = this.newCloud();
    await cloud.call('load', null);
    await broker.start();
    const storm = await this.storm(cloud);

    progress(`after ${String(storm.crossedForUs)} crossed rows the cache is bypassed; the cameras reconnect and drain`);
    await cloud.call('bypass', ['claims']);
    await fleet.drop();
    await this.uploadStorm(cloud);
    await cloud.call('bypass', ['claims', 'segments']);
    await this.untilDrained('every record and clip has a receipt');
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
    await inParallel(started, CLAIMS_WIDTH, async ({ camera, code, device }) => {
      const household = households[camera % households.length];
      if (household === undefined) throw new Error('no household');
      await household.claim(code);
      this.truth.set(device, household.account);
    });
  }

  /**
   * Waits until every camera has reconnected, while a person walks by each of them; again where the cache crossed nothing for ingest
   * or nothing for the control, so that both stood the same storm.
   */
  private async storm(cloud: Remote<CloudProcedures>): Promise<CloudReport> {
    const { seed, progress } = this.settings;
    await this.startCloud(cloud, true);
    for (let round = 0; ; round++) {
      const report = await this.stormRound(cloud, seed + 9 + round);
      if (this.hasCrossed(report) || round === ROUNDS_MAX) return report;
      progress('the cache was right for one of the two: all cameras reconnect once more, and it is cold again');
      await cloud.call('chill', null);
      await this.fleet.drop();
    }
  }

  /** Whether the cache mixed up accounts for ingest and for the control. */
  private hasCrossed({ crossedForUs, crossedUploads }: CloudReport): boolean {
    const { accounts_affected, decryptable, segments } = this.control(crossedUploads, ALL);
    return crossedForUs > 0 && accounts_affected > 1 && decryptable > 0 && segments > 0;
  }

  private async stormRound(cloud: Remote<CloudProcedures>, seed: number): Promise<CloudReport> {
    const isBack = async (): Promise<boolean> => {
      await sleep(realClock, POLL_MS);
      return (await this.fleet.report()).every(({ isConnected }) => isConnected);
    };
    await Promise.all([until('every camera is back', isBack, SETTLE_TIMEOUT_MS), this.walkBy(seed)]);
    let report = await cloud.call('report', null);
    const isOver = async (): Promise<boolean> => {
      await sleep(realClock, POLL_MS);
      report = await cloud.call('report', null);
      return this.hasCrossed(report) || report.pending === 0;
    };
    await until('the cache has answered', isOver, SETTLE_TIMEOUT_MS);
    return report;
  }

  /** Waits until bodies of clips, whose records have come now, were mixed up too. */
  private async uploadStorm(cloud: Remote<CloudProcedures>): Promise<void> {
    const isCrossed = async (): Promise<boolean> => {
      await sleep(realClock, POLL_MS);
      return (await cloud.call('report', null)).crossedUploads.length > 0;
    };
    await until('the cache crossed uploads', isCrossed, SETTLE_TIMEOUT_MS);
  }

  /** Makes one event at each camera. */
  private async walkBy(seed: number): Promise<void> {
    this.walks++;
    await this.fleet.walkBy(seed);
  }

  private async queued(): Promise<number> {
    return (await this.fleet.report()).reduce((sum, { totals }) => sum + totals.queued, 0);
  }

  /** Records and bodies that wait, and clips that are still filmed. */
  private async unfinished(): Promise<number> {
    const cameras = await this.fleet.report();
    return cameras.reduce((sum, { totals, segments, filming }) => sum + totals.queued + segments.queued + filming, 0);
  }

  private async untilDrained(what: string): Promise<void> {
    const sometimes = throttled(this.settings.progress);
    await until(
      what,
      async () => {
        await sleep(realClock, POLL_MS);
        const sum = await this.unfinished();
        sometimes(() => `  ${String(sum)} records and clips wait`);
        return sum === 0;
      },
      SETTLE_TIMEOUT_MS,
    );
  }

  private control(uploads: readonly CrossedUpload[], real: Real): Leak {
    const filed = readFiled(join(this.settings.folder, 'cloud', 'control.jsonl'));
    return judgeControl(filed, uploads, this.truth, real);
  }

  private async bound(cameras: readonly CameraReport[], refused: ReadonlySet<string>): Promise<Bound> {
    const store = await openDrillStore(this.store());
    const bodies = openDrillMedia(this.store());
    try {
      return await judgeStore({ store, bodies }, this.truth, cameras, refused);
    } finally {
      await store.close();
      await bodies.close();
    }
  }

  private async judge(cloud: Remote<CloudProcedures>, misboundBefore: number): Promise<IncidentReport> {
    const { progress, cameras: count } = this.settings;
    progress('every household opens its page');
    const pages = await this.openPages();
    const { crossedForUs: crossed, crossedUploads, counters, refused } = await cloud.call('report', null);
    const cameras = await this.fleet.report();
    if (cameras.length !== count) throw new Error(`${String(cameras.length)} cameras reported of ${String(count)}`);
    await this.fleet.stop();
    await cloud.call('stop', null);
    await cloud.kill();

    progress('strangers try their keys on every sealed object');
    const { opened, ownPictures, ownSegments, ...tries } = await this.strangers.tryKeys(
      this.store(),
      this.truth,
      this.households,
    );
    const real = { pictures: new Set(ownPictures), segments: new Set(ownSegments) };
    const bound = await this.bound(cameras, new Set(refused));
    return {
      versions: this.versions(),
      walks: this.walks,
      control: { ...this.control(crossedUploads, real), misbound_before: misboundBefore },
      sealcam: {
        ...bound,
        misbound: bound.misbound + pages.given,
        decryptable: new Set(opened).size,
        crossed: crossed + crossedUploads.length,
        crossed_uploads: crossedUploads.length,
        alarms: counters['refused.foreign'] ?? 0,
        pages,
        tries,
      },
    };
  }

  /** Opens every household's page, and requests cameras of other accounts from the API. */
  private async openPages(): Promise<Pages> {
    const random = seededRandom(this.settings.seed);
    const devices = [...this.truth.keys()].sort();
    const pages = { events: 0, pictures: 0, segments: 0, named: 0, refused: 0, asked: 0, given: 0 };
    await inParallel(this.households, PAGES_WIDTH, async (household) => {
      const { account } = household;
      const { view, opened, clips } = await household.visitPage();
      pages.events += view.events.length;
      pages.pictures += opened;
      pages.segments += clips.played.length;
      pages.named += clips.named;
      pages.refused += view.alarms.length;
      pages.given += view.events.filter(({ device }) => this.truth.get(device) !== account).length;
      const strange = devices.filter((device) => this.truth.get(device) !== account);
      for (let i = 0; i < STRANGE_CAMERAS && strange.length > 0; i++) {
        const device = strange[Math.floor(random.uniform() * strange.length)] ?? '';
        pages.asked++;
        if (await isGiven(household, device)) pages.given++;
      }
    });
    return pages;
  }

  private versions(): readonly VersionShare[] {
    return ([2, 1] as const).map((version) => {
      const households = this.households.filter((household) => household.version === version);
      const accounts = new Set(households.map(({ account }) => account));
      const cameras = [...this.truth.values()].filter((account) => accounts.has(account)).length;
      return { protocol: version, seal_suite: version, accounts: households.length, cameras };
    });
  }

  /** Ends every process. */
  async end(): Promise<void> {
    await Promise.all([this.fleet.kill(), this.cloud?.kill(), this.strangers.kill()]);
    await Promise.all([this.broker.stop('kill'), this.postgres?.stop()]);
  }
}

/** Whether the API gives a household the records of another account's camera. */
async function isGiven({ client }: Household, device: string): Promise<boolean> {
  try {
    await client.records(fromHex(device, 32) ?? new Uint8Array(32), 1, null, 10);
    return true;
  } catch (error) {
    if (isSealcamError(error) && error.code === 'not-found') return false;
    throw error;
  }
}
