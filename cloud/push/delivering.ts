import { utf8 } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, isSealcamError } from '../../common/errors.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite } from '../../protocol/crypto/suite.js';
import type { AnyClaim } from '../../protocol/objects/claim.js';
import { encodeNotice, type Notice } from '../../protocol/transport/notice.js';
import { FaultLog } from '../alarms/fault-log.js';
import type { ClaimRow, CloudStore, EpochKey, PushSubscription } from '../store/store.js';
import { isChosen, isQuiet, storedChoices, type PushKind } from './choices.js';
import type { Queued, Sent } from './outgoing.js';
import type { PushTransport } from './transport.js';
import { pushRequest, type PushOptions, type PushSender } from './web-push.js';

/** Decides, as each read does, who may see what at this moment. The API's reader implements it. */
export interface PushGate {
  /** Returns the signed claim inside a row; null unless it verifies and is that of the row's epoch. */
  claimOf(row: ClaimRow): AnyClaim | null;
  /**
   * Returns the row of an epoch that this key may read now, and whose camera still names the key.
   *
   * @throws SealcamError `not-found`, `reads-paused`, `account-marked`, `revocation-stale`, `store-unavailable`
   */
  rowForPush(key: Uint8Array, device: Uint8Array, epoch: number): Promise<ClaimRow>;
  /**
   * Returns a record, verified again, with its picture where that fits, and writes the access log.
   *
   * @throws SealcamError `not-found`, `reads-paused`, `revocation-stale`, `store-unavailable`
   */
  noticeOf(key: Uint8Array, row: ClaimRow, seq: number): Promise<Notice>;
}

/** Everything that speaks with push services. */
export interface PushService {
  readonly sender: PushSender;
  readonly transport: PushTransport;
  /** Returns the topic of what this subscription receives about a camera: it tells the push service no camera. */
  readonly topicOf: (subscription: Uint8Array, device: Uint8Array, kind: string) => string;
}

export type PushNews =
  | { readonly type: 'record'; readonly seq: number }
  | { readonly type: 'summary'; readonly count: number }
  | { readonly type: 'silent'; readonly sinceMs: number };

export interface Delivery extends Queued, EpochKey {
  /** Of the subscription. */
  readonly id: Uint8Array;
  readonly kind: PushKind | 'summary';
  readonly news: PushNews;
  /** When it became known, on the monotonic clock. */
  readonly bornMs: number;
}

export interface DeliveringDependencies {
  readonly store: CloudStore;
  readonly gate: PushGate;
  readonly service: PushService;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

const HOUR_S = 3600;
/** What a phone that was off still receives later. Motion of hours ago is in the list when the page opens. */
const OPTIONS: Readonly<Record<Delivery['kind'], Omit<PushOptions, 'topic'>>> = {
  motion: { ttlS: HOUR_S, urgency: 'high' },
  look: { ttlS: HOUR_S, urgency: 'high' },
  tamper: { ttlS: 24 * HOUR_S, urgency: 'high' },
  loss: { ttlS: 24 * HOUR_S, urgency: 'normal' },
  silent: { ttlS: 24 * HOUR_S, urgency: 'normal' },
  member: { ttlS: 24 * HOUR_S, urgency: 'normal' },
  summary: { ttlS: 24 * HOUR_S, urgency: 'normal' },
};
const NO: Sent = { again: 'no' };
const RETRY_AFTER_MS = 30_000;
/** A row of the store is written at most so often for messages that come through. */
const NOTE_OK_INTERVAL_MS = 3_600_000;

/** Sends one message: asks again whether its reader may see it, seals it for the browser, and notes what became of it. */
export class Delivering {
  private readonly deps: DeliveringDependencies;
  private readonly faults: FaultLog;

  constructor(deps: DeliveringDependencies) {
    this.deps = deps;
    this.faults = new FaultLog(deps.clock, deps.log);
  }

  /** Never rejects. */
  async deliver(delivery: Delivery): Promise<Sent> {
    try {
      const subscription = await this.deps.store.push.find(delivery.id);
      const notice = subscription === undefined ? null : await this.noticeFor(subscription, delivery);
      return subscription === undefined || notice === null ? NO : await this.send(subscription, delivery, notice);
    } catch (error) {
      return this.noteRefusal(error);
    }
  }

  /** Returns what may be sent now; null, after it was counted, where nothing may. */
  private async noticeFor(subscription: PushSubscription, delivery: Delivery): Promise<Notice | null> {
    const { gate, clock, counters } = this.deps;
    const { device, epoch, kind, news } = delivery;
    const choices = storedChoices(subscription.choices);
    if (choices === null || (kind !== 'summary' && !isChosen(choices, device, kind))) {
      counters.add('push.withheld.choice');
      return null;
    }
    if (isQuiet(choices, clock.wallMs())) {
      counters.add('push.withheld.quiet');
      return null;
    }
    const row = await gate.rowForPush(subscription.key, device, epoch);
    if (news.type === 'record') return gate.noticeOf(subscription.key, row, news.seq);
    return news.type === 'summary'
      ? { type: 'summary', device, count: news.count }
      : { type: 'silent', device, sinceMs: news.sinceMs };
  }

  private async send(subscription: PushSubscription, delivery: Delivery, notice: Notice): Promise<Sent> {
    const { store, service, clock, counters } = this.deps;
    const { id } = subscription;
    const { sender, transport } = service;
    const request = pushRequest(subscription, encodeNotice(notice), sender, {
      ...OPTIONS[delivery.kind],
      topic: delivery.topic,
    });
    const nowMs = clock.wallMs();
    let status: number;
    let retryAfterMs: number | null = null;
    try {
      ({ status, retryAfterMs } = await transport.send(subscription.endpoint, request, nowMs));
    } catch (error) {
      if (isSealcamError(error)) throw error;
      // The message of a fault names the host, and nothing of the path, which is the browser's secret.
      this.faults.error(
        'push.unreachable',
        { service: delivery.host },
        'a push service does not answer',
        delivery.host,
      );
      status = 0;
    }
    if (status >= 200 && status < 300) {
      counters.add('push.sent');
      counters.observe('push.delay', (clock.monotonicMs() - delivery.bornMs) / 1000);
      const { lastOkMs, failingSinceMs } = subscription;
      const isNoted = lastOkMs !== null && failingSinceMs === null && nowMs - lastOkMs < NOTE_OK_INTERVAL_MS;
      if (!isNoted) await store.push.noteSent(id, nowMs);
      return NO;
    }
    if (status === 404 || status === 410) {
      counters.add('push.gone');
      await store.push.remove(subscription.key, id);
      return NO;
    }
    counters.add('push.failed');
    await store.push.noteFailed(id, nowMs);
    if (status === 429) return { again: 'subscription', afterMs: retryAfterMs ?? RETRY_AFTER_MS };
    // Also where there was no answer: others of the same service would wait for one too.
    return status === 0 || status >= 500 ? { again: 'host', afterMs: retryAfterMs ?? RETRY_AFTER_MS } : NO;
  }

  private noteRefusal(error: unknown): Sent {
    const { code, message } = asSealcamError(error);
    const { counters } = this.deps;
    if (code === 'not-found' || code === 'account-marked') counters.add('push.withheld.no-right');
    else if (code === 'reads-paused' || code === 'revocation-stale') counters.add('push.withheld.paused');
    else if (code === 'request-invalid') counters.add('push.withheld.service');
    else {
      counters.add('push.failed');
      this.faults.error(code, {}, `a notification could not be sent: ${message}`);
    }
    return NO;
  }
}

/** Returns what makes topics: without the secret nobody can tell of which camera one is. */
export function topicMaker(suite: CryptoSuite, secret: Uint8Array): PushService['topicOf'] {
  const key = suite.hmacSha256(secret, utf8('sealcam/push/topic'));
  const TOPIC_BYTES = 24;
  return (subscription, device, kind) => {
    const about = new Uint8Array([...subscription, ...device, ...utf8(kind)]);
    return Buffer.from(suite.hmacSha256(key, about)).subarray(0, TOPIC_BYTES).toString('base64url');
  };
}
