import { toHex } from '../../../common/bytes.js';
import { nodeSuite } from '../../../protocol/crypto/node.js';
import { anyRecordKind, type AnyRecord } from '../../../protocol/objects/record.js';
import { openSigned, type Verified } from '../../../protocol/objects/signed-object.js';
import { placeKey } from '../../../protocol/objects/ids.js';

/** Records that were opened already, by their hash: judging opens the same ones many times. */
const opened = new Map<string, Verified<AnyRecord>>();
const OPENED_MAX = 5000;

function open(bytes: Uint8Array): Verified<AnyRecord> {
  const key = toHex(nodeSuite.sha256(bytes));
  const before = opened.get(key);
  if (before !== undefined) return before;
  if (opened.size > OPENED_MAX) opened.clear();
  const record = openSigned(anyRecordKind, nodeSuite, bytes);
  opened.set(key, record);
  return record;
}

/** Reasons for which records of a closed epoch are dropped; and `state-lost`, whose gap was erased with the ownership. */
const COUNTED_REASONS = new Set(['full', 'age', 'erased', 'state-lost']);

export interface Known {
  readonly hash: string;
  readonly record: AnyRecord;
}

export interface PendingLoss {
  readonly epoch: number;
  readonly reason: string;
  readonly from_seq: number | null;
  readonly to_seq: number | null;
  readonly count: number;
  readonly media_id: Uint8Array | null;
}

/** All records known at the camera or in the cloud, all losses on record, and what contradicts them. */
export class Ledger {
  readonly known = new Map<string, Known>();
  readonly duplicated = new Set<string>();
  private readonly events = new Map<string, string>();
  private readonly lost = new Map<number, (readonly [from: number, to: number])[]>();
  private readonly lostMedia = new Set<string>();
  /** Losses of a closed epoch are recorded in the open one, as a count. */
  private counted = 0;

  add(bytes: Uint8Array, place?: string): void {
    const { value, hash } = open(bytes);
    const at = placeKey(value);
    const before = this.known.get(at);
    const isOther = (place !== undefined && place !== at) || (before !== undefined && before.hash !== toHex(hash));
    if (isOther) this.duplicated.add(at);
    if (before !== undefined || isOther) return;
    this.known.set(at, { hash: toHex(hash), record: value });
    if (value.event !== undefined) {
      const id = toHex(value.event.id);
      if (this.events.has(id)) this.duplicated.add(at);
      this.events.set(id, at);
    }
    for (const loss of value.loss ?? []) this.addLoss(value.epoch, loss);
  }

  addPending({ epoch, reason, from_seq: from, to_seq: to, count, media_id: mediaId }: PendingLoss): void {
    if (mediaId !== null) this.addMedia(reason, [new Uint8Array(mediaId)]);
    else if (from !== null && to !== null) this.range(epoch, from, to);
    else if (COUNTED_REASONS.has(reason)) this.counted += count;
  }

  /** Whether a loss in a signed record, or one that waits to be signed, covers this record. */
  isRecordedLost(epoch: number, seq: number): boolean {
    return (this.lost.get(epoch) ?? []).some(([from, to]) => from <= seq && seq <= to);
  }

  /** Whether a loss names this object, given up for a reason that a power cut does not give. */
  isMediaLost(mediaId: string): boolean {
    return this.lostMedia.has(mediaId);
  }

  /** Uses up one loss of a closed epoch, which has a count but no seqs. Returns false where none is left. */
  useCountedLoss(): boolean {
    if (this.counted === 0) return false;
    this.counted--;
    return true;
  }

  /**
   * Returns broken links and unaccounted seqs, as sentences. `open` is the epoch whose losses have seqs; in those of `moved`
   * the camera learned that the cloud has other records.
   */
  brokenChains(open: number | null, rejected: ReadonlySet<string>, moved: ReadonlySet<number>): string[] {
    const broken: string[] = [];
    const heads = new Map<number, number>();
    for (const { record } of this.known.values()) {
      heads.set(record.epoch, Math.max(heads.get(record.epoch) ?? 0, record.seq));
      const before = this.known.get(placeKey({ epoch: record.epoch, seq: record.seq - 1 }));
      const expected = record.seq === 0 ? toHex(record.claimHash) : before?.hash;
      const at = placeKey(record);
      if (record.prev === null) {
        if (!moved.has(record.epoch)) broken.push(`${at} records that its camera lost its state`);
      } else if (expected !== undefined && toHex(record.prev) !== expected)
        broken.push(`${at} does not follow its predecessor`);
    }
    for (const [epoch, head] of heads) {
      for (let seq = 0; seq < head; seq++) {
        const at = placeKey({ epoch, seq });
        if (this.known.has(at) || this.isRecordedLost(epoch, seq) || rejected.has(at)) continue;
        if (epoch === open || !this.useCountedLoss()) broken.push(`${at} is neither known nor recorded as lost`);
      }
    }
    return broken;
  }

  private addLoss(epoch: number, { reason, seqs, count, media }: NonNullable<AnyRecord['loss']>[number]): void {
    if (media !== undefined) this.addMedia(reason, media);
    else if (seqs !== undefined) this.range(epoch, seqs[0], seqs[1]);
    else if (COUNTED_REASONS.has(reason)) this.counted += count ?? 0;
  }

  private addMedia(reason: string, ids: readonly Uint8Array[]): void {
    if (reason !== 'corrupt') for (const id of ids) this.lostMedia.add(toHex(id));
  }

  private range(epoch: number, from: number, to: number): void {
    this.lost.set(epoch, [...(this.lost.get(epoch) ?? []), [from, to]]);
  }
}
