import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import sharp from 'sharp';
import { ownerKeys, type OwnerKeys } from '../../../app/core/owner-keys.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { loadReceiptKeys } from '../../../cloud/trust/receipt-keys.js';
import { realClock } from '../../../common/adapters/real-clock.js';
import { realRandom } from '../../../common/adapters/real-random.js';
import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { RecordMedia, SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import { encodeUp } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { busySealer } from '../../../scripts/bench/world.js';
import { freePort } from '../../../scripts/free-port.js';
import { embedded, type TestBroker } from '../../support/engines/brokers.js';
import { hostPage } from '../../support/engines/browser.js';
import { CameraWorld } from '../../support/worlds/camera-world.js';
import { TestCloud } from '../../support/worlds/test-cloud.js';

/** Time between two events of a camera. */
const EVENT_INTERVAL_MS = 60_000;
const EVENT_MS = 12_000;
/** When the cameras booted, UTC. */
const BOOT_MS = Date.UTC(2026, 0, 1);
const PICTURE = { width: 320, height: 180 };
/** Different pictures that the events share; what is sealed differs. */
const PICTURES = 16;

interface Camera {
  readonly world: CameraWorld;
  readonly claim: Verified<Claim>;
  last: Verified<SealcamRecord>;
}

/** One event of a camera's history. */
export interface PlannedEvent {
  /** UTC of its first frame. */
  readonly atMs: number;
  /** Motion, which lasts, where it is missing. */
  readonly kind?: 'motion' | 'snapshot' | 'scene';
  readonly zones?: readonly string[];
  /** A JPEG; one that is drawn where it is missing. */
  readonly picture?: Uint8Array;
  /** Whether the cloud has no picture of it. */
  readonly isPictureLost?: boolean;
}

export interface SiteSettings {
  readonly folder: string;
  readonly cameras: number;
  /** Events of each camera, of a start with a picture and an end; or its whole history, oldest first. */
  readonly events: number | ((camera: number) => readonly PlannedEvent[]);
  readonly progress: (text: string) => void;
}

/** A cloud that holds the events of one owner's cameras, and the owner's page on an origin of its own. */
export class Site {
  readonly keys: OwnerKeys;
  readonly pageUrl: string;
  /** Hex of the cameras' device ids. */
  readonly devices: readonly string[];
  private readonly cameras: readonly Camera[];
  private readonly broker: TestBroker;
  private readonly endings: (() => Promise<unknown>)[];
  private readonly pictures: readonly Uint8Array[];

  private constructor(parts: Pick<Site, 'keys' | 'pageUrl'> & SiteParts) {
    this.keys = parts.keys;
    this.pageUrl = parts.pageUrl;
    this.cameras = parts.cameras;
    this.devices = parts.cameras.map(({ world }) => toHex(world.deviceId));
    this.broker = parts.broker;
    this.endings = parts.endings;
    this.pictures = parts.pictures;
  }

  static async open({ folder, cameras: count, events, progress }: SiteSettings): Promise<Site> {
    const keys = ownerKeys(nodeSuite, realRandom.bytes(32));
    const data = join(folder, 'cloud');
    mkdirSync(data, { recursive: true });
    const store = openSqliteStore(join(data, 'cloud.db'));
    const cloud = loadReceiptKeys(data, nodeSuite, realRandom).current.signer;
    const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, i) => drawn(i)));
    const endMs = realClock.wallMs();
    const cameras: Camera[] = [];
    for (let i = 0; i < count; i++) {
      const world = new CameraWorld({ owner: keys.signer, ownerSecret: keys.recipient.secret, cloud });
      const claim = world.claim();
      const plan = typeof events === 'number' ? minutely(events, endMs - i) : events(i);
      const startMs = (plan[0]?.atMs ?? endMs) - EVENT_INTERVAL_MS;
      const accept = world.record(claim, 0, claim.hash, {
        kind: 'accept',
        time: world.time(startMs - BOOT_MS, startMs),
      });
      await store.claims.accept(claim, accept, startMs);
      let last = accept;
      for (const [n, planned] of plan.entries()) {
        const { atMs, kind = 'motion', isPictureLost = false } = planned;
        const jpeg = planned.picture ?? pictures[n % PICTURES];
        const { record, sealed, media } = await startEvent(world, claim, last, { ...planned, picture: jpeg });
        await store.records.put(record, isPictureLost ? [] : [{ id: media.id, sealed }], atMs);
        last = record;
        if (kind !== 'motion') continue;
        last = endEvent(world, claim, record, atMs + EVENT_MS);
        await store.records.put(last, [], atMs + EVENT_MS);
      }
      cameras.push({ world, claim, last });
      progress(`camera ${String(i + 1)} of ${String(count)}: ${String(plan.length)} events`);
    }
    const broker = embedded(folder, await freePort());
    await broker.start();
    const pagePort = await freePort();
    const pageUrl = `http://127.0.0.1:${String(pagePort)}/`;
    const pageOrigin = new URL(pageUrl).origin;
    const running = new TestCloud(folder, await freePort(), broker, { pageOrigin, store });
    await running.start();
    const page = await hostPage(join(folder, 'page'), running.origin, pagePort);
    const endings = [() => page.stop(), () => running.stop(), () => broker.stop()];
    return new Site({ keys, pageUrl, cameras, broker, endings, pictures });
  }

  /** Sends one more event of a camera through the broker, as the camera does. */
  async sendEvent(index: number): Promise<void> {
    const camera = this.cameras[index % this.cameras.length];
    const picture = this.pictures[index % PICTURES];
    if (camera === undefined) throw new Error('no camera');
    const { world, claim } = camera;
    const { record, sealed } = await startEvent(world, claim, camera.last, { atMs: realClock.wallMs(), picture });
    const device = toHex(world.deviceId);
    const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${String(this.broker.port)}`, {
      username: device,
      clientId: device,
    });
    const message = encodeUp({ type: 'records', records: [{ record: record.bytes, media: [sealed] }] });
    await client.publishAsync(topicOf(world.deviceId, 'up'), Buffer.from(message), { qos: 1 });
    await client.endAsync();
    camera.last = record;
  }

  async close(): Promise<void> {
    for (const end of this.endings) await end();
  }
}

interface SiteParts {
  readonly cameras: readonly Camera[];
  readonly broker: TestBroker;
  readonly endings: (() => Promise<unknown>)[];
  readonly pictures: readonly Uint8Array[];
}

interface MadeEvent {
  readonly record: Verified<SealcamRecord>;
  readonly sealed: SealedObject;
  readonly media: RecordMedia;
}

/** Returns an event a minute, the last of them a minute ago. */
function minutely(events: number, endMs: number): readonly PlannedEvent[] {
  return Array.from({ length: events }, (_, n) => ({ atMs: endMs - (events - n) * EVENT_INTERVAL_MS }));
}

/** Signs the first record of an event, with a sealed picture, after the record before it. */
async function startEvent(
  world: CameraWorld,
  claim: Verified<Claim>,
  before: Verified<SealcamRecord>,
  {
    atMs,
    kind = 'motion',
    zones,
    picture,
  }: Omit<PlannedEvent, 'picture'> & { readonly picture: Uint8Array | undefined },
): Promise<MadeEvent> {
  const id = realRandom.bytes(16);
  const detail = { reason: 'motion', area: 40, startedMs: 0, ...(zones === undefined ? {} : { zones: [...zones] }) };
  const jpeg = picture ?? new Uint8Array(0);
  const { media, sealed } = await busySealer().seal(claim, id, 'thumbnail', { detail, jpeg });
  const seq = before.value.seq + 1;
  const record = world.record(claim, seq, before.hash, {
    kind,
    event: { id, phase: kind === 'motion' ? 'start' : 'single', revision: 0 },
    media: [media],
    time: world.time(atMs - BOOT_MS, atMs),
    ...(kind === 'scene' ? { scene: { class: 'illumination' as const } } : {}),
  });
  return { record, sealed, media };
}

/** Signs the end of the event that the record before it started. */
function endEvent(
  world: CameraWorld,
  claim: Verified<Claim>,
  { value, hash }: Verified<SealcamRecord>,
  atMs: number,
): Verified<SealcamRecord> {
  if (value.event === undefined) throw new Error('not a record of an event');
  return world.record(claim, value.seq + 1, hash, {
    kind: 'motion',
    event: { id: value.event.id, phase: 'end', revision: 1 },
    time: world.time(atMs - BOOT_MS, atMs),
  });
}

/** Draws a picture whose JPEG has the size of a camera's thumbnail. */
async function drawn(seed: number): Promise<Uint8Array> {
  const { width, height } = PICTURE;
  const noise = Buffer.from(realRandom.bytes(width * height * 3));
  const data = noise.map((value, i) => (value >> 3) + ((i + seed * 1000) % 200));
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 70 })
      .toBuffer(),
  );
}
