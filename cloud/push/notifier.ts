import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { Random } from '../../common/random.js';
import type { AnyRecord } from '../../protocol/objects/record.js';
import { FaultLog } from '../alarms/fault-log.js';
import type { ClaimRow, CloudStore, EpochKey, PushSubscription } from '../store/store.js';
import { Backlogs, type Counts } from './backlogs.js';
import { isChosen, storedChoices, type PushChoices, type PushKind } from './choices.js';
import { Delivering, type Delivery, type PushGate, type PushNews, type PushService } from './delivering.js';
import { newMembers, pushKindOf } from './events.js';
import { FRESH_MAX_MS, Freshness } from './freshness.js';
import { Outgoing } from './outgoing.js';
import { SilenceWatch } from './silence.js';

export interface NotifierDependencies {
  readonly store: CloudStore;
  readonly gate: PushGate;
  readonly service: PushService;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly log: Log;
  /** Messages a second of this process. */
  readonly perSecond: number;
  /** The window over which cameras spread what all of them do at once. */
  readonly windowMs: () => number;
  readonly isReceiving: () => boolean;
}

/** An event of which the recipients are not looked up yet. */
interface PushEvent extends EpochKey {
  readonly seq: number;
  readonly kind: PushKind;
  readonly bornMs: number;
}

const EVENTS_MAX = 10_000;
/** Events whose recipients are looked up side by side. */
const LOOKUPS_MAX = 4;
/** What is spread and not urgent waits for a service no longer than this. */
const PATIENT_MAX_MS = 3_600_000;

/**
 * From a stored record to the browsers that want to know: at once for what has just happened, one summary for what a camera
 * brings late, and word of a camera that fell silent. Ingest never waits for any of it.
 */
export class Notifier {
  private readonly deps: NotifierDependencies;
  private readonly faults: FaultLog;
  private readonly freshness = new Freshness();
  private readonly events: PushEvent[] = [];
  private readonly outgoing: Outgoing<Delivery>;
  private readonly backlogs: Backlogs;
  private readonly silence: SilenceWatch;
  private lookups = 0;

  constructor(deps: NotifierDependencies) {
    this.deps = deps;
    const { clock, store, log, counters, isReceiving } = deps;
    this.faults = new FaultLog(clock, log);
    const delivering = new Delivering(deps);
    this.outgoing = new Outgoing({
      clock,
      perSecond: deps.perSecond,
      send: (delivery) => delivering.deliver(delivery),
      onDropped: (reason) => {
        counters.add(`push.withheld.${reason}`);
      },
    });
    this.backlogs = new Backlogs({
      clock,
      onDue: (at, counts) => {
        this.spread(at, 'summary', (choices) => summaryFor(choices, at, counts));
      },
    });
    this.silence = new SilenceWatch({
      store,
      clock,
      log,
      isReceiving,
      onSilent: (at, sinceMs) => {
        this.spread(at, 'silent', (choices) =>
          isChosen(choices, at.device, 'silent') ? { type: 'silent', sinceMs } : null,
        );
      },
      onOutage: (cameras) => {
        counters.add('push.withheld.outage', cameras);
        log.warn({ cameras }, 'most cameras are silent at once; nobody is notified, as the cloud may be cut off');
      },
    });
  }

  /** Messages and events that wait. */
  get queued(): number {
    return this.outgoing.size + this.events.length;
  }

  start(): void {
    this.silence.start();
  }

  stop(): void {
    this.silence.stop();
    this.backlogs.stop();
    this.outgoing.stop();
    this.events.length = 0;
    this.deps.service.transport.close();
  }

  /** Notes a record that was stored for the first time. Returns at once. */
  noteStored({ device, epoch, seq, time, ...rest }: AnyRecord, receivedAtMs: number): void {
    const { clock, counters } = this.deps;
    const bornMs = clock.monotonicMs();
    this.silence.hear(device);
    const isFresh = this.freshness.isFresh(device, time, receivedAtMs, bornMs);
    const kind = pushKindOf({ device, epoch, seq, time, ...rest });
    if (kind === null) return;
    if (!isFresh) {
      counters.add('push.withheld.late');
      // Of an accept it is not known yet whether it tells anything.
      if (kind !== 'member' && !this.backlogs.add({ device, epoch }, kind)) counters.add('push.withheld.queue-full');
      return;
    }
    if (this.events.length >= EVENTS_MAX) {
      counters.add('push.withheld.queue-full');
      return;
    }
    this.events.push({ device, epoch, seq, kind, bornMs });
    if (this.lookups < LOOKUPS_MAX) void this.lookUpAll();
  }

  private async lookUpAll(): Promise<void> {
    this.lookups++;
    for (let event = this.events.shift(); event !== undefined; event = this.events.shift()) {
      const { device, epoch, seq, kind, bornMs } = event;
      const news: PushNews = { type: 'record', seq };
      await this.queueFor(event, kind, bornMs, 0, (choices) => (isChosen(choices, device, kind) ? news : null)).catch(
        (error: unknown) => {
          this.noteFault({ device, epoch }, error);
        },
      );
    }
    this.lookups--;
  }

  /** Queues what is not urgent, spread over the window. */
  private spread(at: EpochKey, topic: 'summary' | 'silent', newsFor: (choices: PushChoices) => PushNews | null): void {
    const { clock, random, windowMs } = this.deps;
    const delayMs = random.uniform() * windowMs();
    this.queueFor(at, topic, clock.monotonicMs(), delayMs, newsFor).catch((error: unknown) => {
      this.noteFault(at, error);
    });
  }

  private async queueFor(
    at: EpochKey,
    kind: PushKind | 'summary',
    bornMs: number,
    delayMs: number,
    newsFor: (choices: PushChoices) => PushNews | null,
  ): Promise<void> {
    const { store, service, counters } = this.deps;
    const { device, epoch } = at;
    const row = await store.claims.row(device, epoch);
    const keys = row === undefined ? [] : await this.keysToTell(row, kind);
    if (keys.length === 0) return;
    const untilMs = bornMs + (delayMs === 0 ? FRESH_MAX_MS : delayMs + PATIENT_MAX_MS);
    for (const subscription of await store.push.ofKeys(keys)) {
      const choices = storedChoices(subscription.choices);
      const news = choices === null ? null : newsFor(choices);
      const host = hostOf(subscription);
      if (news === null || host === null) {
        counters.add('push.withheld.choice');
        continue;
      }
      const name = toHex(subscription.id);
      const topic = service.topicOf(subscription.id, device, kind);
      this.outgoing.add(
        { id: subscription.id, name, host, topic, device, epoch, kind, news, bornMs, untilMs },
        delayMs,
      );
    }
  }

  /** Returns the keys that the signed claim of a row names. Whether each may still read is asked when it is sent to. */
  private async keysToTell(row: ClaimRow, kind: PushKind | 'summary'): Promise<readonly Uint8Array[]> {
    const { gate, store } = this.deps;
    const claim = gate.claimOf(row);
    const keys = claim?.recipients.map(({ ed25519 }) => ed25519) ?? [];
    if (claim === null || kind !== 'member') return keys;
    const before = row.epoch === 1 ? undefined : await store.claims.row(row.device, row.epoch - 1);
    const added = newMembers(claim, before === undefined ? null : gate.claimOf(before));
    return added.length === 0 ? [] : keys.filter((key) => !added.some((other) => equal(other, key)));
  }

  private noteFault({ device, epoch }: EpochKey, error: unknown): void {
    const { code, message } = asSealcamError(error);
    this.deps.counters.add('push.failed');
    this.faults.error(code, { device: toHex(device), epoch }, `nobody could be notified: ${message}`);
  }
}

/** Returns the summary that one browser wants of a backlog; null where nothing in it is of a kind that it chose. */
function summaryFor(choices: PushChoices, { device }: EpochKey, counts: Counts): PushNews | null {
  let count = 0;
  for (const [kind, of] of counts) if (isChosen(choices, device, kind)) count += of;
  return count === 0 ? null : { type: 'summary', count };
}

function hostOf({ endpoint }: PushSubscription): string | null {
  try {
    return new URL(endpoint).host;
  } catch {
    return null;
  }
}
