import { Readable } from 'node:stream';
import { fromHex, toHex } from '../../../common/bytes.js';
import type { Clock } from '../../../common/clock.js';
import { Counters } from '../../../common/counters.js';
import type { ErrorCode } from '../../../common/error-codes.js';
import { asSealcamError, SealcamError } from '../../../common/errors.js';
import { silentLog } from '../../../common/log.js';
import type { UploadAnswer } from '../../../agent/upload/put.js';
import { Uploads } from '../../../cloud/api/uploads.js';
import { Ingest, type CameraMessage } from '../../../cloud/ingest/ingest.js';
import { Lanes } from '../../../cloud/ingest/lanes.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import { Bodies } from '../../../cloud/main/bodies.js';
import type { MediaStore } from '../../../cloud/media/media-store.js';
import type { CloudStore, SegmentKey, SegmentState } from '../../../cloud/store/store.js';
import { noMakerList } from '../../../cloud/trust/maker-list.js';
import { ReceiptSigners } from '../../../cloud/trust/receipt-signers.js';
import type { Random } from '../../../common/random.js';
import { simSuite } from './suite.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import { epochKey } from '../../../protocol/objects/ids.js';
import type { SimBroker } from './broker.js';
import { MemoryMediaStore, MemoryStaging } from './memory-media.js';
import type { Scheduler } from './scheduler.js';
import type { Trace } from './trace.js';
import type { Dice, Weather } from './weather.js';

export interface CloudDependencies {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly dice: Dice;
  readonly weather: () => Weather;
  readonly broker: SimBroker;
  readonly receiptSigner: Signer;
  /** Protocol versions that it announces to cameras. */
  readonly versions: readonly number[];
  /** What the cloud sends to cameras: the interval between two records of a backlog, and the window. */
  readonly pacing: { readonly drainIntervalMs: number; readonly windowMs: number };
  /** Wraps the store that ingest sees; a planted bug sits here. */
  readonly wrapStore: (store: CloudStore) => CloudStore;
  readonly wrapMedia: (store: MediaStore) => MediaStore;
  /** Of its uploads. */
  readonly random: Random;
  /** Bytes of stored bodies of one camera. */
  readonly quotaBytes: number;
}

const WALL_START_MS = Date.UTC(2026, 10, 21, 12);

/** HTTP statuses of the API, as far as uploads meet them. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'not-found': 404,
  malformed: 400,
  'rate-limited': 429,
  'store-unavailable': 503,
};
const EXPIRED_AT_ONCE = 1000;

/** The real ingest and the real uploads on the real SQLite store. The process can be killed and started; the store survives it. */
export class SimCloud {
  /** The durable part, which the oracle reads without faults. */
  readonly store: CloudStore = openSqliteStore(':memory:');
  readonly media: MediaStore;
  readonly counters = new Counters();
  /** Segments that their age took, and what had come of them before. By {@link segmentName}. */
  readonly expired = new Map<string, SegmentState>();
  /** Null while the process is dead. */
  private uploads: Uploads | null = null;
  /** The last receipt, for answers that are crossed. */
  private lastAnswer: UploadAnswer | null = null;
  private readonly staging: MemoryStaging;
  private readonly deps: CloudDependencies;
  private generation = 0;
  private wallOffsetMs = 0;

  constructor(deps: CloudDependencies) {
    this.deps = deps;
    const { scheduler, random } = deps;
    const clock: Clock = { monotonicMs: () => scheduler.nowMs, wallMs: () => this.wallMs, after: scheduler.after };
    this.staging = new MemoryStaging({ clock, random });
    this.media = new MemoryMediaStore(this.staging);
    this.start();
  }

  get wallMs(): number {
    return Math.round(WALL_START_MS + this.deps.scheduler.nowMs + this.wallOffsetMs);
  }

  setWall(byMs: number): void {
    this.wallOffsetMs += byMs;
  }

  /** Kills the process: calls that have not returned never do. */
  kill(): void {
    this.deps.trace.add('cloud', 'dies');
    this.generation++;
    this.deps.broker.attachCloud(null);
    this.uploads = null;
  }

  /** Takes a body, as the API does. @throws SealcamError `cloud-unreachable` while the process is dead */
  async receive(path: string, body: Uint8Array): Promise<UploadAnswer> {
    const { uploads, deps } = this;
    if (uploads === null) throw new SealcamError('cloud-unreachable', 'simulated');
    const isCrossed = deps.dice.chance(deps.weather().crossDown);
    try {
      const receipt = await uploads.receive({
        key: keyIn(path),
        length: body.length,
        address: '192.0.2.1',
        body: Readable.from([Buffer.from(body)]),
        proceed: () => undefined,
      });
      const answer = { status: 200, receipt, retryAfterMs: undefined };
      const crossed = isCrossed ? this.lastAnswer : null;
      this.lastAnswer = answer;
      deps.trace.add('cloud', `answers an upload${crossed === null ? '' : ' with the receipt of another'}`);
      return crossed ?? answer;
    } catch (error) {
      const { code } = asSealcamError(error);
      if (code === 'internal') throw error;
      deps.trace.add('cloud', `refuses an upload: ${code}`);
      return { status: STATUS[code] ?? 500, receipt: null, retryAfterMs: undefined };
    }
  }

  /** Deletes the clips that came more than this long ago, and removes bodies that nothing needs. */
  async expire(periodMs: number, made: readonly SegmentKey[]): Promise<void> {
    const { segments } = this.store;
    const before = await Promise.all(made.map((key) => segments.find(key)));
    const bodies = new Bodies({ segments, bodies: this.media, periodMs });
    await bodies.expire(this.wallMs, this.wallMs, EXPIRED_AT_ONCE);
    await bodies.removeDiscarded(this.wallMs, EXPIRED_AT_ONCE);
    for (const [i, key] of made.entries()) {
      const state = before[i]?.state;
      if (state === undefined || state === 'deleted') continue;
      if ((await segments.find(key))?.state !== 'deleted') continue;
      this.expired.set(segmentName(key), state);
    }
    this.deps.trace.add('cloud', `clips expire: ${String(this.expired.size)} segments so far`);
  }

  start(): void {
    const { scheduler, trace, broker, receiptSigner, versions, pacing, wrapStore, wrapMedia, quotaBytes } = this.deps;
    const generation = ++this.generation;
    const isAlive = (): boolean => this.generation === generation;
    const clock: Clock = {
      monotonicMs: () => scheduler.nowMs,
      wallMs: () => this.wallMs,
      after: scheduler.after,
    };
    const store = wrapStore(this.faulty(isAlive));
    const common = { store, suite: simSuite, clock, counters: this.counters, log: silentLog };
    this.uploads = new Uploads({
      ...common,
      media: { staging: this.staging, store: wrapMedia(this.failing(isAlive, this.media)) },
      signers: new ReceiptSigners(simSuite, [receiptSigner]),
      makerList: noMakerList(common),
      quota: { cameraBytes: quotaBytes, accountBytes: Number.MAX_SAFE_INTEGER },
    });
    const ingest = new Ingest({
      ...common,
      receiptSigner,
      versions,
      onStatus: () => undefined,
      pacing: () => ({ ...pacing, issuedAtMs: this.wallMs }),
      publish: (topic, payload) => {
        if (isAlive()) broker.publishDown(topic, payload);
      },
      onStored: (id, { value }) => {
        if (isAlive())
          trace.add('cloud', `stored ${String(id)}: ${value.kind} ${String(value.epoch)}/${String(value.seq)}`);
      },
    });
    const lanes = new Lanes<CameraMessage>((messages) => ingest.handleMessages(messages), clock);
    broker.attachCloud((topic, payload) => {
      lanes.run(topic, payload.length, { topic, payload });
    });
  }

  /** Returns the store as one process sees it: slow and failing. A call that failed may have done its work. */
  private faulty(isAlive: () => boolean): CloudStore {
    const part = <T extends object>(target: T): T => this.failing(isAlive, target);
    const { claims, records, segments, quarantine, alarms, revocations } = this.store;
    return {
      ...this.store,
      claims: part(claims),
      records: part(records),
      segments: part(segments),
      quarantine: part(quarantine),
      alarms: part(alarms),
      revocations: part(revocations),
      close: () => this.store.close(),
    };
  }

  private failing<T extends object>(isAlive: () => boolean, target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const found: unknown = Reflect.get(object, name);
        if (typeof found !== 'function') return found;
        return (...args: unknown[]): unknown =>
          this.call(isAlive, () => Reflect.apply(found, object, args) as Promise<unknown>);
      },
    });
  }

  private async call(isAlive: () => boolean, work: () => Promise<unknown>): Promise<unknown> {
    const { scheduler, dice, weather } = this.deps;
    const isFailing = dice.chance(weather().storeFails);
    const hasHappened = dice.chance(0.3);
    await scheduler.sleep(dice.between(0, weather().storeMs));
    if (!isAlive()) return never();
    if (isFailing && !hasHappened) throw new SealcamError('store-unavailable', 'simulated');
    const result = await work();
    await scheduler.sleep(dice.between(0, weather().storeMs));
    if (!isAlive()) return never();
    // Committed, but the answer was lost: the caller must not count it as done.
    if (isFailing) throw new SealcamError('store-unavailable', 'simulated, after the work was done');
    return result;
  }
}

/** Names a segment by camera, epoch and hash. */
export function segmentName({ device, epoch, bodyHash }: SegmentKey): string {
  return `${epochKey(device, epoch)}/${toHex(bodyHash)}`;
}

function keyIn(path: string): SegmentKey {
  const [device = '', epoch = '', hash = ''] = path.split('/').slice(3);
  const [id, bodyHash] = [fromHex(device, 32), fromHex(hash, 32)];
  if (id === undefined || bodyHash === undefined) throw new Error(`not the path of a body: ${path}`);
  return { device: id, epoch: Number(epoch), bodyHash };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
