import type { Clock } from '../../../common/clock.js';
import { Counters } from '../../../common/counters.js';
import { SealcamError } from '../../../common/errors.js';
import { silentLog } from '../../../common/log.js';
import { Ingest } from '../../../cloud/ingest/ingest.js';
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
  /** Between two records of a camera's backlog, and the window; what the cloud tells its cameras. */
  readonly pacing: { readonly drainIntervalMs: number; readonly windowMs: number };
  /** Between ingest and the network that is simulated: a planted bug sits here. */
  readonly wrapStore: (store: CloudStore) => CloudStore;
}

const WALL_START_MS = Date.UTC(2026, 10, 21, 12);
const WAITING_MAX = 4096;

/** The real ingest on the real SQLite store, which outlives it; the process between them is restarted at will. */
export class SimCloud {
  /** The durable part; the oracle looks here, and no fault does. */
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

  /** The process dies: what it had in hand is gone, wherever it was. */
  kill(): void {
    this.deps.trace.add('cloud', 'dies');
    this.generation++;
    this.deps.broker.attachCloud(null);
  }

  start(): void {
    const { scheduler, trace, broker, receiptSigner, pacing, wrapStore } = this.deps;
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
    const lanes = new Lanes(WAITING_MAX);
    broker.attachCloud((topic, payload) => {
      lanes.run(topic, () => ingest.handleMessage(topic, payload));
    });
  }

  /** The store as one process sees it: slow, failing, and gone with it. A call that was made may or may not have happened. */
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
    const { claims, records, access, quarantine, alarms, revocations, reads, accounts } = this.store;
    return {
      claims: part(claims),
      records: part(records),
      quarantine: part(quarantine),
      alarms: part(alarms),
      revocations: part(revocations),
      access,
      reads,
      accounts,
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
    // Committed, but the answer was lost: whoever asked must not take it for done.
    if (isFailing) throw new SealcamError('store-unavailable', 'simulated, after the work was done');
    return result;
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
