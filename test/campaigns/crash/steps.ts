import { equal, toBase64, toHex } from '../../../common/bytes.js';
import type { Random } from '../../../common/random.js';
import type { QueuedRecord, RecordContent, SealedMedia } from '../../../agent/outbox/outbox.js';
import { noteBeforePublish, noteOwnership } from '../../../agent/outbox/published.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import type { AnyClaim } from '../../../protocol/objects/claim.js';
import { anyCommandKind, type AnyCommand } from '../../../protocol/objects/command.js';
import type { AnyRecord } from '../../../protocol/objects/record.js';
import { signObject, type Verified } from '../../../protocol/objects/signed-object.js';
import type { Period } from '../../../protocol/seal/period.js';
import type { CameraWorld } from '../../support/worlds/camera-world.js';
import { picture } from '../../support/worlds/outbox-world.js';
import { newPeriod, sealPicture, sealSegment } from './sealing.js';
import { MAX_AGE_MS, uplinkState, type Line, type OpenedFolder, type StoredObject } from './world.js';
import { storeOf } from '../../support/outbox-store.js';

export type Report = (line: Line) => void;

const PICTURE_BYTES_MAX = 12_000;
const SEGMENT_BYTES_MAX = 20_000;
const SEGMENTS_MAX = 4;
const PUBLISHED_MAX = 6;
const HEAD_AHEAD_MAX = 40;

/** One thing that a camera does with its data folder. It is reported only after the call has returned. */
type Step = (life: Life) => void;

/** Steps with their weights: a step is drawn with its share of the sum. */
const STEPS: readonly (readonly [name: string, weight: number, step: Step])[] = [
  ['append', 30, (life) => life.append(0)],
  ['append-picture', 30, (life) => life.append(1)],
  ['publish', 14, (life) => life.publish(false)],
  ['receipt', 12, (life) => life.publish(true)],
  ['publish-newest', 6, (life) => life.publishNewest()],
  ['reject', 3, (life) => life.reject('malformed')],
  ['reject-other', 2, (life) => life.reject('equivocation')],
  ['flush-losses', 6, (life) => life.flushLosses()],
  ['count-loss', 2, (life) => life.outbox.countLoss('failed')],
  ['age-out', 1, (life) => life.ageOut(2 * MAX_AGE_MS)],
  // What a period began with is too old then, and what it ended with is not.
  ['age', 4, (life) => life.ageOut(MAX_AGE_MS / 2)],
  ['next-period', 4, (life) => life.endPeriod()],
  ['order', 4, (life) => life.order()],
  ['uplink', 4, (life) => life.keepUplink()],
  ['claim-again', 2, (life) => life.claim()],
  ['release', 1, (life) => life.end()],
];
/** The same of a camera that makes clips. */
const CLIP_STEPS: typeof STEPS = [
  ...STEPS,
  ['clip', 40, (life) => life.clip()],
  ['upload', 25, (life) => life.upload()],
  ['receipt-all', 12, (life) => life.receiptAll()],
];

export function pickStep(random: Random, hasClips = false): readonly [name: string, step: Step] {
  const steps = hasClips ? CLIP_STEPS : STEPS;
  let left = random.uniform() * steps.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight, step] of steps) {
    left -= weight;
    if (left < 0) return [name, step];
  }
  return ['append', (life) => life.append(0)];
}

export interface LifeSettings {
  readonly camera: CameraWorld;
  readonly opened: OpenedFolder;
  readonly random: Random;
  /** The camera's clock at its start. */
  readonly startMs: number;
  readonly report: Report;
  /** The control: reports each record before its commit. */
  readonly reportsEarly?: boolean | undefined;
  /** Claims are of version 2. */
  readonly isTwo?: boolean;
  /** Called between the commit of a key record and what is sealed in its period. */
  readonly onKey?: () => void;
}

/** One run of the agent's outbox on a camera, from its start to its end. */
export class Life {
  readonly outbox: OpenedFolder['outbox'];
  private readonly camera: CameraWorld;
  private readonly opened: OpenedFolder;
  private readonly random: Random;
  private readonly report: Report;
  private readonly reportsEarly: boolean;
  private readonly isTwo: boolean;
  private readonly onKey: () => void;
  private nowMs: number;
  /** Of this process and claim; null before the first, and after one that ended. */
  private period: Period | null = null;
  /** The clip that goes on, with its next index. */
  private going: { readonly eventId: Uint8Array; readonly epoch: number; next: number } | null = null;

  constructor(settings: LifeSettings) {
    const { camera, opened, random, startMs, report, reportsEarly = false, isTwo = false } = settings;
    this.isTwo = isTwo;
    this.onKey = settings.onKey ?? (() => undefined);
    this.reportsEarly = reportsEarly;
    this.camera = camera;
    this.opened = opened;
    this.outbox = opened.outbox;
    this.random = random;
    this.nowMs = startMs;
    this.report = report;
  }

  /** Claims the camera where it has no owner, since it would record nothing. */
  ensureOwner(): void {
    if (this.outbox.currentClaim() === null) this.claim();
  }

  append(pictures: number): void {
    const event = { id: this.random.bytes(16), phase: 'start', revision: 0 } as const;
    const media = Array.from({ length: pictures }, () => this.sealed(event.id, 500 + this.below(PICTURE_BYTES_MAX)));
    const append = (): Verified<AnyRecord> | null => {
      return this.outbox.append(this.scene({ kind: 'motion', event }), media);
    };
    if (!this.reportsEarly) {
      this.reportRecord(append());
      return;
    }
    storeOf(this.outbox).transaction(() => {
      this.reportRecord(append());
    });
  }

  /** Begins a clip, or goes on with it. */
  clip(): void {
    const claim = this.outbox.currentClaim();
    if (claim === null) return;
    const period = this.periodNow(claim);
    const { epoch } = claim.value;
    if (this.going?.epoch !== epoch || this.random.uniform() < 0.3)
      this.going = { eventId: this.random.bytes(16), epoch, next: 0 };
    const { eventId, next } = this.going;
    const segments = Array.from({ length: 1 + this.below(SEGMENTS_MAX) }, (_, i) =>
      sealSegment(period, eventId, next + i, 500 + this.below(SEGMENT_BYTES_MAX)),
    );
    this.nowMs += 1000;
    const time = this.camera.time(this.nowMs);
    const phase = next === 0 ? 'start' : 'more';
    const append = (): void => {
      const record = this.outbox.appendClip({ time, clip: { eventId, number: 0, phase } }, segments, claim.hash);
      if (record === null) return;
      this.reportRecord(record);
      const bound = segments.map(({ entry: [, mediaId, , hash] }) => ({ hash: toHex(hash), mediaId: toHex(mediaId) }));
      this.report({ is: 'bound', epoch, seq: record.value.seq, segments: bound });
    };
    if (this.reportsEarly) storeOf(this.outbox).transaction(append);
    else append();
    this.going.next += segments.length;
  }

  /** Uploads bodies, as many as one media receipt then names. */
  upload(): void {
    const queued = this.outbox.segmentsToSend(1 + this.below(SEGMENTS_MAX));
    for (const epoch of new Set(queued.map((segment) => segment.epoch))) {
      const claim = this.outbox.claimOf(epoch);
      if (claim === null) continue;
      const own = queued.filter((segment) => segment.epoch === epoch && segment.read() !== null);
      const entries = own.map(({ bodyHash }) => [bodyHash, this.random.uniform() < 0.1 ? 'quota' : 'stored'] as const);
      if (entries.length === 0) continue;
      const hashes = entries.map(([hash]) => toHex(hash));
      for (const [i, [, result]] of entries.entries())
        this.report({ is: result === 'stored' ? 'uploaded' : 'refused', epoch, hash: hashes[i] ?? '' });
      // Now and then the receipt does not arrive.
      if (this.random.uniform() < 0.2) continue;
      this.outbox.applyMediaReceipt(this.camera.mediaReceipt(claim, entries));
      for (const hash of hashes) this.report({ is: 'acknowledged', epoch, hash });
    }
  }

  /** Receipts all that is queued, so that bodies may be sent. */
  receiptAll(): void {
    for (let i = 0; i < 20 && this.outbox.newest() !== null; i++) this.publish(true);
  }

  /** Makes events phase by phase, for measuring what each phase costs: append, note before publishing, receipt. */
  makeEvents(events: number, pictureBytes: number): void {
    this.ensureOwner();
    const begin = (phase: string): void => {
      this.report({ is: 'phase', phase, rss: process.memoryUsage.rss() });
    };
    const records: QueuedRecord[] = [];
    begin('append, with a picture of 12,000 bytes');
    for (let i = 0; i < events; i++) {
      const event = { id: this.random.bytes(16), phase: 'start', revision: 0 } as const;
      this.outbox.append(this.scene({ kind: 'motion', event }), [picture(pictureBytes)]);
      const newest = this.outbox.newest();
      const record = newest === null ? null : this.outbox.find(newest);
      if (record !== null) records.push({ ...record, media: [] });
    }
    begin('note in the mirror, before publishing');
    for (const record of records) noteBeforePublish(this.outbox, this.opened.mirror, [record]);
    begin('receipt of one record');
    const claim = this.outbox.currentClaim();
    if (claim === null) return;
    for (const { seq, hash } of records)
      this.outbox.applyReceipt(this.camera.receipt(claim, [[seq, seq, hash]]), this.camera.time(this.nowMs));
    begin('end');
  }

  /** Lets time pass, and appends, which drops what is too old. */
  ageOut(ms: number): void {
    this.nowMs += ms;
    this.append(0);
  }

  endPeriod(): void {
    this.period = null;
  }

  publish(isReceipted: boolean): void {
    const records = this.outbox.read({ epoch: 0, seq: -1 }, 1 + this.below(PUBLISHED_MAX));
    this.send(records);
    if (!isReceipted) return;
    for (const epoch of new Set(records.map((record) => record.epoch))) {
      const own = records.filter((record) => record.epoch === epoch);
      const first = own[0];
      const last = own.at(-1);
      const claim = this.outbox.claimOf(epoch);
      if (first === undefined || last === undefined || claim === null) continue;
      this.report({ is: 'receipted', epoch, from: first.seq, to: last.seq, objects: this.isTwo ? objectsOf(own) : [] });
      this.outbox.applyReceipt(
        this.camera.receipt(claim, [[first.seq, last.seq, last.hash]]),
        this.camera.time(this.nowMs),
      );
    }
  }

  publishNewest(): void {
    const place = this.outbox.newest();
    const record = place === null ? null : this.outbox.find(place);
    if (record !== null) this.send([record]);
  }

  /** Rejects the oldest record, as a cloud does that has another one for its seq and others beyond the camera's last. */
  reject(code: 'malformed' | 'equivocation'): void {
    const [record] = this.outbox.read({ epoch: 0, seq: 0 }, 1);
    const claim = record === undefined ? null : this.outbox.claimOf(record.epoch);
    if (record === undefined || claim === null || record.seq === 0) return;
    this.send([record]);
    this.report({ is: 'rejected', epoch: record.epoch, seq: record.seq, isOther: code === 'equivocation' });
    const head = this.outbox.totals().produced + this.below(HEAD_AHEAD_MAX);
    const ranges = code === 'malformed' ? [] : [[head, head, this.random.bytes(32)] as const];
    const rejects = [[record.seq, record.hash, code]] as const;
    const receipt = this.camera.receipt(claim, ranges, { rejects });
    const { keysRejected } = this.outbox.applyReceipt(receipt, this.camera.time(this.nowMs));
    if (keysRejected > 0) this.period = null;
  }

  flushLosses(): void {
    this.reportRecord(this.outbox.flushLosses(this.camera.time(this.nowMs)));
  }

  order(): void {
    const claim = this.outbox.currentClaim();
    const counter = this.outbox.commandCounter(this.camera.owner.publicKey);
    if (claim === null || counter === null) return;
    const order = signObject<AnyCommand>(anyCommandKind, nodeSuite, this.camera.owner, {
      ...(this.isTwo ? { version: 2 as const } : {}),
      recent: [0, claim.hash],
      action: 'privacy',
      device: this.camera.deviceId,
      epoch: claim.value.epoch,
      claimHash: claim.hash,
      counter: counter + 1,
      privacy: true,
    });
    this.outbox.storeOrder(order, this.camera.time(this.nowMs));
    this.report({ is: 'order', epoch: claim.value.epoch, counter: counter + 1 });
  }

  keepUplink(): void {
    const window = 1 + this.below(900_000);
    // Reported before it is saved: after a kill the file may hold it already.
    this.report({ is: 'uplink', window });
    this.opened.uplink.save(uplinkState(window));
  }

  claim(): void {
    const { lastEpoch, lastClaimHash } = this.outbox.ownership();
    const kemKeys = this.isTwo ? this.camera.kemKeys : [];
    const claim = this.isTwo
      ? this.camera.claimV2(lastEpoch + 1, lastClaimHash)
      : this.camera.claim(lastEpoch + 1, lastClaimHash);
    const accept = this.outbox.beginEpoch(claim, this.camera.time(this.nowMs), kemKeys);
    noteOwnership(this.outbox, this.opened.mirror);
    this.reportRecord(accept);
  }

  end(): void {
    this.outbox.endEpoch('release', this.camera.time(this.nowMs));
    noteOwnership(this.outbox, this.opened.mirror);
  }

  /** Makes a picture: of a period, where the claim has any. */
  private sealed(eventId: Uint8Array, bytes: number): SealedMedia {
    const claim = this.outbox.currentClaim();
    if (!this.isTwo || claim === null) return picture(bytes);
    const period = this.periodNow(claim);
    return { ...sealPicture(period, eventId, bytes), periodId: period.context.periodId };
  }

  /** Returns the period that this process has for the current claim, which is made first if it has to be. */
  private periodNow(claim: Verified<AnyClaim>): Period {
    let { period } = this;
    const isGood =
      period !== null &&
      equal(period.context.claimHash, claim.hash) &&
      this.outbox.hasPeriod(claim.value.epoch, period.context.periodId);
    if (period === null || !isGood) {
      const { keyRecord, period: next } = newPeriod(this.camera, claim, this.random);
      this.nowMs += 1000;
      const mediaId = this.random.bytes(16);
      this.reportRecord(
        this.outbox.appendKey({ ...keyRecord, mediaId }, claim.hash, this.camera.time(this.nowMs)),
        true,
      );
      this.onKey();
      period = next;
      this.period = next;
    }
    return period;
  }

  private send(records: readonly QueuedRecord[]): void {
    if (records.length === 0) return;
    noteBeforePublish(this.outbox, this.opened.mirror, records);
    this.report({ is: 'published', records: records.map(({ bytes }) => toBase64(bytes)) });
  }

  private reportRecord(record: Verified<AnyRecord> | null, isKey = false): void {
    if (record === null) return;
    const { epoch, seq } = record.value;
    this.report({ is: 'record', epoch, seq, hash: toHex(record.hash), ...(isKey ? { isKey } : {}) });
  }

  private scene(content: Omit<RecordContent, 'time'>): RecordContent {
    this.nowMs += 1000;
    return { ...content, time: this.camera.time(this.nowMs) };
  }

  private below(most: number): number {
    return Math.floor(this.random.uniform() * most);
  }
}

function objectsOf(records: readonly QueuedRecord[]): StoredObject[] {
  return records.flatMap(({ seq, media }) =>
    media.flatMap((item) => {
      return item === null ? [] : [{ seq, header: toBase64(item.header), body: toBase64(item.body) }];
    }),
  );
}
