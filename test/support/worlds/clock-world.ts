import { realRandom } from '../../../common/adapters/real-random.js';
import { Counters } from '../../../common/counters.js';
import { Reader } from '../../../cloud/api/reader.js';
import { Statements } from '../../../cloud/api/statements.js';
import { Erasing } from '../../../cloud/main/erasing.js';
import { Retention } from '../../../cloud/main/retention.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { DeletionClock } from '../../../cloud/trust/deletion-clock.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { Claim } from '../../../protocol/objects/claim.js';
import type { RecordTime, SealcamRecord } from '../../../protocol/objects/record.js';
import type { Verified } from '../../../protocol/objects/signed-object.js';
import { VirtualClock } from '../runner/virtual-clock.js';
import { Bodies } from '../../../cloud/main/bodies.js';
import { mediaIn } from './test-media.js';
import { CameraWorld } from './camera-world.js';
import { testLog, type LogEntry } from './test-agent.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** What a cloud promises by default. */
export const PERIOD_MS = 30 * DAY_MS;
const START_MS = Date.UTC(2026, 10, 21, 12);

/** A camera and the records that it sent. Its own clock is right unless `errorMs` says otherwise. */
class TimedCamera {
  readonly world: CameraWorld;
  readonly claim: Verified<Claim>;
  readonly quality: RecordTime['quality'];
  /** How wrong the camera's clock is. */
  errorMs: number;
  private head: Verified<SealcamRecord> | null = null;

  constructor(cloud: Signer, quality: RecordTime['quality'], errorMs: number) {
    this.world = new CameraWorld({ cloud });
    this.claim = this.world.claim();
    this.quality = quality;
    this.errorMs = errorMs;
  }

  next(trueMs: number): Verified<SealcamRecord> {
    const wallMs = this.quality === 'unset' ? null : trueMs + this.errorMs;
    const time = { boot: this.world.boot, monotonicMs: 1, wallMs, quality: this.quality };
    const seq = this.head === null ? 0 : this.head.value.seq + 1;
    const prev = this.head?.hash ?? this.claim.hash;
    const content = seq === 0 ? ({ kind: 'accept' } as const) : ({ kind: 'scene', scene: { class: 'stall' } } as const);
    this.head = this.world.record(this.claim, seq, prev, { ...content, time });
    return this.head;
  }
}

/**
 * A cloud's retention under a clock that can be set, on any store. `isGuarded: false` is the control: receive times and
 * deletion by the wall clock alone.
 */
export class ClockWorld {
  readonly store: CloudStore;
  readonly counters = new Counters();
  readonly log: LogEntry[] = [];
  readonly isGuarded: boolean;
  private readonly receiptSigner = nodeSuite.ed25519Signer(realRandom.bytes(32));
  /** The time that it really is. */
  trueMs = START_MS;
  deletionClock!: DeletionClock;
  private clock = new VirtualClock();
  private retention!: Retention;
  private erasing!: Erasing;
  private errorMs = 0;

  private constructor(store: CloudStore, isGuarded: boolean) {
    this.store = store;
    this.isGuarded = isGuarded;
  }

  /** Starts a cloud on this store, with its clock wrong by `errorMs`. */
  static async start(store: CloudStore, errorMs = 0, { isGuarded = true } = {}): Promise<ClockWorld> {
    const world = new ClockWorld(store, isGuarded);
    await world.restart(errorMs);
    return world;
  }

  /** Ends the process and starts another on the same store, with a monotonic clock of its own. */
  async restart(errorMs = this.errorMs): Promise<void> {
    this.clock = new VirtualClock(realRandom.bytes(1)[0]);
    this.setClock(errorMs);
    const { store, clock } = this;
    const common = { store, clock, suite: nodeSuite, random: realRandom, periodMs: PERIOD_MS, log: testLog(this.log) };
    this.deletionClock = new DeletionClock({ ...common, counters: this.counters });
    const counted = { ...common, counters: this.counters };
    const media = mediaIn(clock);
    const reader = new Reader({ ...counted, bodies: media.store });
    const bodies = new Bodies({ segments: store.segments, bodies: media.store, periodMs: PERIOD_MS });
    const statements = new Statements({ ...common, reader });
    this.erasing = new Erasing({ ...counted, reader, statements, receiptSigners: [this.receiptSigner] });
    this.retention = new Retention({ ...common, bodies, erasing: this.erasing, deletionClock: this.deletionClock });
    if (this.isGuarded) await this.deletionClock.start();
  }

  /** Sets the wall clock to the true time and this error. The monotonic clock does not notice. */
  setClock(errorMs: number): void {
    this.errorMs = errorMs;
    this.clock.wallStartMs = this.trueMs + errorMs - this.clock.monotonicMs();
  }

  /** Lets time pass, as every clock measures it. */
  pass(ms: number): void {
    this.trueMs += ms;
    this.clock.advance(ms);
  }

  /** Lets days pass while the cloud runs, which looks for what is due now and then. Returns how many records it deleted. */
  async live(ms: number): Promise<number> {
    let deleted = 0;
    for (let passedMs = 0; passedMs < ms; passedMs += 5 * DAY_MS) {
      this.pass(Math.min(5 * DAY_MS, ms - passedMs));
      deleted += await this.deleteDue();
    }
    return deleted;
  }

  /** Adds a camera, whose accept is received now. */
  async camera(quality: RecordTime['quality'] = 'ntp', errorMs = 0): Promise<TimedCamera> {
    const camera = new TimedCamera(this.receiptSigner, quality, errorMs);
    const accept = camera.next(this.trueMs);
    const atMs = this.isGuarded ? this.deletionClock.receiveTimeMs() : this.clock.wallMs();
    await this.store.claims.accept(camera.claim, accept, atMs);
    this.deletionClock.observe(camera.world.deviceId, accept.value.time);
    return camera;
  }

  /** Receives new records of a camera, one a minute. Returns their seqs. */
  async receive(camera: TimedCamera, count: number): Promise<number[]> {
    const seqs: number[] = [];
    for (let i = 0; i < count; i++) {
      this.pass(60_000);
      const record = camera.next(this.trueMs);
      const atMs = this.isGuarded ? this.deletionClock.receiveTimeMs() : this.clock.wallMs();
      await this.store.records.put(record, [], atMs);
      this.deletionClock.observe(camera.world.deviceId, record.value.time);
      seqs.push(record.value.seq);
    }
    return seqs;
  }

  /** Deletes what is due, as the cloud does once a minute. Returns how many records. */
  deleteDue(): Promise<number> {
    return this.isGuarded ? this.retention.run() : this.deleteUnguarded(this.clock.wallMs());
  }

  /** Deletes what is due at this time, whatever it is, and whatever times cameras sign. Returns how many records. */
  async deleteUnguarded(nowMs: number): Promise<number> {
    return (await this.erasing.expire(nowMs, Infinity, 1000)).deleted;
  }

  /** The seqs of a camera that are stored, ascending, without the accept: it never expires. */
  async seqsOf({ world }: TimedCamera): Promise<number[]> {
    const records = await this.store.records.page(world.deviceId, 1, 1e9, 1000);
    return records.flatMap(({ seq }) => (seq === 0 ? [] : [seq])).sort((a, b) => a - b);
  }

  /** The alarms on the clock that are stored, oldest first. */
  async alarms(): Promise<string[]> {
    const alarms = await this.store.alarms.since(0, 100);
    return alarms
      .filter(({ place }) => place === 'clock')
      .map(({ reason }) => reason)
      .reverse();
  }
}
