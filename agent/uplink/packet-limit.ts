import { LIMITS } from '../../common/limits.js';

/**
 * How a broker showed that a message is too large for it:
 * - `named`: a PUBACK or DISCONNECT with the code "packet too large";
 * - `closed`: the connection ended while the message was on its way;
 * - `refused`: a PUBACK with another code;
 * - `silence`: acknowledged each time, and never receipted while others were.
 */
export type SizeEvidence = 'named' | 'closed' | 'refused' | 'silence';

/** How often it takes the evidence: all but the first have other causes too. The caller counts the silences. */
const TIMES_MIN: Readonly<Record<SizeEvidence, number>> = { named: 1, closed: 2, refused: 3, silence: 1 };
/** After this, one larger message is tried again; the time doubles with each that fails. */
const RETRY_MIN_MS = 3_600_000;
const RETRY_MAX_MS = 24 * 3_600_000;
/**
 * No smaller limit is learned: records without pictures fit into it, and a broker that refuses those takes nothing of this
 * protocol. Such a refusal is like any other, and the record is sent again.
 */
const LEARNED_MIN_BYTES = 4096;
/** MQTT §3.3: type, four bytes of length, the length of the topic, the packet identifier, and no properties. */
const PUBLISH_OVERHEAD_BYTES = 1 + 4 + 2 + 2 + 1;

/**
 * The largest message that the broker takes, as far as is known: announced in CONNACK, or learned from what it refused.
 * All sizes are of MQTT payloads. Lives as long as the process; what the broker announces counts until it announces again.
 */
export class PacketLimit {
  private readonly overheadBytes: number;
  private readonly onLearned: (evidence: SizeEvidence) => void;
  private announcedBytes = Infinity;
  private learnedBytes = Infinity;
  private retryAtMs = Infinity;
  private retryDelayMs = RETRY_MIN_MS;
  private suspicion: { bytes: number; times: number } | null = null;
  /** The largest message with a PUBACK, and the largest record with a receipt. */
  private acknowledgedBytes = 0;
  private receiptedBytes = 0;
  private receiptedAtMs = -Infinity;

  /** `onLearned` is called after each smaller limit that was learned. */
  constructor(topic: string, onLearned: (evidence: SizeEvidence) => void = () => undefined) {
    this.onLearned = onLearned;
    this.overheadBytes = PUBLISH_OVERHEAD_BYTES + Buffer.byteLength(topic);
  }

  /** Notes the maximum of a new connection; null if the broker announced none. */
  setAnnounced(packetMaxBytes: number | null): void {
    this.announcedBytes = packetMaxBytes === null ? Infinity : Math.max(0, packetMaxBytes - this.overheadBytes);
  }

  /** Returns the largest message that may be sent now. */
  maxBytes(nowMs: number): number {
    const learnedBytes = nowMs >= this.retryAtMs ? Infinity : this.learnedBytes;
    return Math.min(LIMITS.messageMaxBytes, this.announcedBytes, learnedBytes);
  }

  /** Returns the size that a new message should keep to, null without a limit. Half of what was refused, if nothing else is known. */
  get targetBytes(): number | null {
    const { announcedBytes, learnedBytes, receiptedBytes } = this;
    const triedBytes = receiptedBytes > learnedBytes ? 0 : receiptedBytes;
    const learnedTarget = learnedBytes === Infinity ? Infinity : Math.max(triedBytes, Math.floor(learnedBytes / 2));
    const target = Math.min(announcedBytes, learnedTarget);
    return target < LIMITS.messageMaxBytes ? target : null;
  }

  /** When a larger message may be tried again; Infinity if nothing was learned. */
  get nextRetryMs(): number {
    return this.retryAtMs;
  }

  noteAcknowledged(bytes: number): void {
    this.acknowledgedBytes = Math.max(this.acknowledgedBytes, bytes);
    if (this.suspicion !== null && bytes >= this.suspicion.bytes) this.suspicion = null;
  }

  /** A record of this size has its receipt: whatever was learned below it is over. */
  noteReceipted(bytes: number, nowMs: number): void {
    this.receiptedAtMs = nowMs;
    this.receiptedBytes = Math.max(this.receiptedBytes, bytes);
    if (bytes > this.learnedBytes) this.forgetLearned();
  }

  /** Whether the silence about a message that was sent at this time says something about its size. */
  isTelling(bytes: number, sentAtMs: number): boolean {
    return this.receiptedBytes > 0 && bytes > this.receiptedBytes && this.receiptedAtMs > sentAtMs;
  }

  /** Notes that a message of this size did not pass. Returns whether a smaller limit was learned. */
  noteRefused(bytes: number, evidence: SizeEvidence, nowMs: number): boolean {
    if (bytes <= LEARNED_MIN_BYTES) return false;
    if (evidence === 'named') {
      // The broker may have been given a smaller limit than it had.
      this.acknowledgedBytes = Math.min(this.acknowledgedBytes, bytes - 1);
      this.receiptedBytes = Math.min(this.receiptedBytes, bytes - 1);
    } else if (evidence !== 'silence' && bytes <= this.acknowledgedBytes) return false;
    // A broker that refuses everything does not refuse it for its size.
    if (evidence === 'refused' && this.acknowledgedBytes === 0) return false;
    const times = (this.suspicion?.times ?? 0) + 1;
    const suspectBytes = Math.min(this.suspicion?.bytes ?? Infinity, bytes);
    this.suspicion = { bytes: suspectBytes, times };
    if (times < TIMES_MIN[evidence]) return false;
    this.suspicion = null;
    if (nowMs >= this.retryAtMs) this.retryDelayMs = Math.min(RETRY_MAX_MS, 2 * this.retryDelayMs);
    this.retryAtMs = nowMs + this.retryDelayMs;
    const before = this.learnedBytes;
    this.learnedBytes = Math.max(LEARNED_MIN_BYTES, Math.min(before, suspectBytes - 1));
    if (this.learnedBytes >= before) return false;
    this.onLearned(evidence);
    return true;
  }

  private forgetLearned(): void {
    this.learnedBytes = Infinity;
    this.retryAtMs = Infinity;
    this.retryDelayMs = RETRY_MIN_MS;
    this.suspicion = null;
  }
}
