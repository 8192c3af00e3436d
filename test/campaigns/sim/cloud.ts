import type { Clock } from '../../../common/clock.js';
import { Counters } from '../../../common/counters.js';
import { SealcamError } from '../../../common/errors.js';
import { silentLog } from '../../../common/log.js';
import { Ingest, type CameraMessage } from '../../../cloud/ingest/ingest.js';
import { Lanes } from '../../../cloud/ingest/lanes.js';
import { openSqliteStore } from '../../../cloud/store/sqlite/sqlite-store.js';
import type { CloudStore } from '../../../cloud/store/store.js';
import { simSuite } from './suite.js';
import type { Signer } from '../../../protocol/crypto/suite.js';
import type { SimBroker } from './broker.js';
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
}

const WALL_START_MS = Date.UTC(2026, 10, 21, 12);

/** The real ingest on the real SQLite store. The process can be killed and started; the store survives it. */
export class SimCloud {
  /** The durable part, which the oracle reads without faults. */
  readonly store: CloudStore = openSqliteStore(':memory:');
  readonly counters = new Counters();
  private readonly deps: CloudDependencies;
  private generation = 0;
  private wallOffsetMs = 0;

  constructor(deps: CloudDependencies) {
    this.deps = deps;
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
  }

  start(): void {
    const { scheduler, trace, broker, receiptSigner, versions, pacing, wrapStore } = this.deps;
    const generation = ++this.generation;
    const isAlive = (): boolean => this.generation === generation;
    const clock: Clock = {
      monotonicMs: () => scheduler.nowMs,
      wallMs: () => this.wallMs,
      after: scheduler.after,
    };
    const ingest = new Ingest({
      store: wrapStore(this.faulty(isAlive)),
      suite: simSuite,
      receiptSigner,
      versions,
      clock,
      counters: this.counters,
      log: silentLog,
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
    const part = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (object, name) => {
          const found: unknown = Reflect.get(object, name);
          if (typeof found !== 'function') return found;
          return (...args: unknown[]): unknown =>
            this.call(isAlive, () => Reflect.apply(found, object, args) as Promise<unknown>);
        },
      });
    const { claims, records, quarantine, alarms, revocations } = this.store;
    return {
      ...this.store,
      claims: part(claims),
      records: part(records),
      quarantine: part(quarantine),
      alarms: part(alarms),
      revocations: part(revocations),
      close: () => this.store.close(),
    };
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

function never(): Promise<never> {
  return new Promise(() => undefined);
}
