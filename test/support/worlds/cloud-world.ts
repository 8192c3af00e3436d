import { join } from 'node:path';
import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { Ingest } from '../../../cloud/ingest/ingest.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import { anyOfferKind, type Offer, type OfferV2 } from '../../../protocol/objects/offer.js';
import { anyReceiptKind, type AnyReceipt } from '../../../protocol/objects/receipt.js';
import type { AnyRecord, RecordHealth, RecordMedia, SealcamRecord } from '../../../protocol/objects/record.js';
import { openSigned, signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import type { SealedObject } from '../../../protocol/seal/seal.js';
import { decodeDown, encodeUp, type DownMessage } from '../../../protocol/transport/messages.js';
import { topicOf } from '../../../protocol/transport/topics.js';
import { testLog, type LogEntry } from './test-agent.js';
import { CameraWorld } from './camera-world.js';
import { tempFolder } from '../runner/temp.js';
import { VirtualClock } from '../runner/virtual-clock.js';

/** A health record's figures, of a camera with an empty outbox. */
export const HEALTH: RecordHealth = {
  agent: 'x',
  uptimeS: 1,
  freeBytes: 1,
  produced: 2,
  receipted: 2,
  queued: 0,
  quarantined: 0,
  lost: 0,
  framesSeen: 0,
  framesDropped: 0,
  framesCorrupt: 0,
  camera: 'ok',
  privacy: false,
  connects: 1,
};

/**
 * Ingest on a fresh SQLite store, without a broker; it collects what ingest publishes and stores. `beside` makes it a
 * second worker of that world's cloud, with the same receipt keys.
 */
export class CloudWorld {
  readonly counters = new Counters();
  readonly clock = new VirtualClock();
  readonly sent: { topic: string; message: DownMessage }[] = [];
  readonly lines: LogEntry[] = [];
  readonly stored: Verified<AnyRecord>[] = [];
  readonly receiptSigner: Signer = nodeSuite.ed25519Signer(realRandom.bytes(32));
  readonly store: CloudStore;
  readonly ingest: Ingest;

  constructor(
    wrap: (store: CloudStore) => CloudStore = (store) => store,
    beside: CloudWorld | null = null,
    versions: readonly number[] = [1],
  ) {
    if (beside !== null) this.receiptSigner = beside.receiptSigner;
    const isSharing = beside !== null;
    this.store = openSqliteStore(join(tempFolder(), 'cloud.db'));
    this.ingest = new Ingest({
      store: wrap(this.store),
      suite: nodeSuite,
      receiptSigner: this.receiptSigner,
      clock: this.clock,
      counters: this.counters,
      log: testLog(this.lines),
      isSharing,
      versions,
      onStatus: () => undefined,
      pacing: () => null,
      publish: (topic, payload) => this.sent.push({ topic, message: decodeDown(payload) }),
      onStored: (_, record) => this.stored.push(record),
    });
  }

  camera(): CameraWorld {
    return new CameraWorld({ cloud: this.receiptSigner });
  }

  /** Claims a camera and stores its accept. */
  async claimed(
    world = this.camera(),
  ): Promise<{ world: CameraWorld; claim: Verified<Claim>; accept: Verified<SealcamRecord> }> {
    const claim = world.claim();
    const accept = world.record(claim, 0, claim.hash, { kind: 'accept' });
    await this.up(world, { type: 'accept', claim: claim.bytes, record: accept.bytes });
    this.sent.length = 0;
    this.stored.length = 0;
    return { world, claim, accept };
  }

  up(
    world: CameraWorld,
    message: Parameters<typeof encodeUp>[0],
    topic = topicOf(world.deviceId, 'up'),
  ): Promise<void> {
    return this.ingest.handleMessage(topic, encodeUp(message));
  }

  records(world: CameraWorld, records: Verified<AnyRecord>[], media: (SealedObject | null)[] = []): Promise<void> {
    return this.up(world, { type: 'records', records: records.map(({ bytes }) => ({ record: bytes, media })) });
  }

  receipts(): AnyReceipt[] {
    return this.sent.flatMap(({ message }) =>
      message.type === 'receipt' ? [openSigned(anyReceiptKind, nodeSuite, message.receipt).value] : [],
    );
  }
}

/** Returns the offer of a camera that was never claimed, signed by the camera: of version 1, if `change` does not say otherwise. */
export function offerOf(
  { device, deviceId }: CameraWorld,
  change: Partial<Offer> & Partial<Pick<OfferV2, 'version'>> = {},
): Verified<Offer | OfferV2> {
  return signObject(anyOfferKind, nodeSuite, device, {
    device: deviceId,
    lastEpoch: 0,
    lastClaimHash: null,
    mode: 'physical',
    nonce: realRandom.bytes(16),
    ...change,
  });
}

/** Returns a small record without media. */
export function scene(
  world: CameraWorld,
  claim: Verified<Claim>,
  seq: number,
  prev: Uint8Array | null,
): Verified<SealcamRecord> {
  return world.record(claim, seq, prev, { kind: 'scene', scene: { class: 'stall' } });
}

/** Returns an event with a sealed object of noise, which no key opens. */
export function pictured(
  world: CameraWorld,
  claim: Verified<Claim>,
  seq: number,
  prev: Uint8Array | null,
): { record: Verified<SealcamRecord>; sealed: SealedObject; media: RecordMedia } {
  const sealed = { header: realRandom.bytes(150), body: realRandom.bytes(4112) };
  const media: RecordMedia = {
    id: realRandom.bytes(16),
    role: 'thumbnail',
    length: sealed.body.length,
    bodyHash: nodeSuite.sha256(sealed.body),
    headerHash: nodeSuite.sha256(sealed.header),
  };
  const event = { id: realRandom.bytes(16), phase: 'start', revision: 0 } as const;
  return { sealed, media, record: world.record(claim, seq, prev, { kind: 'motion', event, media: [media] }) };
}
