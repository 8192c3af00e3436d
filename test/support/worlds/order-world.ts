import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { SealcamError } from '../../../common/errors.js';
import { LIMITS } from '../../../common/limits.js';
import { silentLog } from '../../../common/log.js';
import type { Mirror } from '../../../agent/outbox/mirror.js';
import { openOutbox } from '../../../agent/outbox/open-outbox.js';
import type { Outbox } from '../../../agent/outbox/outbox.js';
import { noteOwnership } from '../../../agent/outbox/published.js';
import { OwnerOrders } from '../../../agent/ownership/owner-orders.js';
import type { InForceSealer } from '../../../agent/ownership/sealed-answers.js';
import type { StandingOrders } from '../../../agent/ownership/standing-orders.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { AnyClaim, ClaimV2 } from '../../../protocol/objects/claim.js';
import { anyCommandKind, type AnyCommand } from '../../../protocol/objects/command.js';
import { anyRecordKind, type AnyRecord, type RecordTime } from '../../../protocol/objects/record.js';
import { openSigned, signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import { isVersionTwo } from '../../../protocol/wire/codec.js';
import { CameraWorld } from './camera-world.js';
import { HEALTH } from './cloud-world.js';
import { codeOf } from '../codes.js';
import { tempFolder } from '../runner/temp.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { storeOf } from '../outbox-store.js';

/** Seals nothing. */
export const NO_SEALER: InForceSealer = { isReady: () => true, ready: () => Promise.resolve(true), seal: () => null };

/** A camera with an owner and an outbox on disk; orders reach it without a network. */
export class OrderWorld {
  readonly camera = new CameraWorld();
  readonly clock = new VirtualClock();
  readonly folder = tempFolder();
  readonly counters = new Counters();
  outbox!: Outbox;
  mirror!: Mirror;
  orders!: OwnerOrders;
  claim!: Verified<AnyClaim>;
  appliedOrders: StandingOrders[] = [];
  snapshotCount = 0;
  snapshotFails: string | null = null;

  constructor() {
    this.open();
    this.claim = this.camera.claim();
    this.outbox.beginEpoch(this.claim, this.time());
    noteOwnership(this.outbox, this.mirror);
  }

  time(): RecordTime {
    return this.camera.time(this.clock.monotonicMs());
  }

  open(): void {
    const { outbox, mirror } = openOutbox({
      folder: this.folder,
      signer: this.camera.outboxSigner(),
      limits: { maxBytes: 2 ** 24, maxAgeMs: 1e9, clipMaxBytes: 2 ** 24 },
      sha256: (data) => nodeSuite.sha256(data),
      time: this.time(),
      log: silentLog,
    });
    this.outbox = outbox;
    this.mirror = mirror;
    this.orders = new OwnerOrders({
      suite: nodeSuite,
      outbox,
      mirror,
      clock: this.clock,
      counters: this.counters,
      log: silentLog,
      now: () => this.time(),
      sealer: NO_SEALER,
      snapshot: () => {
        this.snapshotCount++;
        if (this.snapshotFails === null) return Promise.resolve();
        return Promise.reject(new SealcamError('privacy-mode', 'the camera is off'));
      },
      onOrders: (orders) => this.appliedOrders.push(orders),
      onRelease: () => {
        outbox.endEpoch('release', this.time());
        noteOwnership(outbox, mirror);
        this.orders.ownerChanged();
      },
    });
  }

  restart(): void {
    this.mirror.close();
    this.outbox.close();
    this.open();
  }

  /** Appends a record, for an order that names it as just seen. */
  recentRecord(): NonNullable<AnyCommand['recent']> {
    const record = this.outbox.append({ kind: 'scene', time: this.time(), scene: { class: 'startup' } });
    if (record === null) throw new Error('no record');
    return [record.value.seq, record.hash];
  }

  /** Lets time pass in steps, each with a health record. */
  reportHealth(count: number, everyMs: number = LIMITS.healthCadenceMs): void {
    for (let i = 0; i < count; i++) {
      this.clock.advance(everyMs);
      this.outbox.append({ kind: 'health', time: this.time(), health: HEALTH });
    }
  }

  makeOrder(change: Partial<AnyCommand> & Pick<AnyCommand, 'action'>, signer: Signer = this.camera.owner): Uint8Array {
    return signObject<AnyCommand>(anyCommandKind, nodeSuite, signer, {
      ...(isVersionTwo(this.claim.value) ? { version: 2 as const } : {}),
      device: this.camera.deviceId,
      epoch: 1,
      claimHash: this.claim.hash,
      counter: 100,
      ...change,
    }).bytes;
  }

  sendOrder(bytes: Uint8Array): string {
    return codeOf(() => {
      this.orders.handleCommand(bytes);
    });
  }

  answers(): NonNullable<AnyRecord['command']>[] {
    return storeOf(this.outbox)
      .queries.recordsAfter.all({ epoch: 0, seq: 0, limit: 1000 })
      .flatMap(({ bytes }) => {
        const { command } = openSigned(anyRecordKind, nodeSuite, new Uint8Array(bytes)).value;
        return command === undefined ? [] : [command];
      });
  }
}

type Recipient = ClaimV2['recipients'][number];
/** The owner's second browser, and a member of the household. */
export const phone = nodeSuite.ed25519Signer(realRandom.bytes(32));
export const member = nodeSuite.ed25519Signer(realRandom.bytes(32));

export function recipientOf(key: Uint8Array, role: Recipient['role']): Recipient {
  return { ed25519: key, kem: realRandom.bytes(32), role };
}

/** Returns a camera in an epoch of version 2, number 2, whose owner has two browsers, and a member. */
export function household(): OrderWorld {
  const world = new OrderWorld();
  const { owner } = world.camera;
  const recipients = [
    recipientOf(owner.publicKey, 'owner'),
    recipientOf(phone.publicKey, 'owner'),
    recipientOf(member.publicKey, 'member'),
  ];
  const claim = world.camera.claimV2(2, world.claim.hash, { recipients });
  world.outbox.beginEpoch(claim, world.time());
  world.claim = claim;
  world.orders.ownerChanged();
  return world;
}
