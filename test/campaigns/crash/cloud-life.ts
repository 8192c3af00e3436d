import { Counters } from '../../../common/counters.js';
import { toHex } from '../../../common/bytes.js';
import { silentLog } from '../../../common/log.js';
import type { Random } from '../../../common/random.js';
import { Reader } from '../../../cloud/api/reader.js';
import { Statements } from '../../../cloud/api/statements.js';
import { Erasing } from '../../../cloud/main/erasing.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import type { CloudStore, NewMedia } from '../../../cloud/store/store.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { ClaimV2 } from '../../../protocol/objects/claim.js';
import { deletionKind } from '../../../protocol/objects/deletion.js';
import type { RecordV2 } from '../../../protocol/objects/record.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import type { Period } from '../../../protocol/seal/period.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';
import { HEALTH } from '../../support/worlds/cloud-world.js';
import { VirtualClock } from '../../support/runner/virtual-clock.js';
import { mediaOf, newPeriod, sealPicture } from './sealing.js';
import type { Report } from './steps.js';

const HOUR_MS = 3_600_000;
/** This camera films no clips. */
const NO_BODIES: MediaStore = {
  put: () => Promise.reject(new Error('no clip was filmed')),
  get: () => Promise.resolve(undefined),
  remove: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
/** How long this cloud keeps records: some periods, and a few days of partitions. */
const KEPT_MS = 24 * HOUR_MS;
/** Records of one step of retention: so few that it needs several for a period. */
const RECORDS_MAX = 4;
const PICTURE_BYTES = 600;
const HEALTH_V2 = { ...HEALTH, memoryBytes: 1, restarts: 0, light: false };

type Step = (life: CloudLife) => Promise<void>;
const STEPS: readonly (readonly [weight: number, step: Step])[] = [
  [30, (life) => life.picture()],
  [8, (life) => life.endPeriod()],
  [8, (life) => life.health()],
  [24, (life) => life.expire()],
  [3, (life) => life.deleteRange()],
  [3, (life) => life.eraseDue()],
];
const WEIGHTS = STEPS.reduce((sum, [weight]) => sum + weight, 0);

export interface CloudLifeSettings {
  readonly camera: CameraWorld;
  readonly store: CloudStore;
  readonly random: Random;
  readonly report: Report;
  /** The control: makes an ordinary record of every key record, in the eyes of retention. */
  readonly forgetKeys?: () => Promise<void>;
}

/** A camera whose records a cloud stores, keeps and deletes, from one start of the cloud's process to its end. */
export class CloudLife {
  private readonly settings: CloudLifeSettings;
  private readonly clock = new VirtualClock();
  private readonly erasing: Erasing;
  private claim: Verified<ClaimV2> | null = null;
  private head: { readonly seq: number; readonly hash: Uint8Array } | null = null;
  private period: Period | null = null;

  constructor(settings: CloudLifeSettings) {
    this.settings = settings;
    const { store, camera } = settings;
    const common = { store, suite: nodeSuite, clock: this.clock, counters: new Counters(), log: silentLog };
    const reader = new Reader({ ...common, bodies: NO_BODIES });
    const statements = new Statements({ ...common, reader });
    this.erasing = new Erasing({ ...common, reader, statements, receiptSigners: [camera.cloud], periodMs: KEPT_MS });
  }

  /** Claims the camera where it is new, and goes on after what is stored. */
  async start(): Promise<void> {
    const { store, camera, random, report } = this.settings;
    const { deviceId } = camera;
    // The same nonce in every life: the claim that a cut took away is made again.
    const claim = camera.claimV2(1, null, { nonce: new Uint8Array(16).fill(1) });
    this.claim = claim;
    const bounds = await store.records.bounds(deviceId, 1);
    if (bounds === undefined) {
      const accept = this.sign(0, claim.hash, { kind: 'accept' });
      await store.claims.accept(claim, accept, this.clock.wallMs(), camera.kemKeys);
      report({ is: 'record', epoch: 1, seq: 0, hash: toHex(accept.hash) });
      this.head = { seq: 0, hash: accept.hash };
      return;
    }
    const last = await store.records.get(deviceId, 1, bounds.highest);
    if (last === undefined) throw new Error('the newest record is not there');
    this.head = last;
    this.clock.wallStartMs = bounds.lastReceivedAtMs + Math.floor(random.uniform() * HOUR_MS);
  }

  async step(): Promise<void> {
    let left = this.settings.random.uniform() * WEIGHTS;
    this.clock.advance(Math.floor(this.settings.random.uniform() * 3 * HOUR_MS));
    for (const [weight, step] of STEPS) {
      left -= weight;
      if (left < 0) return step(this);
    }
  }

  async picture(): Promise<void> {
    if (this.period === null) await this.beginPeriod();
    if (this.period === null) return;
    const event = { id: this.settings.random.bytes(16), phase: 'start', revision: 0 } as const;
    const { media, sealed } = sealPicture(this.period, event.id, PICTURE_BYTES);
    await this.put({ kind: 'motion', event, media: [media] }, [{ id: media.id, sealed }]);
  }

  endPeriod(): Promise<void> {
    this.period = null;
    return Promise.resolve();
  }

  /** Says that nothing of before waits at the camera any longer, so that what is spent may go. */
  health(): Promise<void> {
    return this.put({ kind: 'health', health: HEALTH_V2 });
  }

  async expire(): Promise<void> {
    const nowMs = this.clock.wallMs();
    await this.erasing.expire(nowMs, nowMs, RECORDS_MAX);
  }

  /** The owner deletes a range of what is there. */
  async deleteRange(): Promise<void> {
    const { store, camera, random, report } = this.settings;
    const { deviceId: device } = camera;
    const bounds = await store.records.bounds(device, 1);
    if (bounds === undefined || this.claim === null) return;
    // The newest stays: the next life goes on after it.
    const toSeq = bounds.highest - 1 - Math.floor(random.uniform() * 10);
    const last = toSeq < 2 ? undefined : await store.records.get(device, 1, toSeq);
    if (last === undefined) return;
    const fromSeq = Math.max(1, toSeq - Math.floor(random.uniform() * 6));
    report({ is: 'deleted', epoch: 1, from: fromSeq, to: toSeq });
    const range = { device, epoch: 1, claimHash: this.claim.hash, fromSeq, toSeq, issuedAtMs: 0 };
    const statement = signObject(deletionKind, nodeSuite, camera.owner, { ...range, lastHash: last.hash });
    await store.deletions.mark([statement], this.clock.wallMs() + 2 * HOUR_MS);
  }

  async eraseDue(): Promise<void> {
    await this.erasing.eraseDue(this.clock.wallMs(), RECORDS_MAX);
  }

  private async beginPeriod(): Promise<void> {
    const { camera, random, forgetKeys } = this.settings;
    if (this.claim === null) return;
    const { period, keyRecord } = newPeriod(camera, this.claim, random);
    const { periodId, commit, sealed } = keyRecord;
    const id = random.bytes(16);
    const media = mediaOf('key', id, sealed);
    await this.put({ kind: 'key', key: { periodId, commit }, media: [media] }, [{ id, sealed }]);
    await forgetKeys?.();
    this.period = period;
  }

  private async put(
    rest: Partial<RecordV2> & Pick<RecordV2, 'kind'>,
    objects: readonly NewMedia[] = [],
  ): Promise<void> {
    const { store, report } = this.settings;
    const { head } = this;
    if (head === null) throw new Error('not started');
    const record = this.sign(head.seq + 1, head.hash, rest);
    const { outcome } = await store.records.put(record, objects, this.clock.wallMs());
    if (outcome !== 'stored') throw new Error(`${rest.kind}: ${outcome}`);
    const { seq } = record.value;
    report({ is: 'record', epoch: 1, seq, hash: toHex(record.hash), ...(rest.kind === 'key' ? { isKey: true } : {}) });
    this.head = { seq, hash: record.hash };
  }

  private sign(seq: number, prev: Uint8Array, rest: Partial<RecordV2> & Pick<RecordV2, 'kind'>): Verified<RecordV2> {
    if (this.claim === null) throw new Error('not started');
    const { camera } = this.settings;
    // Without a clock of its own: receive times decide.
    return camera.recordV2(this.claim, seq, prev, { time: camera.time(1000 * seq, null), ...rest });
  }
}
