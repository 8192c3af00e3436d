import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { realRandom } from '../../../../common/adapters/real-random.js';
import { equal, toHex } from '../../../../common/bytes.js';
import { Counters } from '../../../../common/counters.js';
import { asSealcamError } from '../../../../common/errors.js';
import { silentLog } from '../../../../common/log.js';
import type { FastifyInstance } from '../../../../cloud/api/fastify.js';
import { Feed } from '../../../../cloud/api/feed.js';
import { Reader } from '../../../../cloud/api/reader.js';
import { buildServer } from '../../../../cloud/api/server.js';
import { Statements } from '../../../../cloud/api/statements.js';
import { Sessions, type Session } from '../../../../cloud/api/sessions.js';
import { Ingest } from '../../../../cloud/ingest/ingest.js';
import { openSqliteStore } from '../../../../cloud/store/sqlite/sqlite-store.js';
import type { Uploads } from '../../../../cloud/api/uploads.js';
import type { MediaStore } from '../../../../cloud/media/media-store.js';
import type { ClaimStore, CloudStore, RecordStore, SegmentKey, SegmentStore } from '../../../../cloud/store/store.js';
import { encodeJpeg } from '../../../../hal/image.js';
import { nodeSuite } from '../../../../protocol/crypto/node.js';
import { mediaReceiptKind } from '../../../../protocol/objects/media-receipt.js';
import { anyReceiptKind, checkReceiptAgainstClaim } from '../../../../protocol/objects/receipt.js';
import type { AnyRecord } from '../../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../../../protocol/seal/seal.js';
import { decodeDown, encodeUp } from '../../../../protocol/transport/messages.js';
import { topicOf } from '../../../../protocol/transport/topics.js';
import { segmentsOf } from '../../../support/worlds/filmed-clip.js';
import { mediaIn, uploadsOf } from '../../../support/worlds/test-media.js';
import { VirtualClock } from '../../../support/runner/virtual-clock.js';
import { Household } from '../household.js';
import { FaultCamera, type FilmedBody, type FilmedClip, type Shot } from './camera.js';
import { pageOver, type Handed, type Tamper } from './page-over.js';

/** The fault that is injected at the moment; empty without one. */
export interface Wrong {
  claims?: Partial<ClaimStore>;
  records?: Partial<RecordStore>;
  segments?: Partial<SegmentStore>;
  bodies?: Partial<MediaStore>;
  /** Replaces the session of a request. */
  session?: (session: Session) => Session;
  /** Changes the API's answers on their way to a page. */
  answers?: Tamper;
}

const CLOUD = 'https://cloud.example';
const PAGE = 'https://app.example';
/** Versions of the households' pages, and so of their cameras. */
const VERSIONS = [2, 2, 1] as const;
const CAMERAS_EACH = 2;
const SHOTS_EACH = 2;
const PICTURE_SIDE = 16;
/** Pictures of a clip: one a second, which the video repeats. Its segments are two seconds long. */
const CLIP_PICTURES = 6;
const FRAMES_PER_PICTURE = 10;

/** Sessions that can be replaced by those of another key. */
class CrossedSessions extends Sessions {
  cross: () => Wrong['session'] = () => undefined;

  override of(authorization: string | undefined): Session {
    const session = super.of(authorization);
    return this.cross()?.(session) ?? session;
  }
}

/** Cameras, households and a complete cloud without a network, into which one fault at a time can be injected. */
export class FaultWorld {
  readonly wrong: Wrong = {};
  readonly households: readonly Household[];
  readonly cameras: readonly FaultCamera[];
  /** Everything that pages received, in order. */
  readonly handed: (Handed & { readonly household: Household })[] = [];
  readonly ingestCounters = new Counters();
  readonly readCounters = new Counters();
  /** The store itself, without the fault. */
  readonly store: CloudStore;
  /** What the cloud sees of it, and of the place of bodies. */
  readonly seen: CloudStore;
  readonly seenBodies: MediaStore;
  /** The place of bodies itself. */
  readonly bodies: MediaStore;
  private readonly clock = new VirtualClock();
  private readonly receiptSigner = nodeSuite.ed25519Signer(realRandom.bytes(32));
  private readonly ingest: Ingest;
  private readonly uploads: Uploads;
  private readonly receipted = new Set<string>();

  private constructor(folder: string, app: (world: FaultWorld) => FastifyInstance, isSealedToAll: boolean) {
    const { clock, wrong, receiptSigner } = this;
    const store = openSqliteStore(join(folder, 'faults.db'));
    const media = mediaIn(clock, folder);
    this.store = store;
    this.seen = {
      ...store,
      claims: overlaid(store.claims, () => wrong.claims),
      records: overlaid(store.records, () => wrong.records),
      segments: overlaid(store.segments, () => wrong.segments),
    };
    this.seenBodies = overlaid(media.store, () => wrong.bodies);
    this.bodies = media.store;
    const counted = { store: this.seen, suite: nodeSuite, clock, log: silentLog, counters: this.ingestCounters };
    this.uploads = uploadsOf({ ...counted, media: { ...media, store: this.seenBodies }, receiptSigner });
    const fetch = pageOver(() => app(this), this.wrong);
    const shared = isSealedToAll ? { kemSeed: realRandom.bytes(32) } : {};
    this.households = VERSIONS.map((version) => {
      const household: Household = new Household({
        cloudOrigin: CLOUD,
        pageOrigin: PAGE,
        clock: this.clock,
        version,
        ...shared,
        fetch: fetch.forPage((handed) => {
          this.handed.push({ ...handed, household });
        }),
      });
      return household;
    });
    this.cameras = this.households.flatMap((household) =>
      Array.from({ length: CAMERAS_EACH }, () => {
        const others = isSealedToAll ? this.households.filter((other) => other !== household) : [];
        return new FaultCamera(household, [household, ...others], this.receiptSigner);
      }),
    );
    this.ingest = new Ingest({
      ...counted,
      receiptSigner,
      publish: (_topic, payload) => {
        this.receipt(payload);
      },
      onStored: () => undefined,
      onStatus: () => undefined,
      pacing: () => null,
    });
  }

  /** Opens a world. `isSealedToAll` is the control: cameras that seal to every household, or whose households share a KEM key. */
  static async open(folder: string, isSealedToAll = false): Promise<FaultWorld> {
    const apps = new Map<FaultWorld, FastifyInstance>();
    const appOf = (world: FaultWorld): FastifyInstance => {
      const app = apps.get(world);
      if (app === undefined) throw new Error('the API is not built');
      return app;
    };
    const world = new FaultWorld(folder, appOf, isSealedToAll);
    apps.set(world, await world.buildApi());
    for (const camera of world.cameras) {
      await world.ingest.handleMessage(topicOf(camera.device, 'up'), encodeUp(camera.accept()));
      for (let shot = 0; shot < SHOTS_EACH; shot++) {
        // Each in a period of its own.
        if (camera.isTwo) await world.send(camera, await camera.begin());
        const shown = await world.shoot(camera);
        await world.send(camera, shown);
        if (camera.isTwo) await world.deliver(camera, await world.film(camera, shown));
      }
    }
    // Every page has verified its cameras once before a fault is injected.
    for (const household of world.households) await household.visitPage();
    return world;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  async shoot(camera: FaultCamera): Promise<Shot> {
    return camera.shoot(await randomPicture());
  }

  /** Sends a shot to ingest. Returns whether it got a receipt. */
  async send(camera: FaultCamera, { record, sealed }: Shot, topic = camera.device): Promise<boolean> {
    return this.sendRecord(camera, record, topic, [sealed]);
  }

  /** Sends a record to ingest. Returns whether it got a receipt. */
  async sendRecord(
    camera: FaultCamera,
    record: Verified<AnyRecord>,
    topic = camera.device,
    media: readonly SealedObject[] = [],
  ): Promise<boolean> {
    const message = encodeUp({ type: 'records', records: [{ record: record.bytes, media }] });
    await this.ingest.handleMessage(topicOf(topic, 'up'), message);
    return this.receipted.has(toHex(record.hash));
  }

  /** Films a clip of a shot. */
  async film(camera: FaultCamera, shot: Shot): Promise<FilmedClip> {
    const pictures: Uint8Array[] = [];
    for (let i = 0; i < CLIP_PICTURES; i++) {
      const picture = await randomPicture();
      pictures.push(...Array.from({ length: FRAMES_PER_PICTURE }, () => picture));
    }
    return camera.film(shot, segmentsOf('jpeg', pictures));
  }

  /** Sends the records of a clip, then its bodies. Returns whether all of it got a receipt. */
  async deliver(camera: FaultCamera, clip: FilmedClip): Promise<boolean> {
    for (const record of clip.records) if (!(await this.sendRecord(camera, record))) return false;
    for (const segment of clip.segments) if ((await this.upload(camera, segment)) !== 'stored') return false;
    return true;
  }

  /** Brings a body to the place of a segment, and returns what the media receipt says; the code of an error without one. */
  async upload(camera: FaultCamera, { entry: [, , , bodyHash], body: own }: FilmedBody, body = own): Promise<string> {
    const key: SegmentKey = { device: camera.device, epoch: 1, bodyHash };
    const bytes = await this.uploads
      .receive({
        key,
        length: body.length,
        address: '127.0.0.1',
        body: Readable.from([Buffer.from(body)]),
        proceed: () => undefined,
      })
      .catch((error: unknown) => {
        const { code } = asSealcamError(error);
        if (code === 'internal') throw error;
        return code;
      });
    if (typeof bytes === 'string') return bytes;
    const receipt = openSigned(mediaReceiptKind, nodeSuite, bytes);
    checkReceiptAgainstClaim(receipt, camera.claim);
    return receipt.value.entries.find(([hash]) => equal(hash, bodyHash))?.[1] ?? 'of another body';
  }

  camerasOf(household: Household): readonly FaultCamera[] {
    return this.cameras.filter(({ owner }) => owner === household);
  }

  /** Returns the household that this one is mixed up with. */
  neighbour(household: Household): Household {
    const next = this.households[(this.households.indexOf(household) + 1) % VERSIONS.length];
    if (next === undefined) throw new Error('no household');
    return next;
  }

  /** Returns the camera of another household that this device is mixed up with. */
  strangeCamera(device: Uint8Array): FaultCamera {
    const own = this.cameras.find((camera) => equal(camera.device, device));
    const strange = own === undefined ? undefined : this.camerasOf(this.neighbour(own.owner))[0];
    if (strange === undefined) throw new Error('no such camera');
    return strange;
  }

  /** Returns the cameras of version 2, which seal in periods and film clips. */
  camerasWithKeys(): readonly FaultCamera[] {
    return this.cameras.filter(({ isTwo }) => isTwo);
  }

  /** Returns a camera of another household that seals in periods too. */
  strangeCameraWithKeys(own: FaultCamera): FaultCamera {
    const strange = this.camerasWithKeys().find(({ owner }) => owner !== own.owner);
    if (strange === undefined) throw new Error('no such camera');
    return strange;
  }

  private receipt(payload: Uint8Array): void {
    const message = decodeDown(payload);
    if (message.type !== 'receipt') return;
    for (const [, , hash] of openSigned(anyReceiptKind, nodeSuite, message.receipt).value.ranges) {
      this.receipted.add(toHex(hash));
    }
  }

  private buildApi(): Promise<FastifyInstance> {
    const settings = { cloudOrigin: () => CLOUD, pageOrigins: [PAGE], lifetimeMs: 3_600_000 };
    const sessions = new CrossedSessions(settings, nodeSuite, this.clock, realRandom);
    sessions.cross = () => this.wrong.session;
    const context = { store: this.seen, suite: nodeSuite, clock: this.clock, log: silentLog };
    const counted = { ...context, counters: this.readCounters };
    const reader = new Reader({ ...counted, bodies: this.seenBodies });
    return buildServer(
      {
        ...counted,
        sessions,
        reader,
        uploads: this.uploads,
        statements: new Statements({ ...counted, reader }),
        keepsForMs: 86_400_000,
        deletionDelayMs: 86_400_000,
        feed: new Feed((item) => reader.readersOf(item)),
        push: null,
        live: { subscribe: () => Promise.resolve(() => undefined) },
        cloudOrigin: () => CLOUD,
        receiptKeys: [this.receiptSigner.publicKey],
        receiptSigners: [this.receiptSigner],
        sendDown: () => undefined,
        notReady: () => Promise.resolve(null),
        handInAccept: (device, claim, accept) => this.ingest.handInAccept(device, claim, accept),
      },
      { host: '127.0.0.1', port: 0, pageOrigins: [PAGE], requestsPerMinute: 100_000 },
    );
  }
}

async function randomPicture(): Promise<Uint8Array> {
  const data = new Uint8Array(randomBytes(PICTURE_SIDE * PICTURE_SIDE * 3));
  const size = { width: PICTURE_SIDE, height: PICTURE_SIDE, channels: 3 } as const;
  return encodeJpeg({ ...size, data }, 80);
}

/** Returns an object whose members are replaced by those of `over`, looked up at every access. */
function overlaid<T extends object>(real: T, over: () => Partial<T> | undefined): T {
  return new Proxy(real, {
    get: (target, name) => {
      const found: unknown = Reflect.get({ ...over() }, name) ?? Reflect.get(target, name);
      return typeof found === 'function' ? (...args: unknown[]): unknown => Reflect.apply(found, target, args) : found;
    },
  });
}
