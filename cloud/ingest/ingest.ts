import { equal, toHex } from '../../common/bytes.js';
import type { Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { anyClaimKind } from '../../protocol/objects/claim.js';
import { openOffers } from '../../protocol/objects/offer.js';
import type { RecordTime, AnyRecord } from '../../protocol/objects/record.js';
import type { Pacing } from '../../protocol/objects/receipt.js';
import { openSigned, versionOf, type Verified } from '../../protocol/objects/signed-object.js';
import {
  decodeStatus,
  decodeUp,
  encodeDown,
  type DownMessage,
  type SentRecord,
  type UpMessage,
} from '../../protocol/transport/messages.js';
import { parseTopic, topicOf } from '../../protocol/transport/topics.js';
import { FaultLog } from '../alarms/fault-log.js';
import { Refusals } from '../alarms/refusals.js';
import { countRefused } from '../alarms/shares.js';
import type { ClaimRow, CloudStore, PendingClaim } from '../store/store.js';
import { noMakerList, type MakerList } from '../trust/maker-list.js';
import { ReceiptSigners } from '../trust/receipt-signers.js';
import { ClaimWait } from './claim-wait.js';
import { EarlyStatus } from './early-status.js';
import { Greetings } from './greetings.js';
import {
  headOf,
  isLastOfEpoch,
  judgeAccept,
  judgeRevoked,
  openRecord,
  REVOKED_BY_MAKER,
  storeRecord,
  type Judgement,
  type SentRecordState,
} from './judge.js';
import { makeReceipt, type ReceiptedEpoch, type ReceiptEntry } from '../trust/receipts.js';

export interface IngestDependencies {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  /** The current receipt key, which new claims name. */
  readonly receiptSigner: Signer;
  /** For claims that do not name the current key, in order of preference. */
  readonly otherReceiptSigners?: readonly Signer[];
  readonly clock: Clock;
  /** Omitted where records are received at the time of `clock`. */
  readonly receiveTimes?: ReceiveTimes;
  readonly counters: Counters;
  readonly log: Log;
  /** Omitted where no maker's key is configured; devices that a list named before stay revoked. */
  readonly makerList?: MakerList;
  readonly publish: (topic: string, payload: Uint8Array) => void;
  /** Called when a record was stored for the first time. */
  readonly onStored: (id: number, record: Verified<AnyRecord>, receivedAtMs: number) => void;
  readonly onStatus: (device: Uint8Array) => void;
  /** Whether other workers handle messages of the same cameras: a record may then arrive before its epoch's accept is stored. */
  readonly isSharing?: boolean;
  /** Returns the pacing that receipts carry; null leaves it out. */
  readonly pacing: () => Pacing | null;
  /** Protocol versions that cameras receive in a hello; omitted, none receives one. */
  readonly versions?: readonly number[];
  /** Resolves in a later turn of the event loop. Omitted, all records of a message may be handled in one. */
  readonly nextTurn?: () => Promise<void>;
}

/** The times of receipt, by which records are deleted later. A wall clock alone will not do: see DeletionClock. */
export interface ReceiveTimes {
  receiveTimeMs(): number;
  /** Notes the signed time of a record that is new. */
  observe(device: Uint8Array, time: RecordTime): void;
}

export interface CameraMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** A record and the message in which it came. */
interface SentIn {
  readonly device: Uint8Array;
  readonly sent: SentRecord;
  readonly message: CameraMessage;
}

interface Judged {
  readonly judgement: Judgement;
  /** The record as it was sent, for the quarantine. */
  readonly bytes: Uint8Array;
}

/**
 * Turns an MQTT message into stored records and a signed receipt. Where claim or store are in doubt there is no receipt,
 * and the camera sends again. No method rejects.
 */
export class Ingest {
  private readonly deps: IngestDependencies;
  private readonly refusals: Refusals;
  private readonly makerList: MakerList;
  private readonly signers: ReceiptSigners;
  private readonly faults: FaultLog;
  private readonly receiveTimes: ReceiveTimes;
  private readonly earlyStatus = new EarlyStatus();
  private readonly greetings: Greetings;
  private readonly claimWait: ClaimWait;

  constructor(deps: IngestDependencies) {
    this.deps = deps;
    this.refusals = new Refusals(deps);
    this.faults = new FaultLog(deps.clock, deps.log);
    this.greetings = new Greetings(deps.clock);
    this.claimWait = new ClaimWait(deps);
    this.signers = new ReceiptSigners(deps.suite, [deps.receiptSigner, ...(deps.otherReceiptSigners ?? [])]);
    this.makerList = deps.makerList ?? noMakerList(deps);
    this.receiveTimes = deps.receiveTimes ?? {
      receiveTimeMs: () => deps.clock.wallMs(),
      observe: () => undefined,
    };
  }

  /** Handles one message of a camera. */
  handleMessage(topic: string, payload: Uint8Array): Promise<void> {
    return this.handleMessages([{ topic, payload }]);
  }

  /** Handles messages of one camera in order. Records that follow each other share a receipt. */
  async handleMessages(messages: readonly CameraMessage[]): Promise<void> {
    let waiting: SentIn[] = [];
    for (const message of messages) {
      const { topic, payload } = message;
      let device: Uint8Array | null = null;
      try {
        const parsed = parseTopic(topic);
        device = parsed.device;
        if (payload.length > LIMITS.messageMaxBytes) throw new SealcamError('malformed', 'a message over 128 KiB');
        if (parsed.leaf === 'status') await this.handleStatus(device, payload);
        if (parsed.leaf !== 'up') continue;
        const up = decodeUp(payload);
        this.greet(device, 'up');
        if (up.type === 'records') {
          for (const sent of up.records) waiting.push({ device, sent, message });
          continue;
        }
        const before = waiting;
        waiting = [];
        await this.handleRecords(before);
        await this.handleUplink(device, up, payload);
      } catch (error) {
        await this.recordFailure(device, payload, error);
      }
    }
    await this.handleRecords(waiting);
  }

  /**
   * Stores a claim with the accept that its camera signed, handed in by the owner: a cloud that was restored from a back-up
   * may have lost both. The camera gets its receipt, as if it had sent the accept itself.
   *
   * @throws SealcamError `foreign`, `malformed`, `bad-signature`, `claim-refused`, `kem-key`, `store-unavailable`
   */
  async handInAccept(
    device: Uint8Array,
    claim: Uint8Array,
    record: Uint8Array,
    kemKeys?: readonly Uint8Array[],
  ): Promise<void> {
    const { store, suite, clock } = this.deps;
    const nowMs = clock.wallMs();
    if (await this.makerList.isRevoked(device)) throw new SealcamError('claim-refused', REVOKED_BY_MAKER);
    if (this.signers.forClaim(openSigned(anyClaimKind, suite, claim).hash, claim) === null) {
      throw new SealcamError('claim-refused', 'the claim names none of our receipt keys', {
        hint: 'Change the members of the camera, or claim it again: a new claim names them.',
      });
    }
    const judgement = await judgeAccept({ store, suite, device, claim, record, kemKeys, nowMs });
    if (judgement.type === 'refused') throw new SealcamError('claim-refused', judgement.reason);
    await this.sendReceipts(device, [{ judgement, bytes: record }], nowMs);
  }

  private async handleStatus(device: Uint8Array, payload: Uint8Array): Promise<void> {
    const { online, agent } = decodeStatus(payload);
    const status = { online, agent, atMs: this.deps.clock.wallMs() };
    this.greet(device, online ? 'online' : 'offline');
    // Storing hints of unclaimed cameras would let anyone fill the table.
    this.earlyStatus.put(device, status);
    if ((await this.deps.store.claims.latest(device)) === undefined) return;
    await this.storeEarlyStatus(device);
  }

  /** Tells a camera that has just come, or may not know it, which versions this cloud takes. */
  private greet(device: Uint8Array, seen: Parameters<Greetings['isDue']>[1]): void {
    const { versions } = this.deps;
    if (versions === undefined || versions.length < 2 || !this.greetings.isDue(device, seen)) return;
    this.deps.counters.add('down.hello');
    this.publishDown(device, { type: 'hello', versions });
  }

  /** Stores what a camera's last will or greeting said before there was a claim of it. */
  private async storeEarlyStatus(device: Uint8Array): Promise<void> {
    const status = this.earlyStatus.remove(device);
    if (status === undefined) return;
    await this.deps.store.records.setStatus(device, status);
    this.deps.onStatus(device);
  }

  private async handleUplink(
    device: Uint8Array,
    message: Exclude<UpMessage, { readonly type: 'records' }>,
    payload: Uint8Array,
  ): Promise<void> {
    const { store, suite, clock } = this.deps;
    const nowMs = this.receiveTimes.receiveTimeMs();
    if (await this.makerList.isRevoked(device)) {
      await this.refuse(device, 'revoked', REVOKED_BY_MAKER, payload);
      return;
    }
    if (message.type === 'offer') {
      // The claim route compares the offer's time with the wall clock, within minutes.
      await this.handleOffer(device, message, clock.wallMs());
      return;
    }
    const { claim, record } = message;
    const judgement = await judgeAccept({ store, suite, device, claim, record, nowMs });
    await this.sendReceipts(device, [{ judgement, bytes: record }], nowMs);
    if (judgement.type === 'stored') await this.storeEarlyStatus(device);
  }

  /** Judges records of one camera. A record whose storing fails is not receipted, and fails no other. */
  private async handleRecords(records: readonly SentIn[]): Promise<void> {
    const [first] = records;
    if (first === undefined) return;
    const { device } = first;
    const nowMs = this.receiveTimes.receiveTimeMs();
    const judged: Judged[] = [];
    const failures = new Map<CameraMessage, unknown>();
    try {
      for (const [i, result] of (await this.judgeAll(device, records, nowMs)).entries()) {
        const { sent, message } = records[i] ?? first;
        if (result.status === 'rejected') failures.set(message, result.reason);
        else judged.push({ judgement: result.value, bytes: sent.record });
      }
      await this.sendReceipts(device, judged, nowMs);
    } catch (error) {
      for (const { message } of records) failures.set(message, error);
    }
    for (const [{ payload }, error] of failures) await this.recordFailure(device, payload, error);
  }

  private async judgeAll(
    device: Uint8Array,
    records: readonly SentIn[],
    nowMs: number,
  ): Promise<readonly PromiseSettledResult<Judgement>[]> {
    const { store, suite, isSharing = false } = this.deps;
    await this.makerList.check();
    const isRevoked = this.makerList.names(device);
    const waits = new Map<number, Promise<ClaimRow | undefined>>();
    const waitForClaim = (epoch: number): Promise<ClaimRow | undefined> => {
      const wait = waits.get(epoch) ?? this.claimWait.row(device, epoch);
      waits.set(epoch, wait);
      return wait;
    };
    const opened: { readonly sent: SentRecord; readonly state: SentRecordState }[] = [];
    for (const { sent } of records) {
      // A message has up to 16 records. Others' messages are read between two of them.
      if (opened.length > 0) await this.deps.nextTurn?.();
      const state = isRevoked ? judgeRevoked(suite, device, sent) : openRecord({ suite, device, sent });
      opened.push({ sent, state });
    }
    // All of them share a transaction, but what follows the last record of an epoch is judged by the closed row.
    const judging: Promise<PromiseSettledResult<Judgement>>[] = [];
    for (const { sent, state } of opened) {
      const isLast = state.type === 'opened' && isLastOfEpoch(state.record.value);
      const input = { store, suite, device, sent, nowMs, waitForClaim: isSharing ? waitForClaim : undefined };
      judging.push(settled(storeRecord(input, state)));
      if (isLast) await judging.at(-1);
    }
    return Promise.all(judging);
  }

  /** Sends one receipt for each claim among the judged records, and records the refusals. */
  private async sendReceipts(device: Uint8Array, judged: readonly Judged[], nowMs: number): Promise<void> {
    const { counters } = this.deps;
    const receipts = new Map<string, { readonly epoch: ReceiptedEpoch; readonly entries: ReceiptEntry[] }>();
    const addEntry = (epoch: ReceiptedEpoch, entry: ReceiptEntry): void => {
      const key = `${String(epoch.epoch)}/${toHex(epoch.claimHash)}`;
      const receipt = receipts.get(key) ?? { epoch, entries: [] };
      receipt.entries.push(entry);
      receipts.set(key, receipt);
    };
    for (const { judgement, bytes } of judged) {
      if (judgement.type === 'refused') {
        await this.refuse(device, judgement.verdict, judgement.reason, bytes);
        if (judgement.rejected !== null) addEntry(judgement.rejected.epoch, judgement.rejected.entry);
        continue;
      }
      const { record, epoch, id, entry, wrongMedia } = judgement;
      counters.add(id === null ? 'records.duplicate' : 'records.stored');
      if (wrongMedia > 0) await this.refuse(device, 'malformed', 'media that the record does not name', bytes);
      if (entry === null) counters.add('records.media-missing');
      else addEntry(epoch, entry);
      if (id === null) continue;
      this.receiveTimes.observe(device, record.value.time);
      const { wallMs, quality } = record.value.time;
      // Only a camera whose clock the network set can measure how long a record was on its way.
      if (quality === 'ntp' && wallMs !== null) counters.observe('ingest.lag', Math.max(0, nowMs - wallMs) / 1000);
      this.deps.onStored(id, record, nowMs);
    }
    for (const { epoch, entries } of receipts.values()) {
      const hasOther = entries.some((entry) => entry.type === 'rejected' && entry.code === 'equivocation');
      const head = hasOther ? await headOf(this.deps, epoch) : undefined;
      this.sendReceipt(epoch, head === undefined ? entries : [...entries, head]);
    }
  }

  private sendReceipt(epoch: ReceiptedEpoch, entries: readonly ReceiptEntry[]): void {
    const { suite, counters, pacing } = this.deps;
    const signer = this.signers.forClaim(epoch.claimHash, epoch.claim);
    if (signer === null) {
      counters.add('receipts.no-key');
      const fields = { device: toHex(epoch.device), epoch: epoch.epoch };
      this.faults.error('receipts.no-key', fields, 'no receipt: the claim names none of our receipt keys');
      return;
    }
    const receipt = makeReceipt(suite, signer, { epoch, entries, pacing: pacing() });
    counters.add('receipts');
    this.publishDown(epoch.device, { type: 'receipt', receipt });
  }

  /** Stores an offer, and sends the claim that waits for it. */
  private async handleOffer(
    device: Uint8Array,
    { type: _, ...sent }: Extract<UpMessage, { readonly type: 'offer' }>,
    atMs: number,
  ): Promise<void> {
    const { store, suite, counters } = this.deps;
    const offer = openOffers(suite, sent.offer, sent.offerV2);
    if (!equal(offer.value.device, device)) throw new SealcamError('foreign', 'an offer of another camera');
    counters.add('offers');
    if (versionOf(offer.value) === 1) this.greet(device, 'offer-v1');
    if (!(await store.claims.putOffer(device, { ...sent, atMs }))) {
      countRefused(counters, 'offers');
      return;
    }
    const pending = await store.claims.pending(device);
    if (pending === undefined) return;
    // A claim answers one offer. For another nonce the owner's page has to sign again.
    if (!equal(pending.nonce, offer.value.nonce)) await store.claims.dropPending(device);
    else this.publishDown(device, claimMessage(pending));
  }

  private publishDown(device: Uint8Array, message: DownMessage): void {
    this.deps.publish(topicOf(device, 'down'), encodeDown(message));
  }

  /** Records a message that failed: as a refusal where the message is at fault, in the log where we are. */
  private async recordFailure(device: Uint8Array | null, payload: Uint8Array, error: unknown): Promise<void> {
    const { code, message } = asSealcamError(error);
    const isRefusal = ['malformed', 'unsupported', 'foreign', 'bad-signature'].includes(code);
    if (isSealcamError(error) && isRefusal) {
      await this.refuse(device, code === 'bad-signature' ? 'malformed' : code, message, payload);
      return;
    }
    this.deps.counters.add(`ingest.${code}`);
    this.faults.error(code, { device: device === null ? null : toHex(device) }, `no receipt: ${message}`);
  }

  private refuse(device: Uint8Array | null, verdict: string, reason: string, bytes: Uint8Array): Promise<void> {
    return this.refusals.recordRefusal({ place: 'ingest', verdict, device, epoch: null, reader: null, reason, bytes });
  }
}

/** Returns the message that brings a camera the claim that waits for it. */
function claimMessage({ claim, mac, kemKeys }: PendingClaim): DownMessage {
  return { type: 'claim', claim, mac, ...(kemKeys === undefined ? {} : { kemKeys }) };
}

function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  return promise.then(
    (value) => ({ status: 'fulfilled', value }),
    (reason: unknown) => ({ status: 'rejected', reason }),
  );
}
