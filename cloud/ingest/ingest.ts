import { equal, toHex } from '../../common/bytes.js';
import { sleep, type Clock } from '../../common/clock.js';
import type { Counters } from '../../common/counters.js';
import { asSealcamError, isSealcamError, SealcamError } from '../../common/errors.js';
import { LIMITS } from '../../common/limits.js';
import type { Log } from '../../common/log.js';
import type { CryptoSuite, Signer } from '../../protocol/crypto/suite.js';
import { offerKind } from '../../protocol/objects/offer.js';
import type { SealcamRecord } from '../../protocol/objects/record.js';
import type { Pacing } from '../../protocol/objects/receipt.js';
import { openSigned, type Verified } from '../../protocol/objects/signed-object.js';
import { decodeStatus, decodeUp, encodeDown, type DownMessage } from '../../protocol/transport/messages.js';
import { parseTopic, topicOf } from '../../protocol/transport/topics.js';
import type { ClaimRow, CloudStore } from '../store/store.js';
import { MakerList } from '../trust/maker-list.js';
import { Refusals } from '../alarms/refusals.js';
import { FaultLog } from '../alarms/fault-log.js';
import { judgeAccept, judgeRecord, judgeRevoked, REVOKED_BY_MAKER, type Judgement } from './judge.js';
import { ReceiptSigners } from './receipt-signers.js';
import { makeReceipt, type ReceiptedEpoch, type Settled } from './receipts.js';

export interface IngestDependencies {
  readonly store: CloudStore;
  readonly suite: CryptoSuite;
  /** The current receipt key, which new claims name. */
  readonly receiptSigner: Signer;
  /** For claims that do not name it, in order of preference. */
  readonly otherReceiptSigners?: readonly Signer[];
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Left out where no maker's list is configured; devices that one named before stay revoked. */
  readonly makerList?: MakerList;
  readonly publish: (topic: string, payload: Uint8Array) => void;
  /** A record was stored for the first time. */
  readonly onStored: (id: number, record: Verified<SealcamRecord>, receivedAtMs: number) => void;
  readonly onStatus: (device: Uint8Array) => void;
  /** Other workers take messages of the same cameras, so that a record may get here before its epoch's accept got there. */
  readonly isSharing?: boolean;
  /** What to tell cameras about their pace; null says nothing. */
  readonly pacing: () => Pacing | null;
}

/** An accept that went out before a record is stored within this time, unless the store is away. */
const CLAIM_PATIENCE_MS = 2000;
const CLAIM_LOOK_MS = 100;
/** Whom this was done for in vain is refused at once for so long: nobody may hold ingest up with claims that never come. */
const CLAIM_VAIN_MS = 60_000;
const CLAIM_VAIN_MAX = 10_000;

/**
 * From an MQTT message to stored records and a signed receipt. Any doubt about claim or store ends without a receipt,
 * and the camera sends again. Nothing here throws.
 */
export class Ingest {
  private readonly deps: IngestDependencies;
  private readonly refusals: Refusals;
  private readonly makerList: MakerList;
  private readonly signers: ReceiptSigners;
  private readonly faults: FaultLog;
  /** When a camera's claim was last awaited in vain. */
  private readonly vain = new Map<string, number>();

  constructor(deps: IngestDependencies) {
    this.deps = deps;
    this.refusals = new Refusals(deps);
    this.faults = new FaultLog(deps.clock, deps.log);
    this.signers = new ReceiptSigners(deps.suite, [deps.receiptSigner, ...(deps.otherReceiptSigners ?? [])]);
    this.makerList = deps.makerList ?? new MakerList({ key: null, maxAgeMs: 0 }, deps);
  }

  async handleMessage(topic: string, payload: Uint8Array): Promise<void> {
    let device: Uint8Array | null = null;
    try {
      const parsed = parseTopic(topic);
      device = parsed.device;
      if (payload.length > LIMITS.messageMaxBytes) throw new SealcamError('malformed', 'a message over 128 KiB');
      if (parsed.leaf === 'status') await this.status(device, payload);
      else if (parsed.leaf === 'up') await this.up(device, payload);
    } catch (error) {
      await this.fail(device, payload, error);
    }
  }

  private async status(device: Uint8Array, payload: Uint8Array): Promise<void> {
    const { online, agent } = decodeStatus(payload);
    // A hint of a camera that nobody claimed would let anyone fill the table.
    if ((await this.deps.store.claims.latest(device)) === undefined) return;
    await this.deps.store.records.setStatus(device, { online, agent, atMs: this.deps.clock.wallMs() });
    this.deps.onStatus(device);
  }

  private async up(device: Uint8Array, payload: Uint8Array): Promise<void> {
    const { store, suite, clock, isSharing = false } = this.deps;
    const message = decodeUp(payload);
    const waitForClaim = (epoch: number): Promise<ClaimRow | undefined> => this.claimSoon(device, epoch);
    const nowMs = clock.wallMs();
    const isRevoked = await this.makerList.isRevoked(device);
    if (isRevoked && message.type !== 'records') {
      await this.refuse(device, 'revoked', REVOKED_BY_MAKER, payload);
      return;
    }
    switch (message.type) {
      case 'offer':
        await this.offer(device, message.offer, nowMs);
        return;
      case 'accept': {
        const judgement = await judgeAccept(store, suite, device, message.claim, message.record, nowMs);
        await this.sendReceipts(device, [{ judgement, bytes: message.record }], nowMs);
        return;
      }
      case 'records': {
        const judged: Judged[] = [];
        for (const sent of message.records) {
          const judgement = isRevoked
            ? judgeRevoked(suite, device, sent)
            : await judgeRecord(store, suite, device, sent, nowMs, isSharing ? waitForClaim : undefined);
          judged.push({ judgement, bytes: sent.record });
        }
        await this.sendReceipts(device, judged, nowMs);
      }
    }
  }

  /** The row of an epoch whose accept another worker has, or nobody. */
  private async claimSoon(device: Uint8Array, epoch: number): Promise<ClaimRow | undefined> {
    const { store, clock, counters } = this.deps;
    const name = toHex(device);
    const vainAtMs = this.vain.get(name);
    if (vainAtMs !== undefined && clock.monotonicMs() - vainAtMs < CLAIM_VAIN_MS) return undefined;
    counters.add('ingest.claim-awaited');
    for (let waitedMs = 0; waitedMs < CLAIM_PATIENCE_MS; waitedMs += CLAIM_LOOK_MS) {
      await sleep(clock, CLAIM_LOOK_MS);
      const row = await store.claims.row(device, epoch);
      if (row !== undefined) return row;
    }
    if (this.vain.size >= CLAIM_VAIN_MAX) this.vain.clear();
    this.vain.set(name, clock.monotonicMs());
    return undefined;
  }

  private async sendReceipts(device: Uint8Array, judged: readonly Judged[], nowMs: number): Promise<void> {
    const { counters } = this.deps;
    const receipts = new Map<string, { readonly epoch: ReceiptedEpoch; readonly settled: Settled[] }>();
    const say = (epoch: ReceiptedEpoch, settled: Settled): void => {
      const key = `${String(epoch.epoch)}/${toHex(epoch.claimHash)}`;
      const entry = receipts.get(key) ?? { epoch, settled: [] };
      entry.settled.push(settled);
      receipts.set(key, entry);
    };
    for (const { judgement, bytes } of judged) {
      if (judgement.type === 'refused') {
        await this.refuse(device, judgement.verdict, judgement.reason, bytes);
        if (judgement.rejected !== null) say(judgement.rejected.epoch, judgement.rejected.settled);
        continue;
      }
      const { record, epoch, id, settled, wrongMedia } = judgement;
      counters.add(id === null ? 'records.duplicate' : 'records.stored');
      if (wrongMedia > 0) await this.refuse(device, 'malformed', 'media that the record does not name', bytes);
      if (settled === null) counters.add('records.media-missing');
      else say(epoch, settled);
      if (id === null) continue;
      const { wallMs, quality } = record.value.time;
      // Only a clock that the network set says how long a record was on its way.
      if (quality === 'ntp' && wallMs !== null) counters.observe('ingest.lag', Math.max(0, nowMs - wallMs) / 1000);
      this.deps.onStored(id, record, nowMs);
    }
    for (const { epoch, settled } of receipts.values()) this.receipt(epoch, settled);
  }

  private receipt(epoch: ReceiptedEpoch, settled: readonly Settled[]): void {
    const { suite, counters, log, pacing } = this.deps;
    const signer = this.signers.forClaim(epoch.claimHash, epoch.claim);
    if (signer === null) {
      counters.add('receipts.no-key');
      const fields = { device: toHex(epoch.device), epoch: epoch.epoch };
      log.error(fields, 'no receipt: the claim names none of our receipt keys');
      return;
    }
    const receipt = makeReceipt(suite, signer, epoch, settled, pacing());
    counters.add('receipts');
    this.send(epoch.device, { type: 'receipt', receipt });
  }

  private async offer(device: Uint8Array, bytes: Uint8Array, nowMs: number): Promise<void> {
    const { store, suite, counters } = this.deps;
    const offer = openSigned(offerKind, suite, bytes);
    if (!equal(offer.value.device, device)) throw new SealcamError('foreign', 'an offer of another camera');
    counters.add('offers');
    await store.claims.putOffer(device, bytes, nowMs);
    const pending = await store.claims.pending(device);
    if (pending === undefined) return;
    // A claim answers one offer; for another nonce the owner's page has to sign again.
    if (!equal(pending.nonce, offer.value.nonce)) await store.claims.dropPending(device);
    else this.send(device, { type: 'claim', claim: pending.claim, mac: pending.mac });
  }

  private send(device: Uint8Array, message: DownMessage): void {
    this.deps.publish(topicOf(device, 'down'), encodeDown(message));
  }

  private async fail(device: Uint8Array | null, payload: Uint8Array, error: unknown): Promise<void> {
    const { counters } = this.deps;
    const known = asSealcamError(error);
    const { code, message } = known;
    const isRefusal = ['malformed', 'unsupported', 'foreign', 'bad-signature'].includes(code);
    if (isSealcamError(error) && isRefusal) {
      await this.refuse(device, code === 'bad-signature' ? 'malformed' : code, message, payload);
      return;
    }
    counters.add(`ingest.${code}`);
    this.faults.error(code, { device: device === null ? null : toHex(device) }, `no receipt: ${message}`);
  }

  private refuse(device: Uint8Array | null, verdict: string, reason: string, bytes: Uint8Array): Promise<void> {
    return this.refusals.recordRefusal({ place: 'ingest', verdict, device, epoch: null, reader: null, reason, bytes });
  }
}

interface Judged {
  readonly judgement: Judgement;
  readonly bytes: Uint8Array;
}
